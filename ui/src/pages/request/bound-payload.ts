import type { JsonObject } from "../../api/read.ts";
import type { ApprovalRequest } from "../../api/requests.ts";

type Bound = Pick<
  ApprovalRequest,
  "gate" | "salt" | "policy_digest" | "artifact_type" | "artifact_id" | "requester" | "revision" | "context"
>;

/** What a deploy approval is about (docs/spec/deploy.md R-REQ-7); what else its context tells is for the policy's rules. */
const deployMembers = [
  ...["scope", "app", "git_commit_hash", "git_branch", "target_api_token_id", "message", "pr_url", "ci", "images"],
  "source_tree",
] as const;

/** R-CON-2: the very value that an approval is bound to (docs/spec/engine.md R-STAGE-6). */
export function boundPayload(request: Bound): JsonObject {
  return {
    v: 1,
    gate: request.gate,
    salt: request.salt,
    policy_digest: request.policy_digest,
    artifact_type: request.artifact_type,
    artifact_id: request.artifact_id,
    requester: request.requester,
    revision: request.revision,
    context: request.gate === "deploy" ? deployContext(request.context) : request.context,
  };
}

function deployContext(context: JsonObject): JsonObject {
  return Object.fromEntries(deployMembers.map((name) => [name, context[name] ?? null]));
}
