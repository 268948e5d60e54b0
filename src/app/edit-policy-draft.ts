/** A draft is replaced wholly. Versions that were ever active are immutable (R-POLICY-2). */
import { checkPolicy } from "../core/check-policy.ts";
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { installationFacts } from "./check-directory.ts";
import { keyMismatch, policyKeyOf } from "./draft-policy.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { editableDraft, policyCommand, policySnapshot, type PolicyChange } from "./policy-command.ts";
import { digestOf } from "./digest.ts";

export interface EditPolicyDraftInput {
  readonly key: string;
  readonly version: number;
  readonly document: JsonObject;
  /** The digest of the draft that the editor saw; null when they did not say. */
  readonly ifMatch: string | null;
}

export async function editPolicyDraft(
  app: Application,
  actor: Actor,
  input: EditPolicyDraftInput,
  call: Once<PolicyVersion> | null,
): Promise<PolicyVersion | Refusal | Replay> {
  if (policyKeyOf(input.document) !== input.key) return keyMismatch();
  const problems = checkPolicy(input.document, await installationFacts(app));
  const command = policyCommand(app, {
    name: "edit_policy_draft",
    actor,
    key: input.key,
    change(line, world): PolicyChange | Refusal {
      const old = editableDraft(line, input);
      if (isRefusal(old)) return old;
      if (input.ifMatch !== null && input.ifMatch !== old.digest) {
        return refuse("precondition_failed", "The draft has changed since you read it: load it again");
      }
      const { document } = input;
      const digest = digestOf(document, app.sha256);
      const edited = { ...old, document, digest, problems, updatedBy: actor.assignee, updatedAt: world.now };
      return {
        version: edited,
        versions: [edited],
        kind: "policy.drafted",
        action: "policy.update",
        summary: `Policy '${input.key}' v${String(input.version)} edited`,
        before: policySnapshot(old),
        after: policySnapshot(edited),
      };
    },
  });
  return app.store.submit(once(command, call, () => null));
}
