/** What an approval permits: look, use, revoke (docs/spec/api.md section 6.3). */
import { revokeGrant, useGrant } from "../../app/grant-act.ts";
import { isReplay } from "../../app/idempotency.ts";
import { showVerdict } from "../../app/show-verdict.ts";
import { revokeGrantSchema, useGrantSchema, verdictSchema } from "../../contract/grants.ts";
import type { RequestId } from "../../core/ids.ts";
import { isRefusal } from "../../core/refusal.ts";
import type { Request } from "../../core/request.ts";
import { verdictOn, type Verdict } from "../../core/verdict.ts";
import { ok, requestNotFound, settle } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { pathText, requestIdIn } from "../path-values.ts";
import { isProblem } from "../problem.ts";
import { verdictOut } from "../wire/verdict-out.ts";

const tag = "requests";

export function grantRoutes(): readonly Endpoint[] {
  return [looking(), using(), revoking()];
}

function looking(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/requests/:id/verdict",
    summary: "What the request permits now; uses nothing",
    tag,
    answers: { 200: verdictSchema },
    async handle({ params, caller }) {
      const id = requestIdIn(params);
      const found = id === null ? undefined : await showVerdict(caller.app, id, caller.viewer, caller.actor);
      if (found === undefined) return requestNotFound(pathText(params, "id"));
      return isRefusal(found) ? found : ok(verdictOut(found.verdict, found.grant, caller.app.clock()));
    },
  });
}

/** The use that was counted was permitted, also where it was the last. */
const PERMITTED: Verdict = { verdict: "permit", reason: "approved" };

function using(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/requests/:id/grant/use",
    summary: "Count one use of the approval, if it permits this now",
    tag,
    body: useGrantSchema,
    answers: { 200: verdictSchema },
    async handle(exchange) {
      const { params, body, caller } = exchange;
      const requestId = requestIdIn(params);
      if (requestId === null) return requestNotFound(pathText(params, "id"));
      const { digest } = body;
      const render = ({ grant }: Request): Reply => ok(verdictOut(PERMITTED, grant, caller.app.clock()));
      const call =
        caller.singleUse === null
          ? idempotentCall(exchange, { digest }, caller.actor.assignee, render)
          : { singleUse: caller.singleUse, render };
      if (call !== null && isProblem(call)) return call;
      const about = { requestId, by: "caller", digest, action: null } as const;
      const answer = await useGrant(caller.app, caller.actor, about, call);
      if (isReplay(answer) && !(await mayRead(caller, requestId))) return requestNotFound(requestId);
      return settle(answer, render);
    },
  });
}

function revoking(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/requests/:id/grant/revoke",
    summary: "Take the approval back",
    tag,
    body: revokeGrantSchema,
    answers: { 200: verdictSchema },
    async handle(exchange) {
      const { params, body, caller } = exchange;
      const requestId = requestIdIn(params);
      if (requestId === null) return requestNotFound(pathText(params, "id"));
      const { comment } = body;
      const render = (request: Request): Reply => {
        const now = caller.app.clock();
        return ok(verdictOut(verdictOn(request, now), request.grant, now));
      };
      const call = idempotentCall(exchange, { comment }, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      const about = { requestId, by: "caller", reason: "withdrawn", comment } as const;
      const answer = await revokeGrant(caller.app, caller.actor, about, call);
      if (isReplay(answer) && !(await mayRead(caller, requestId))) return requestNotFound(requestId);
      return settle(answer, render);
    },
  });
}

/** R-IDEMP-4: what was answered before is told only to someone who may read the request. */
async function mayRead(caller: Authorized, requestId: RequestId): Promise<boolean> {
  return (await caller.app.reader.request(requestId, caller.viewer)) !== undefined;
}
