/** A live request is called off. */
import type { GateCancel } from "../core/cancel-request.ts";
import type { RequestId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export interface CancelRequestInput {
  readonly requestId: RequestId;
  readonly reason: string | null;
}

/** Of a gate that has judged by its own rules who may cancel. */
export interface GateCancelInput extends CancelRequestInput {
  readonly gate: GateCancel;
}

export function cancelRequest(
  app: Application,
  actor: Actor,
  input: CancelRequestInput,
  call: Once<Request> | null,
): Promise<Request | Refusal | Replay> {
  return app.store.submit(once(cancelCommand(app, actor, input), call, (request) => request.id));
}

/** For gates, which may write something of their own beside it. */
export function cancelCommand(
  app: Application,
  actor: Actor,
  input: CancelRequestInput | GateCancelInput,
): StoreCommand<Request | Refusal> {
  const gate = "gate" in input ? { gate: input.gate } : {};
  return requestCommand<Request>(app, {
    name: "cancel_request",
    target: { requestId: input.requestId },
    actor,
    judged: "gate" in input,
    command: () => ({ type: "cancel", actor, reason: input.reason, ...gate }),
    answer: ({ request }) => request,
    audit: ({ request }, before, { world, entryOf }) => [
      auditRecord(
        actor,
        { entry: entryOf("request_cancelled"), world },
        {
          action: "request.cancel",
          resourceType: "request",
          resourceId: request.id,
          summary: `Request ${request.id} cancelled`,
          before: { status: before.status },
          after: { status: "cancelled" },
          metadata: { reason: input.reason, artifact_id: request.artifactId },
        },
      ),
    ],
  });
}
