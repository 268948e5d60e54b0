/** The line is left without an active version; requests already made go on with theirs (R-POLICY-4). */
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { archived, findVersion, policyCommand, type PolicyChange, type PolicyVersionName } from "./policy-command.ts";

export function deactivatePolicy(
  app: Application,
  actor: Actor,
  wanted: PolicyVersionName,
  call: Once<PolicyVersion> | null,
): Promise<PolicyVersion | Refusal | Replay> {
  const command = policyCommand(app, {
    name: "deactivate_policy",
    actor,
    key: wanted.key,
    change(line, world): PolicyChange | Refusal {
      const found = findVersion(line, wanted);
      if (isRefusal(found)) return found;
      if (found.status !== "active") {
        const message = `v${String(found.version)} is '${found.status}', not 'active' — nothing to deactivate`;
        return refuse("wrong_state", message);
      }
      const gone = archived(found, world.now);
      return {
        version: gone,
        versions: [gone],
        kind: "policy.deactivated",
        action: "policy.deactivate",
        summary: `Policy '${wanted.key}' v${String(wanted.version)} deactivated`,
        before: { status: "active" },
        after: { status: "archived" },
      };
    },
  });
  return app.store.submit(once(command, call, () => null));
}
