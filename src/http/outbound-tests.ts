/** Tests that make this server call somebody are counted per person (docs/spec/identity.md section 10). */
import type { RateLimit } from "../ports/records.ts";
import type { Authorized } from "./authorized.ts";
import { problem, type Problem } from "./problem.ts";

const TESTS: readonly RateLimit[] = [{ limit: 6, windowSeconds: 60 }];

/** Null while there is room for one more. */
export async function tooManyTests({ app, actor }: Pick<Authorized, "app" | "actor">): Promise<Problem | null> {
  const key = `${app.orgId} ${actor.person?.id ?? actor.subject}`;
  const wait = await app.rates.count("outbound_test", key, TESTS, app.clock());
  if (wait === null) return null;
  return problem("rate_limited", "Too many tests: wait and try again", { headers: { "Retry-After": String(wait) } });
}
