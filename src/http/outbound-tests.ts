/** What makes this server call somebody, or read far back, is counted per person: tests, exports, evidence (docs/spec/identity.md section 10). */
import type { RateLimit } from "../ports/records.ts";
import type { Authorized } from "./authorized.ts";
import { problem, type Problem } from "./problem.ts";
import type { LedgerWatch } from "./server-options.ts";

const LIMITS: readonly RateLimit[] = [{ limit: 6, windowSeconds: 60 }];

type By = Pick<Authorized, "app" | "actor">;

/** Null while there is room for one more. */
export function tooManyTests(by: By): Promise<Problem | null> {
  return tooMany(by, "outbound_test", "Too many tests: wait and try again");
}

/**
 * Counted apart from tests, so that nobody who tries a credential is kept from evidence. Machines are not counted: pipelines verify each
 * of their deployments. In quarantine nothing is written, and whoever looks into it takes what they need (ledger R-QUAR-1).
 */
export function tooManyExports(by: By, { quarantined }: LedgerWatch): Promise<Problem | null> {
  if (by.actor.machine || quarantined) return Promise.resolve(null);
  return tooMany(by, "export", "Too many exports: wait and try again");
}

async function tooMany({ app, actor }: By, bucket: string, told: string): Promise<Problem | null> {
  const key = `${app.orgId} ${actor.person?.id ?? actor.subject}`;
  const wait = await app.rates.count(bucket, key, LIMITS, app.clock());
  return wait === null ? null : problem("rate_limited", told, { headers: { "Retry-After": String(wait) } });
}
