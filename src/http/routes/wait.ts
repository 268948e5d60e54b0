/** Waiting for a request to end, without polling (docs/spec/api.md section 6.7). */
import { isLive, type Request } from "../../core/request.ts";
import { requestOutSchema, waitQuerySchema } from "../../contract/requests.ts";
import { ok, requestNotFound } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { pathText, requestIdIn } from "../path-values.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { seatOf, StreamSeats } from "../stream-seats.ts";
import { CommitWaiter } from "../commit-waiter.ts";
import { requestOut } from "../wire/request-out.ts";

/** Every wait looks at its request again after each commit, so one caller may not hold any number of them. */
const WAITS_PER_CALLER = 100;

export function waitRoutes({ events }: ServerOptions, closing: AbortSignal): readonly Endpoint[] {
  const seats = new StreamSeats(WAITS_PER_CALLER);
  return [
    endpoint({
      method: "GET",
      url: "/requests/:id/wait",
      summary: "The request once it has ended, or as it is when the time is over",
      tag: "requests",
      query: waitQuerySchema,
      answers: { 200: requestOutSchema },
      async handle({ params, query, caller, gone }) {
        const id = requestIdIn(params);
        if (id === null) return requestNotFound(pathText(params, "id"));
        const free = seats.take(seatOf(caller));
        if (free === null) {
          const headers = { "Retry-After": "15" };
          return problem("rate_limited", `At most ${String(WAITS_PER_CALLER)} waits at once per caller`, { headers });
        }
        const waiter = new CommitWaiter(events, AbortSignal.timeout(query.timeout * 1000), closing, gone());
        try {
          const request = await untilEnded(() => caller.app.reader.request(id, caller.viewer), waiter);
          if (request === undefined) return requestNotFound(pathText(params, "id"));
          return ok(requestOut(request, caller.app.clock()));
        } finally {
          free();
          waiter.close();
        }
      },
    }),
  ];
}

async function untilEnded(
  read: () => Promise<Request | undefined>,
  waiter: CommitWaiter,
): Promise<Request | undefined> {
  for (;;) {
    const request = await read();
    if (request === undefined || !isLive(request.status) || waiter.over) return request;
    await waiter.next();
  }
}
