/** A live request is called off. */
import type { RequestId } from "../core/ids.ts";
import type { Actor } from "../core/person.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export interface CancelRequestInput {
  readonly requestId: RequestId;
  readonly reason: string | null;
}

export function cancelRequest(
  app: Application,
  actor: Actor,
  input: CancelRequestInput,
  call: Once<Request> | null,
): Promise<Request | Refusal | Replay> {
  const command = requestCommand<Request>(app, {
    name: "cancel_request",
    target: { requestId: input.requestId },
    actor,
    command: () => ({ type: "cancel", actor, reason: input.reason }),
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
  return app.store.submit(once(command, call, (request) => request.id));
}
