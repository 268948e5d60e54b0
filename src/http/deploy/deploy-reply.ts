/** A refusal of the deploy gate as the answer of one of its API's routes (docs/spec/deploy.md R-WIRE-1, R-REFUSE-1). */
import { refusalJson, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import type { Reply } from "../endpoint.ts";

/** `requestId` is the number of the call, for the log line. */
export function deployReply(refusal: DeployRefusal, requestId: string): Reply {
  return { status: refusal.status, body: refusalJson(refusal, requestId) };
}
