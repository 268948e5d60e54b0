/** `countersign logout`: the session ends on the server first, then here (docs/spec/identity.md R-TERM-6). */
import { createApiClient } from "../client/api-client.ts";
import { ApiRefusal } from "../client/api-refusal.ts";
import { forgetServer, knownServer } from "./cli-config.ts";
import { exitStatusOf, SignedOut, userAgent } from "./signed-in-client.ts";

/** The exit status. */
export function logout(flags: { readonly server?: string }): Promise<number> {
  return exitStatusOf(async () => {
    const known = knownServer(flags.server ?? null);
    if (known === null) throw new SignedOut("You are not signed in.");
    const { url } = known;
    const token = known.token();
    try {
      await createApiClient({ url, token, userAgent: userAgent() }).call({ method: "DELETE", path: "/session" });
    } catch (error) {
      // A session that has ended already cannot be ended; whatever else goes wrong leaves it open, so it stays here too.
      if (!(error instanceof ApiRefusal) || error.problem.status !== 401) throw error;
    }
    forgetServer(url);
    console.log(`Signed out of ${url}.`);
  });
}
