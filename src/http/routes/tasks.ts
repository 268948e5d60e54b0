/** Tasks: list, read, claim, decide, reassign (docs/spec/api.md section 6.4). */
import type { z } from "zod";
import { claimTask, releaseTask, type TaskChanged } from "../../app/claim-task.ts";
import { decideOne } from "../../app/decide-many.ts";
import type { DecideTaskInput, DecisionMade } from "../../app/decide-task.ts";
import { reassignTask, type TaskReassigned } from "../../app/reassign-task.ts";
import { isReplay } from "../../app/idempotency.ts";
import { isId, type TaskId } from "../../core/ids.ts";
import { decisionOutSchema, decisionSchema } from "../../contract/decisions.ts";
import {
  reassignedTaskSchema,
  reassignTaskSchema,
  taskOutSchema,
  taskPageSchema,
  tasksQuerySchema,
  taskStatsQuerySchema,
  taskStatsSchema,
} from "../../contract/tasks.ts";
import type { TaskFilter } from "../../ports/reader.ts";
import { created, ok, settle, taskNotFound } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { decidingCaller } from "../deciding-caller.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { pathText, taskIdIn } from "../path-values.ts";
import { isProblem } from "../problem.ts";
import { decisionOut } from "../wire/decision-out.ts";
import { taskOutOfStage, taskOutOfView } from "../wire/task-out.ts";

const tag = "tasks";

export function taskRoutes(): readonly Endpoint[] {
  return [
    listing(),
    stats(),
    endpoint({
      method: "GET",
      url: "/tasks/:id",
      summary: "One task",
      tag,
      answers: { 200: taskOutSchema },
      async handle({ params, caller }) {
        const id = taskIdIn(params);
        const view = id === null ? undefined : await caller.app.reader.task(id, caller.viewer);
        return view === undefined ? taskNotFound(pathText(params, "id")) : ok(taskOutOfView(view, caller.app.clock()));
      },
    }),
    marking("claim"),
    marking("release"),
    deciding(),
    reassigning(),
  ];
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/tasks",
    summary: "Tasks, newest first; by default your own",
    tag,
    query: tasksQuerySchema,
    answers: { 200: taskPageSchema },
    async handle({ query, caller }) {
      const { app } = caller;
      const now = app.clock();
      const filter = filterOf(query, caller.actor.assignee, now);
      const { items, total } = filter === null ? NOTHING : await app.reader.tasks(filter, caller.viewer);
      return ok({
        items: items.map((view) => taskOutOfView(view, now)),
        total,
        page: query.page,
        page_size: query.page_size,
        pages: Math.max(1, Math.ceil(total / query.page_size)),
      });
    },
  });
}

const NOTHING = { items: [], total: 0 };

/** Null when the query asks for a request that cannot exist. */
function filterOf(query: z.output<typeof tasksQuerySchema>, me: string, now: number): TaskFilter | null {
  const requestId = query.request_id?.toLowerCase();
  if (requestId !== undefined && !isId<"request">(requestId)) return null;
  return definedMembers({
    assignee: assigneeOf(query.assignee, me),
    requestId,
    status: query.status,
    artifactType: query.artifact_type,
    policyKey: query.policy_key,
    searchText: query.search_text,
    kind: query.kind,
    overdue: query.overdue,
    sort: query.sort,
    page: query.page,
    pageSize: query.page_size,
    now,
  });
}

function assigneeOf(asked: string, me: string): TaskFilter["assignee"] {
  if (asked === "*") return { kind: "everybody" };
  return { kind: "person", name: asked === "me" || asked === "" ? me : asked };
}

function stats(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/tasks/stats",
    summary: "How many tasks you have, by artifact type",
    tag,
    query: taskStatsQuerySchema,
    answers: { 200: taskStatsSchema },
    async handle({ query, caller }) {
      const counts = await caller.app.reader.taskCounts(query.status, caller.viewer);
      return ok({
        total: [...counts.values()].reduce((sum, count) => sum + count, 0),
        change_request_count: counts.get("registry.change_request") ?? 0,
        intake_form_count: counts.get("registry.intake_form") ?? 0,
        by_artifact_type: Object.fromEntries(counts),
      });
    },
  });
}

/** R-IDEMP-4: a replay is given only to someone who may read the request. */
async function mayRead(id: TaskId, caller: Authorized): Promise<boolean> {
  return (await caller.app.reader.task(id, caller.viewer)) !== undefined;
}

const marks = {
  claim: { act: claimTask, summary: "Say that you are looking at it" },
  release: { act: releaseTask, summary: "Say that you are no longer looking at it" },
} as const;

function marking(verb: keyof typeof marks): Endpoint {
  const { act, summary } = marks[verb];
  return endpoint({
    method: "POST",
    url: `/tasks/:id/${verb}`,
    summary,
    tag,
    answers: { 200: taskOutSchema },
    async handle(exchange) {
      const { params, caller } = exchange;
      const taskId = taskIdIn(params);
      if (taskId === null) return taskNotFound(pathText(params, "id"));
      const render = ({ request, stage, task }: TaskChanged): Reply =>
        ok(taskOutOfStage(request, stage, task, caller.app.clock()));
      const call = idempotentCall(exchange, null, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      const answer = await act(caller.app, caller.actor, taskId, call);
      if (isReplay(answer) && !(await mayRead(taskId, caller))) return taskNotFound(taskId);
      return settle(answer, render);
    },
  });
}

function deciding(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tasks/:id/decision",
    summary: "Approve, reject or abstain",
    tag,
    body: decisionSchema,
    answers: { 201: decisionOutSchema },
    async handle(exchange) {
      const { params, body, caller } = exchange;
      const taskId = taskIdIn(params);
      if (taskId === null) return taskNotFound(pathText(params, "id"));
      const said = saidIn(body);
      const render = ({ request, stage, decision }: DecisionMade): Reply =>
        created(decisionOut(request, stage, decision));
      const call = idempotentCall(exchange, { ...said }, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      const { statement = null, response = null } = body.signature ?? {};
      const given = { item: { taskId, ...said, statement }, response };
      const answer = await decideOne(caller.app, decidingCaller(exchange), given, call);
      if (isReplay(answer) && !(await mayRead(taskId, caller))) return taskNotFound(taskId);
      return settle(answer, render);
    },
  });
}

type Said = Omit<DecideTaskInput, "taskId" | "view" | "grantWindow"> & { readonly view: string | null };

function saidIn(body: z.output<typeof decisionSchema>): Said {
  const { action, comment = null, attachments_ref: attachmentsRef = null, reason_code: reasonCode = null } = body;
  const { digest = null, view = null } = body;
  return { action, comment, attachmentsRef, reasonCode, digest, view };
}

function reassigning(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tasks/:id/reassign",
    summary: "Give a task to somebody else",
    tag,
    body: reassignTaskSchema,
    answers: { 200: reassignedTaskSchema },
    async handle(exchange) {
      const { params, body, caller } = exchange;
      const taskId = taskIdIn(params);
      if (taskId === null) return taskNotFound(pathText(params, "id"));
      const said = { newAssignee: body.new_assignee, reason: body.reason ?? null };
      const render = ({ request, stage, task, warnings }: TaskReassigned): Reply =>
        ok({ ...taskOutOfStage(request, stage, task, caller.app.clock()), warnings: [...warnings] });
      const call = idempotentCall(exchange, { ...said }, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      const answer = await reassignTask(caller.app, caller.actor, { taskId, ...said }, call);
      if (isReplay(answer) && !(await mayRead(taskId, caller))) return taskNotFound(taskId);
      return settle(answer, render);
    },
  });
}
