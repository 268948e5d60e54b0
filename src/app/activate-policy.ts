/** Which version of a line new requests follow. At most one; both facts of a change commit together (R-POLICY-3). */
import { checkPolicy, hasErrors } from "../core/check-policy.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { installationFacts } from "./check-directory.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { archived, findVersion, policyCommand, type PolicyChange, type PolicyVersionName } from "./policy-command.ts";

export async function activatePolicy(
  app: Application,
  actor: Actor,
  wanted: PolicyVersionName,
  call: Once<PolicyVersion> | null,
): Promise<PolicyVersion | Refusal | Replay> {
  const installation = await installationFacts(app);
  const command = policyCommand(app, {
    name: "activate_policy",
    actor,
    key: wanted.key,
    change(line, world): PolicyChange | Refusal | PolicyVersion {
      const found = findVersion(line, wanted);
      // Activating an active version changes nothing (R-POLICY-4).
      if (isRefusal(found) || found.status === "active") return found;
      const problems = checkPolicy(found.document, installation);
      if (hasErrors(problems)) {
        const errors = problems.filter(({ severity }) => severity === "error");
        const details = errors.map(({ code, path, message }) => ({ path: [path], message, code }));
        return refuse("policy_invalid", errors.map(({ message }) => message).join("; "), details);
      }
      const replaced = line.find((version) => version.status === "active");
      const gone = replaced === undefined ? [] : [archived(replaced, world.now)];
      const active: PolicyVersion = {
        ...found,
        status: "active",
        problems,
        activatedAt: world.now,
        updatedAt: world.now,
      };
      return {
        version: active,
        versions: [...gone, active],
        kind: "policy.activated",
        ...(replaced === undefined ? {} : { replaced: replaced.version }),
        action: "policy.activate",
        summary: `Policy '${wanted.key}' v${String(wanted.version)} activated`,
        before: replaced === undefined ? null : { status: "active", version: replaced.version },
        after: { status: "active", version: active.version },
      };
    },
  });
  return app.store.submit(once(command, call, () => null));
}
