/** A new version of a policy line, as a draft. */
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { draftPolicy, keyMismatch, policyKeyOf } from "./draft-policy.ts";
import type { Once, Replay } from "./idempotency.ts";

export async function addPolicyVersion(
  app: Application,
  actor: Actor,
  { key, document }: { readonly key: string; readonly document: JsonObject },
  call: Once<PolicyVersion> | null,
): Promise<PolicyVersion | Refusal | Replay> {
  if (policyKeyOf(document) !== key) return keyMismatch();
  return draftPolicy(app, { name: "add_policy_version", actor, key, document }, call, (line) => {
    const latest = line.at(-1);
    return latest === undefined ? refuse("policy_not_found", `Policy '${key}' not found`) : latest.version + 1;
  });
}
