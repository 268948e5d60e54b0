/** A draft that nobody needs is thrown away (R-POLICY-6). */
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { editableDraft, policyCommand, policySnapshot, type PolicyChange } from "./policy-command.ts";

export function deletePolicyDraft(
  app: Application,
  actor: Actor,
  input: { readonly key: string; readonly version: number },
): Promise<PolicyVersion | Refusal> {
  const command = policyCommand(app, {
    name: "delete_policy_draft",
    actor,
    key: input.key,
    change(line): PolicyChange | Refusal {
      const old = editableDraft(line, input);
      if (isRefusal(old)) return old;
      // Versions count without gaps (R-POLICY-1), so only the newest can go.
      if (line.at(-1)?.version !== old.version) {
        return refuse(
          "wrong_state",
          `v${String(old.version)} is not the newest version — delete the newer drafts first`,
        );
      }
      return {
        version: old,
        versions: [old],
        deleted: true,
        kind: "policy.drafted",
        action: "policy.delete",
        summary: `Policy '${input.key}' v${String(input.version)} deleted`,
        before: policySnapshot(old),
        after: null,
      };
    },
  });
  return app.store.submit(command);
}
