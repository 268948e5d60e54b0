/** Deploy approval requests: made, listed, shown, waited for, and their history (docs/spec/deploy.md section 11.1). */
import { findApproval, wireVersion } from "../../app/deploy/act-on-approval.ts";
import { createDeployApproval } from "../../app/deploy/create-deploy-approval.ts";
import type { DeployCreated } from "../../app/deploy/creation-command.ts";
import { deployViewer } from "../../app/deploy/deploy-caller.ts";
import { vcsFactsRefresher } from "../../app/deploy/effects/read-vcs-facts.ts";
import { isReplay } from "../../app/idempotency.ts";
import type { RefusalRecorder } from "../../app/record-refused-access.ts";
import {
  deployApprovalQuerySchema,
  deployApprovalSchema,
  deployApprovalsQuerySchema,
  deployApprovalsSchema,
  deployEntriesQuerySchema,
  deployEntriesSchema,
} from "../../contract/deploy-approvals.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { isRefusal } from "../../core/refusal.ts";
import { invalidPayload } from "../../gates/deploy/request-refusals.ts";
import { ok } from "../answers.ts";
import { CommitWaiter } from "../commit-waiter.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { isProblem, problem } from "../problem.ts";
import type { CommitSignal, ServerOptions } from "../server-options.ts";
import { seatOf, StreamSeats } from "../stream-seats.ts";
import { deployApprovalOut } from "../wire/deploy-approval-out.ts";
import { deployEntryOut } from "../wire/deploy-entry-out.ts";
import { approvalReply, deployCaller, namedApproval, refusalReply, shownApproval } from "./approval-answers.ts";
import { approvalDecisions } from "./approval-decisions.ts";
import { listFilter, pageNumber, wholeNumber } from "./approval-query.ts";
import { deployReply } from "./deploy-reply.ts";
import { rackOf } from "./rack-scope.ts";

const tag = "deploy";
const ALL = "/deploy-approval-requests";

export interface ApprovalSurroundings {
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
  readonly refusals: RefusalRecorder;
}

export function deployApprovalRoutes(
  { events }: Pick<ServerOptions, "events">,
  { closing, refusals }: ApprovalSurroundings,
): readonly Endpoint[] {
  return [creating(), listing(), showing(events, closing), history(), ...approvalDecisions(refusals)];
}

const BODY_BYTES_MAX = 64 * 1_024;

function creating(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: ALL, summary: "Ask for approval to deploy one commit", tag },
    answers: { 201: deployApprovalSchema },
    async handle(exchange) {
      const { caller, body, params, requestId } = exchange;
      if (!isJsonObject(body)) return deployReply(invalidPayload(), requestId);
      if (Buffer.byteLength(JSON.stringify(body)) > BODY_BYTES_MAX) {
        return problem("too_large", "The body is larger than 64 KiB");
      }
      const rack = rackOf({ caller, params });
      if (isRefusal(rack)) return rack;
      // What is stored for a repeated call is the id: it is answered with the request as it is by then.
      const render = ({ id }: DeployCreated): { status: number; body: JsonValue } => ({ status: 201, body: { id } });
      const call =
        caller.singleUse === null
          ? idempotentCall(exchange, body, caller.actor.assignee, render)
          : { singleUse: caller.singleUse, render };
      if (call !== null && isProblem(call)) return call;
      const made = await createDeployApproval(caller.app, deployCaller(exchange), { rack, body }, call);
      if ("waitSeconds" in made) {
        const headers = { "Retry-After": String(made.waitSeconds) };
        return problem("rate_limited", "too many deploy approval requests", { headers });
      }
      if (isRefusal(made)) return refusalReply(exchange, made);
      const id = isReplay(made) ? madeId(made.body) : made.id;
      return shownApproval(exchange, { id, scope: null }, 201);
    },
  });
}

function madeId(stored: JsonValue): string {
  const id = isJsonObject(stored) ? stored["id"] : "";
  return typeof id === "string" ? id : "";
}

function listing(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: ALL, summary: "Deploy approval requests that you may read, newest first", tag },
    query: deployApprovalsQuerySchema,
    answers: { 200: deployApprovalsSchema },
    async handle(exchange) {
      const { caller, query, params } = exchange;
      const scope = scopeOf({ caller, params });
      if (typeof scope === "object" && scope !== null) return scope;
      const filter = listFilter(query, { now: caller.app.clock(), scope });
      if (isProblem(filter)) return filter;
      const { items, next } = await caller.app.reader.deployApprovals(filter, deployViewer(caller));
      return ok({
        deploy_approval_requests: items.map((view) => deployApprovalOut(caller.app, view, caller)),
        ...(next === null ? {} : { next_cursor: next }),
      });
    },
  });
}

/** Of the rack that the address names, else of the default one; null where there is none. */
function scopeOf({ caller, params }: Pick<RawExchange, "caller" | "params">): string | null | Outcome {
  const rack = rackOf({ caller, params });
  if (!isRefusal(rack)) return rack.info.name;
  return params["rack"] === undefined ? null : rack;
}

/** Every wait looks at its request again after each commit, so one caller may not hold any number of them. */
const WAITS_PER_CALLER = 100;
const WAIT_SECONDS_MAX = 55;

function showing(events: CommitSignal, closing: AbortSignal): Endpoint {
  const seats = new StreamSeats(WAITS_PER_CALLER);
  const look = vcsFactsRefresher();
  return endpoint({
    ...{ method: "GET", url: `${ALL}/:id`, summary: "A deploy approval request; with wait, once it has changed", tag },
    query: deployApprovalQuerySchema,
    answers: { 200: deployApprovalSchema },
    async handle(exchange) {
      const { caller, query } = exchange;
      const named = namedApproval(exchange);
      if (isRefusal(named)) return named;
      const seconds = wholeNumber(query.wait, { least: 1, most: WAIT_SECONDS_MAX });
      const version = wholeNumber(query.version, { least: 0, most: Number.MAX_SAFE_INTEGER });
      if (seconds === "wrong") return problem("invalid_input", "wait must be a number of seconds from 1 to 55");
      if (version === "wrong") return problem("invalid_input", "version must be a number");
      const view = await findApproval(caller.app, caller, named);
      if (isRefusal(view)) return refusalReply(exchange, view);
      const known = version ?? wireVersion(view);
      if (seconds === null || wireVersion(view) !== known) return approvalReply(exchange, view, { look });
      const free = seats.take(seatOf(caller));
      if (free === null) {
        const headers = { "Retry-After": "15" };
        return problem("rate_limited", `At most ${String(WAITS_PER_CALLER)} waits at once per caller`, { headers });
      }
      const waiter = new CommitWaiter(events, AbortSignal.timeout(seconds * 1_000), closing, exchange.gone());
      try {
        await untilChanged(exchange, { id: named.id, version: known }, waiter);
      } finally {
        free();
        waiter.close();
      }
      return shownApproval(exchange, named);
    },
  });
}

async function untilChanged(
  { caller }: Pick<RawExchange, "caller">,
  { id, version }: { readonly id: string; readonly version: number },
  waiter: CommitWaiter,
): Promise<void> {
  while (!waiter.over && (await caller.app.reader.deployVersion(id, deployViewer(caller))) === version) {
    await waiter.next();
  }
}

const ENTRIES = 100;
const ENTRIES_MAX = 500;

function history(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: `${ALL}/:id/audit-logs`, summary: "Every entry about a deploy approval request", tag },
    query: deployEntriesQuerySchema,
    answers: { 200: deployEntriesSchema },
    async handle(exchange) {
      const { caller, query } = exchange;
      const named = namedApproval(exchange);
      if (isRefusal(named)) return named;
      const view = await findApproval(caller.app, caller, named);
      if (isRefusal(view)) return refusalReply(exchange, view);
      const limit = Math.min(pageNumber(query.limit, ENTRIES), ENTRIES_MAX);
      const page = pageNumber(query.page, 1);
      const part = { limit, offset: (page - 1) * limit };
      const { entries, total } = await caller.app.reader.deployEntries(view.request.id, part);
      return ok({ logs: entries.map((entry) => deployEntryOut(view.record.id, entry)), total, page, limit });
    },
  });
}
