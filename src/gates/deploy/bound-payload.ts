/**
 * What a deploy approval is bound to: what will run where, and for whom it was asked. What else the context tells the rules of a
 * policy is not part of it. Implements docs/spec/deploy.md R-REQ-7; the digest over its canonical form is `payload_digest`.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Request } from "../../core/request.ts";

/** The request, or what will become one, as far as it is bound. */
export type DeployBound = Pick<
  Request,
  "artifactType" | "artifactId" | "requester" | "revision" | "context" | "salt"
> & { readonly policy: Pick<Request["policy"], "digest"> };

const BOUND = [
  ...["scope", "app", "git_commit_hash", "git_branch", "target_api_token_id", "message", "pr_url", "ci", "images"],
  "source_tree",
] as const;

export function deployBoundPayload(bound: DeployBound): JsonObject {
  return {
    v: 1,
    gate: "deploy",
    salt: bound.salt,
    policy_digest: bound.policy.digest,
    artifact_type: bound.artifactType,
    artifact_id: bound.artifactId,
    requester: bound.requester,
    revision: bound.revision,
    context: Object.fromEntries(BOUND.map((name) => [name, bound.context[name] ?? null])),
  };
}
