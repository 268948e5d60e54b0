/**
 * What an approval of the generic gate is bound to: every member that, if it changed, would make it another request.
 * Implements docs/spec/engine.md R-STAGE-6. The digest over its canonical form is what decisions name.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Request } from "../../core/request.ts";

/** The request, or what will become one, as far as it is bound. */
export type Bound = Pick<Request, "artifactType" | "artifactId" | "requester" | "revision" | "context" | "salt"> & {
  readonly policy: Pick<Request["policy"], "digest">;
};

/** `salt` is random, so that the digest hides the payload from whoever only sees the ledger. */
export function boundPayload(bound: Bound): JsonObject {
  return {
    v: 1,
    gate: "generic",
    salt: bound.salt,
    policy_digest: bound.policy.digest,
    artifact_type: bound.artifactType,
    artifact_id: bound.artifactId,
    requester: bound.requester,
    revision: bound.revision,
    context: bound.context,
  };
}
