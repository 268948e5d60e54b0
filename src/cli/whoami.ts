/** `countersign whoami`: as whom this terminal acts, where, and until when. */
import { memberOf, textIn } from "../client/api-client.ts";
import { exitStatusOf, signedInClient, type ApiFlags } from "./signed-in-client.ts";

/** The exit status. */
export function whoami(flags: ApiFlags & { readonly json?: true }): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const me = await client.call({ method: "GET", path: "/me" });
    if (flags.json === true) console.log(JSON.stringify(me, null, 2));
    else console.log(inWords(client.url, me));
  });
}

function inWords(url: string, me: unknown): string {
  const login = textIn(me, "assignee") ?? "";
  const name = textIn(me, "name") ?? login;
  const roles = memberOf(me, "roles");
  const until = textIn(memberOf(me, "session"), "expires_at");
  const lines = [
    `${name} (${login}) at ${url}`,
    `organization  ${textIn(memberOf(me, "organization"), "name") ?? ""}`,
    `roles         ${Array.isArray(roles) && roles.length > 0 ? roles.join(", ") : "none"}`,
    ...(until === null ? [] : [`signed in until ${until}`]),
  ];
  return lines.join("\n");
}
