/** What an approval is bound to: the canonical payload of the generic gate (engine R-STAGE-6). */
import type { JsonObject } from "../core/json.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { hex, utf8 } from "./ledger-names.ts";

export interface BoundRequest {
  readonly salt: string;
  readonly policyDigest: string;
  readonly artifactType: string;
  readonly artifactId: string;
  readonly requester: string;
  readonly revision: number;
  readonly context: JsonObject;
}

export function requestPayload(bound: BoundRequest): JsonObject {
  return {
    v: 1,
    gate: "generic",
    salt: bound.salt,
    policy_digest: bound.policyDigest,
    artifact_type: bound.artifactType,
    artifact_id: bound.artifactId,
    requester: bound.requester,
    revision: bound.revision,
    context: bound.context,
  };
}

export function digestOf(value: JsonObject, sha256: Sha256): string {
  return `sha256:${hex(sha256(utf8(canonicalJson(value))))}`;
}
