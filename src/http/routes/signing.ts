/** Views, statements and several decisions at once (docs/spec/identity.md section 5). */
import type { z } from "zod";
import { decideMany, type IntendedItem, type ItemAnswer } from "../../app/decide-many.ts";
import type { DecisionMade } from "../../app/decide-task.ts";
import { isReplay, type Once } from "../../app/idempotency.ts";
import { mintStatement, mintStatements, type Intention } from "../../app/mint-statement.ts";
import { showTask, type Onlooker } from "../../app/show-task.ts";
import { isId, type TaskId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { decisionResultsSchema, decisionsSchema, type ItemError } from "../../contract/decisions.ts";
import {
  mintStatementSchema,
  mintStatementsSchema,
  statementOutSchema,
  statementsOutSchema,
  viewOutSchema,
} from "../../contract/signing.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { created, ok, taskNotFound } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { decidingCaller } from "../deciding-caller.ts";
import { endpoint, type Endpoint, type Exchange, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { pathText, taskIdIn } from "../path-values.ts";
import { isProblem, problem, problemOfRefusal, statusOf, type Problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { decisionOut } from "../wire/decision-out.ts";
import { viewOut } from "../wire/view-out.ts";

const tag = "tasks";

/** docs/spec/identity.md section 10: statements minted per person. */
const MINTING = [{ limit: 30, windowSeconds: 60 }] as const;

export function signingRoutes(options: ServerOptions): readonly Endpoint[] {
  return [showing(options), minting(), mintingBatch()];
}

function showing({ evidence }: ServerOptions): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tasks/:id/view",
    summary: "Open a task in order to decide: what is shown, fixed by digests",
    tag,
    answers: { 201: viewOutSchema },
    async handle({ params, caller }) {
      const taskId = taskIdIn(params);
      if (taskId === null) return taskNotFound(pathText(params, "id"));
      const onlooker = onlookerOf(caller);
      if (isRefusal(onlooker)) return onlooker;
      const shown = await showTask(caller.app, evidence.checkpoints, onlooker, taskId);
      return isRefusal(shown) ? shown : created(viewOut(shown));
    },
  });
}

function minting(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tasks/:id/statement",
    summary: "The statement that a passkey is to sign",
    tag,
    body: mintStatementSchema,
    answers: { 201: statementOutSchema },
    async handle({ params, body, caller }) {
      const taskId = taskIdIn(params);
      if (taskId === null) return taskNotFound(pathText(params, "id"));
      const onlooker = onlookerOf(caller);
      if (isRefusal(onlooker)) return onlooker;
      const wait = await countMinting(caller);
      if (wait !== null) return wait;
      const minted = await mintStatement(caller.app, onlooker, intentionOf(taskId, body));
      if (isRefusal(minted)) return minted;
      const { id, text, options, notAfter } = minted;
      return created({ id, statement: text, options, not_after: wireTime(notAfter) });
    },
  });
}

function mintingBatch(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tasks/statements",
    summary: "Statements that one touch of a passkey signs together",
    tag,
    body: mintStatementsSchema,
    answers: { 201: statementsOutSchema },
    async handle({ body, caller }) {
      const onlooker = onlookerOf(caller);
      if (isRefusal(onlooker)) return onlooker;
      const wait = await countMinting(caller);
      if (wait !== null) return wait;
      const intentions = body.items.map((item) => intentionOf(taskIdOf(item.task_id), item));
      const minted = await mintStatements(caller.app, onlooker, intentions);
      if (isRefusal(minted)) return minted;
      const { root, options, notAfter } = minted;
      const items = minted.items.map((item, index): JsonObject => {
        const place = { task_id: intentions[index]?.taskId ?? "" };
        return isRefusal(item) ? { ...place, error: errorOf(item) } : { ...place, id: item.id, statement: item.text };
      });
      return created({ batch: root, items, options, not_after: wireTime(notAfter) });
    },
  });
}

/** Also part of the compatible family: engine R-DECIDE-9. */
export function bulkRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/tasks/decisions",
      summary: "Decide several tasks in one call; each answers for itself",
      tag,
      body: decisionsSchema,
      answers: { 200: decisionResultsSchema },
      async handle(exchange) {
        const { body, caller } = exchange;
        const items = body.items.map(itemOf);
        const calls = items.map((item, index) => callOf(exchange, item, index));
        const [unreadable] = calls.flatMap((call) => (call !== null && isProblem(call) ? [call] : []));
        if (unreadable !== undefined) return unreadable;
        const given = { items, response: body.signature?.response ?? null };
        const answers = await decideMany(caller.app, decidingCaller(exchange), given, (index) => {
          const call = calls[index] ?? null;
          return call === null || isProblem(call) ? null : call;
        });
        if (isRefusal(answers)) return answers;
        const results: JsonObject[] = [];
        for (const [index, answer] of answers.entries()) {
          results.push(await resultOf(caller, items[index]?.taskId ?? null, answer));
        }
        return ok({ results });
      },
    }),
  ];
}

type BulkExchange = Exchange<unknown, z.output<typeof decisionsSchema>>;

/** The one key of the call stands for each item by its place. */
function callOf(exchange: BulkExchange, item: IntendedItem, index: number): Once<DecisionMade> | Problem | null {
  const { taskId, action, comment, reasonCode, digest, view = null } = item;
  const said = { index, taskId, action, comment, reasonCode, digest, view };
  const route = `${exchange.route} ${String(index)}`;
  return idempotentCall({ ...exchange, route }, said, exchange.caller.actor.assignee, renderDecision);
}

function renderDecision({ request, stage, decision }: DecisionMade): Reply {
  return created(decisionOut(request, stage, decision));
}

function itemOf(item: z.output<typeof decisionsSchema>["items"][number]): IntendedItem {
  return {
    ...{ taskId: taskIdOf(item.task_id), action: item.action, comment: item.comment ?? null, attachmentsRef: null },
    ...{ reasonCode: item.reason_code ?? null, digest: item.digest ?? null, view: item.view ?? null },
    statement: item.statement ?? null,
  };
}

async function resultOf(caller: Authorized, taskId: TaskId | null, answer: ItemAnswer): Promise<JsonObject> {
  const place = { task_id: taskId };
  if (isRefusal(answer)) {
    return { ...place, status: statusOf(problemOfRefusal(answer)), error: errorOf(answer) };
  }
  if (!isReplay(answer)) return { ...place, status: 201, decision: renderDecision(answer).body };
  const isReadable = taskId !== null && (await caller.app.reader.task(taskId, caller.viewer)) !== undefined;
  return isReadable
    ? { ...place, status: answer.status, decision: answer.body }
    : { ...place, status: 404, error: errorOf(taskNotFound(taskId ?? "")) };
}

function errorOf({ refusal, message, members }: Refusal): ItemError {
  return { code: refusal, message, ...members };
}

/** The schema has read a UUID, in either letter case. */
function taskIdOf(text: string): TaskId {
  const id = text.toLowerCase();
  if (!isId<"task">(id)) throw new Error("a task id was read that is none (this is a bug)");
  return id;
}

function intentionOf(taskId: TaskId, said: z.output<typeof mintStatementSchema>): Intention {
  const { view, action, comment = null, reason_code: reasonCode = null } = said;
  return { taskId, view, action, comment, reasonCode };
}

/** Views and statements are a browser's session's own. */
function onlookerOf({ actor, viewer, session }: Authorized): Onlooker | Refusal {
  if (session === null) return refuse("authentication_required", "Sign in at this server to see what you sign");
  return { actor, viewer, session };
}

async function countMinting({ app, actor }: Authorized): Promise<Problem | null> {
  const wait = await app.rates.count("statements", `${app.orgId} ${actor.person?.id ?? ""}`, MINTING, app.clock());
  if (wait === null) return null;
  const headers = { "Retry-After": String(wait) };
  return problem("rate_limited", "Too many statements: wait and try again", { headers });
}
