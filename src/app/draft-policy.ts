/** Making a draft, for a new line or in an existing one. What is wrong with it is listed, not refused (R-POLICY-8). */
import { checkPolicy } from "../core/check-policy.ts";
import type { JsonObject } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { installationFacts } from "./check-directory.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { newDraft, policyCommand, policySnapshot, type PolicyAct, type PolicyChange } from "./policy-command.ts";

export function policyKeyOf(document: JsonObject): string {
  const key = document["policy_key"];
  return typeof key === "string" ? key : "";
}

export function keyMismatch(): Refusal {
  return refuse("policy_key_mismatch", "policy_key in body must match URL");
}

export interface Draft extends Pick<PolicyAct, "name" | "actor" | "key"> {
  readonly document: JsonObject;
}

export async function draftPolicy(
  app: Application,
  { name, actor, key, document }: Draft,
  call: Once<PolicyVersion> | null,
  versionFor: (line: readonly PolicyVersion[]) => number | Refusal,
): Promise<PolicyVersion | Refusal | Replay> {
  const problems = checkPolicy(document, await installationFacts(app));
  const command = policyCommand(app, {
    name,
    actor,
    key,
    change(line, world): PolicyChange | Refusal {
      const version = versionFor(line);
      if (typeof version !== "number") return version;
      const { now, newId } = world;
      const made = newDraft({ document, problems, key, version, author: actor.assignee, now, newId }, app);
      return {
        version: made,
        versions: [made],
        kind: "policy.drafted",
        action: version === 1 ? "policy.create" : "policy.add_version",
        summary: `Policy '${key}' v${String(version)} drafted`,
        before: null,
        after: policySnapshot(made),
      };
    },
  });
  return app.store.submit(once(command, call, () => null));
}
