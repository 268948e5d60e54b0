/** What an approval is bound to, as the gate of its request says (docs/spec/engine.md R-STAGE-6, docs/spec/deploy.md R-REQ-7). */
import type { JsonObject } from "../core/json.ts";
import type { GateName } from "../core/request.ts";
import { deployBoundPayload } from "../gates/deploy/bound-payload.ts";
import { boundPayload, type Bound } from "../gates/generic/bound-payload.ts";

export function boundPayloadOf(request: Bound & { readonly gate: GateName }): JsonObject {
  return request.gate === "deploy" ? deployBoundPayload(request) : boundPayload(request);
}
