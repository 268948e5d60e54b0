/** Requests: make, list, read, cancel, explain (docs/spec/api.md section 6.3). */
import { z } from "zod";
import { cancelRequest } from "../../app/cancel-request.ts";
import { createRequest } from "../../app/create-request.ts";
import { explainRequest } from "../../app/explain-request.ts";
import { isReplay } from "../../app/idempotency.ts";
import { tooManyRequests } from "../../app/request-rate.ts";
import { resolveRequest } from "../../app/resolve-request.ts";
import { policyLimitRefusal } from "../../app/token-limits.ts";
import { isId, type RequestId } from "../../core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { decisionOutSchema } from "../../contract/decisions.ts";
import { explainSchema } from "../../contract/explain.ts";
import {
  cancelRequestSchema,
  createRequestOutSchema,
  createRequestSchema,
  eventsQuerySchema,
  requestEventSchema,
  requestOutSchema,
  requestsQuerySchema,
} from "../../contract/requests.ts";
import type { Refusal } from "../../core/refusal.ts";
import type { Request, RequestCallback } from "../../core/request.ts";
import type { RequestFilter, StoredEvent } from "../../ports/reader.ts";
import { created, listed, ok, requestNotFound, settle } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { pathText, requestIdIn } from "../path-values.ts";
import { isProblem, problem, type Problem } from "../problem.ts";
import { decisionOut } from "../wire/decision-out.ts";
import { eventOut } from "../wire/event-out.ts";
import { explainOut } from "../wire/explain-out.ts";
import { createRequestOut, requestOut } from "../wire/request-out.ts";

const tag = "requests";

export function requestRoutes(): readonly Endpoint[] {
  return [
    creating(),
    listing(),
    endpoint({
      method: "GET",
      url: "/requests/:id",
      summary: "One request",
      tag,
      answers: { 200: requestOutSchema },
      async handle({ params, caller }) {
        const id = requestIdIn(params);
        const request = id === null ? undefined : await caller.app.reader.request(id, caller.viewer);
        return request === undefined
          ? requestNotFound(pathText(params, "id"))
          : ok(requestOut(request, caller.app.clock()));
      },
    }),
    endpoint({
      method: "GET",
      url: "/requests/:id/events",
      summary: "What happened to a request, in order",
      tag,
      query: eventsQuerySchema,
      answers: { 200: z.array(requestEventSchema) },
      async handle({ params, query, caller }) {
        const id = requestIdIn(params);
        const events = id === null ? undefined : await caller.app.reader.events(id, query.after, caller.viewer);
        return events === undefined ? requestNotFound(pathText(params, "id")) : ok(events.map(eventOut));
      },
    }),
    explaining(),
    endpoint({
      method: "GET",
      url: "/requests/:id/decisions",
      summary: "The decisions on a request",
      tag,
      answers: { 200: z.array(decisionOutSchema) },
      async handle({ params, caller }) {
        const id = requestIdIn(params);
        const { reader } = caller.app;
        const request = id === null ? undefined : await reader.request(id, caller.viewer);
        if (request === undefined) return requestNotFound(pathText(params, "id"));
        return ok(decisionsOf(request, (await reader.events(request.id, 0, caller.viewer)) ?? []));
      },
    }),
    cancelling(),
    resolving(),
  ];
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/requests",
    summary: "Requests you may read, newest first",
    tag,
    query: requestsQuerySchema,
    answers: { 200: z.array(requestOutSchema) },
    async handle(exchange) {
      const page = await exchange.caller.app.reader.requests(filterOf(exchange.query), exchange.caller.viewer);
      const now = exchange.caller.app.clock();
      return listed(
        page.items.map((request) => requestOut(request, now)),
        page.next,
        exchange,
      );
    },
  });
}

function creating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/requests",
    summary: "Ask for approval",
    tag,
    body: createRequestSchema,
    answers: { 201: createRequestOutSchema },
    async handle(exchange) {
      const { body, caller } = exchange;
      const input = {
        policyKey: body.policy_key,
        artifactType: body.artifact_type,
        artifactId: body.artifact_id,
        context: body.context,
        requester: body.requester ?? null,
        expiresInHours: body.expires_in_hours ?? null,
        callback: callbackOf(body),
      };
      const render = (request: Request): Reply => created(createRequestOut(request, caller.app.clock()));
      const barred = await barredFrom(caller, input.policyKey);
      if (barred !== null) return barred;
      const call =
        caller.singleUse === null
          ? idempotentCall(
              exchange,
              { ...input, callback: plain(input.callback) },
              input.requester ?? caller.actor.assignee,
              render,
            )
          : { singleUse: caller.singleUse, render };
      if (call !== null && isProblem(call)) return call;
      const answer = await createRequest(caller.app, caller.actor, input, call);
      if (isReplay(answer)) {
        const id = requestIdOf(answer.body);
        if (id === null || !(await mayRead(id, caller))) return requestNotFound(id ?? "");
      }
      return settle(answer, render);
    },
  });
}

/** Of machines' requests so many; what people ask for is limited as all their writes are (identity section 10). */
async function barredFrom({ app, actor, limits }: Authorized, policyKey: string): Promise<Refusal | Problem | null> {
  const refusal = policyLimitRefusal(limits, policyKey);
  if (refusal !== null || !actor.machine) return refusal;
  const seconds = await tooManyRequests(app, actor, (most) => app.reader.openRequestsOf(actor, most));
  if (seconds === null) return null;
  const headers = { "Retry-After": String(seconds) };
  return problem("rate_limited", "This machine makes too many requests: wait and try again", { headers });
}

/** As part of what a call means (R-IDEMP-1). */
function plain(callback: RequestCallback | null): JsonObject | null {
  return callback === null ? null : { ...callback };
}

/** An empty address means none (R-HOOK-20). */
function callbackOf(body: z.output<typeof createRequestSchema>): RequestCallback | null {
  const url = body.callback_url ?? "";
  const secretId = body.callback_secret_id ?? "";
  if (url === "") return null;
  return { url, secretId: secretId === "" ? null : secretId, events: body.callback_events ?? [] };
}

/** R-IDEMP-4: a replay is given only to someone who may read the request. */
async function mayRead(id: RequestId, caller: Authorized): Promise<boolean> {
  return (await caller.app.reader.request(id, caller.viewer)) !== undefined;
}

function requestIdOf(body: JsonValue): RequestId | null {
  const id = isJsonObject(body) ? body["request_id"] : undefined;
  return typeof id === "string" && isId<"request">(id) ? id : null;
}

function explaining(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/requests/:id/explain",
    summary: "Why it stands where it stands, whom it waits for, and what you may do",
    tag,
    answers: { 200: explainSchema },
    async handle({ params, caller }) {
      const id = requestIdIn(params);
      const found = id === null ? undefined : await explainRequest(caller.app, id, caller.viewer, caller.actor);
      if (found === undefined) return requestNotFound(pathText(params, "id"));
      return ok(explainOut(found.request, found.explanation));
    },
  });
}

function cancelling(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/requests/:id/cancel",
    summary: "Withdraw a request",
    tag,
    body: cancelRequestSchema,
    answers: { 200: requestOutSchema },
    async handle(exchange) {
      const { params, body, caller } = exchange;
      const requestId = requestIdIn(params);
      if (requestId === null) return requestNotFound(pathText(params, "id"));
      const reason = body.reason ?? null;
      const render = (request: Request): Reply => ok(requestOut(request, caller.app.clock()));
      const call = idempotentCall(exchange, { reason }, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      const answer = await cancelRequest(caller.app, caller.actor, { requestId, reason }, call);
      if (isReplay(answer) && !(await mayRead(requestId, caller))) return requestNotFound(requestId);
      return settle(answer, render);
    },
  });
}

function resolving(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/requests/:id/resolve",
    summary: "Look up the approvers of a pending request now",
    tag,
    answers: { 202: requestOutSchema },
    async handle(exchange) {
      const { params, caller } = exchange;
      const requestId = requestIdIn(params);
      if (requestId === null) return requestNotFound(pathText(params, "id"));
      const render = (request: Request): Reply => ({ status: 202, body: requestOut(request, caller.app.clock()) });
      const call = idempotentCall(exchange, null, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      return settle(await resolveRequest(caller.app, caller.actor, requestId, call), render);
    },
  });
}

/** Each with the position of the entry that it is recorded in, which its event knows. */
function decisionsOf(request: Request, events: readonly StoredEvent[]): readonly JsonValue[] {
  const entries = new Map(events.map(({ payload, position }) => [payload["decision_id"], position]));
  return request.stages
    .flatMap((stage) => stage.decisions.map((decision) => ({ decision, stage })))
    .sort((left, right) => left.decision.createdAt - right.decision.createdAt || left.stage.order - right.stage.order)
    .map(({ decision, stage }) => decisionOut(request, stage, decision, entries.get(decision.id) ?? null));
}

function filterOf(query: z.output<typeof requestsQuerySchema>): RequestFilter {
  return definedMembers({
    artifactType: query.artifact_type,
    artifactId: query.artifact_id,
    status: query.status,
    policyKey: query.policy_key,
    requester: query.requester,
    q: query.q,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
    cursor: query.cursor,
    limit: query.limit,
  });
}
