/** The clock's turn on one request: due times, expiry and repeated lookups. Harmless when nothing is due. */
import type { RequestId } from "../core/ids.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import type { Application } from "./application.ts";
import { requestCommand } from "./request-command.ts";

export function applyDueTimers(app: Application, requestId: RequestId): Promise<Request | Refusal> {
  return app.store.submit(
    requestCommand<Request>(app, {
      name: "apply_due_timers",
      target: { requestId },
      actor: null,
      command: () => ({ type: "tick" }),
      answer: ({ request }) => request,
    }),
  );
}
