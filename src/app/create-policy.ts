/** A new policy line. */
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { draftPolicy, policyKeyOf } from "./draft-policy.ts";
import type { Once, Replay } from "./idempotency.ts";

export async function createPolicy(
  app: Application,
  actor: Actor,
  document: JsonObject,
  call: Once<PolicyVersion> | null,
): Promise<PolicyVersion | Refusal | Replay> {
  const key = policyKeyOf(document);
  return draftPolicy(app, { name: "create_policy", actor, key, document }, call, (line) => {
    const latest = line.at(-1);
    if (latest === undefined) return 1;
    const hint = `use PUT /policies/${key} to add a version`;
    return refuse("policy_exists", `policy_key '${key}' already exists (latest v${String(latest.version)}); ${hint}`);
  });
}
