/** An administrator asks for a failed lookup of approvers to be tried now (R-RESOLVE-8). */
import type { RequestId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import type { Application } from "./application.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export function resolveRequest(
  app: Application,
  actor: Actor,
  requestId: RequestId,
  call: Once<Request> | null,
): Promise<Request | Refusal | Replay> {
  const command = requestCommand<Request>(app, {
    name: "resolve_request",
    target: { requestId },
    actor,
    command: () => ({ type: "resolve", actor }),
    answer: ({ request }) => request,
  });
  return app.store.submit(once(command, call, (request) => request.id));
}
