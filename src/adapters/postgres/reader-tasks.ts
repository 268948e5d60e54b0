/** The reading of tasks: one, pages of them, and the viewer's own inbox, at most two statements each. */
import type { TaskId } from "../../core/ids.ts";
import type { Inbox, InboxFilter, Reader, TaskFilter, TaskView, Viewer } from "../../ports/reader.ts";
import type { Page } from "../../ports/page.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor } from "./reader-cursor.ts";
import { requestConditions } from "./reader-requests.ts";
import { allOf, ask, parameters, type Parameters } from "./reader-statement.ts";
import { isVisible, visibilityConditions } from "./reader-visibility.ts";
import type { Asked } from "./reading-wall.ts";
import { taskViewSql, taskViews, type TaskViewRow } from "./reader-task-view.ts";
import { timestamp } from "./rows.ts";

type TaskReader = Pick<Reader, "task" | "tasks" | "taskCounts" | "inbox">;

/** Who asks, and in which organization. */
interface By {
  readonly viewer: Viewer;
  readonly orgId: string;
}

interface Owner {
  readonly personId: string;
  readonly orgId: string;
}

export function createTaskReader(own: Asked, orgId: string): TaskReader {
  return {
    task: (id, viewer) => readTask(own, id, { viewer, orgId }),
    tasks: (filter, viewer) => readTasks(own, filter, { viewer, orgId }),
    async taskCounts(status, viewer) {
      if (viewer.personId === null) return new Map();
      const bound = parameters();
      const text = `select r.artifact_type, count(*) as count from tasks task join requests r on r.id = task.request_id
where ${allOf([
        `task.person_id = ${bound.$(viewer.personId)}::uuid`,
        `task.org_id = ${bound.$(orgId)}::uuid`,
        status !== undefined && `task.status = ${bound.$(status)}`,
      ])}
group by r.artifact_type`;
      const rows = await ask<{ artifact_type: string; count: number }>(own, "reader_task_counts", text, bound.values);
      return new Map(rows.map((row) => [row.artifact_type, row.count]));
    },
    inbox: (filter, viewer) => readInbox(own, filter, { viewer, orgId }),
  };
}

async function readTask(own: Asked, id: TaskId, { viewer, orgId }: By): Promise<TaskView | undefined> {
  const bound = parameters();
  const where = allOf([`task.id = ${bound.$(id)}::uuid`, isVisible(viewer, orgId, bound)]);
  const text = taskViewSql(`select task.id from tasks task join requests r on r.id = task.request_id where ${where}`);
  const rows = await ask<TaskViewRow>(own, "reader_task", text, bound.values);
  return taskViews(rows)[0];
}

async function readTasks(
  own: Asked,
  filter: TaskFilter,
  by: By,
): Promise<{ readonly items: readonly TaskView[]; readonly total: number }> {
  const counted = parameters();
  const countText = `select count(*) as total from ${taskSource(filter, by, counted)}`;
  const paged = parameters();
  const source = taskSource(filter, by, paged);
  const limit = paged.$(filter.pageSize);
  const offset = paged.$((filter.page - 1) * filter.pageSize);
  const order = orderOf(filter.sort);
  const pageText = taskViewSql(
    `select task.id from ${source} order by ${order} limit ${limit}::integer offset ${offset}::bigint`,
    order,
  );
  const [rows, [count]] = await Promise.all([
    ask<TaskViewRow>(own, "reader_tasks", pageText, paged.values),
    ask<{ total: number }>(own, "reader_tasks_total", countText, counted.values),
  ]);
  return { items: taskViews(rows), total: count?.total ?? 0 };
}

/** `tasks task join requests r where …`: what the filter asks for, within what the viewer may read. */
function taskSource(filter: TaskFilter, by: By, bound: Parameters): string {
  const { $ } = bound;
  const ofRequest = requestConditions({ ...filter, q: filter.searchText }, bound);
  const conditions = allOf([
    assigneeCondition(filter, by, bound),
    ...ofRequest,
    filter.requestId !== undefined && `task.request_id = ${$(filter.requestId)}::uuid`,
    filter.status !== undefined && `task.status = ${$(filter.status)}`,
    filter.kind !== undefined && `task.kind = ${$(filter.kind)}`,
    filter.overdue !== undefined && overdueCondition(filter.overdue, $(timestamp(filter.now))),
    `task.org_id = ${$(by.orgId)}::uuid`,
    taskVisibility(filter, by, bound),
  ]);
  return `${tasksWith(ofRequest)} where ${conditions}`;
}

/** The tasks, with their requests only where a condition speaks of those: a join for nothing is most of a page's cost. */
function tasksWith(ofRequest: readonly (string | false)[]): string {
  return ofRequest.some((condition) => condition !== false)
    ? "tasks task join requests r on r.id = task.request_id"
    : "tasks task";
}

/** `*` without a status: every completed task, and the viewer's own that wait (api section 6.4). */
function assigneeCondition({ assignee, status }: TaskFilter, by: By, { $ }: Parameters): string | false {
  if (assignee.kind === "person") {
    const { viewer } = by;
    if (viewer.personId !== null && assignee.name === viewer.assignee)
      return `task.person_id = ${$(viewer.personId)}::uuid`;
    const known = `select alias.person_id from aliases alias where alias.org_id = ${$(by.orgId)}::uuid and alias.name = ${$(assignee.name)}`;
    return `task.person_id = (${known})`;
  }
  if (status !== undefined) return false;
  const own = by.viewer.personId;
  return own === null
    ? "task.status = 'completed'"
    : `task.status = 'completed' or (task.person_id = ${$(own)}::uuid and task.status in ('open', 'claimed'))`;
}

/** Whoever holds a task may read its request, so their own tasks need no further question. */
function taskVisibility({ assignee }: TaskFilter, { viewer, orgId }: By, bound: Parameters): string | false {
  const isOwn = assignee.kind === "person" && viewer.personId !== null && assignee.name === viewer.assignee;
  if (viewer.readsAll || isOwn) return false;
  const selects = visibilityConditions(viewer, orgId, bound).map(
    (visible) => `select r.id from requests r where ${visible}`,
  );
  return `task.request_id in (${selects.join(" union all ")})`;
}

function overdueCondition(overdue: boolean, now: string): string {
  const isOverdue = `task.status in ('open', 'claimed') and task.due_at <= ${now}::timestamptz`;
  return overdue ? isOverdue : `(${isOverdue}) is not true`;
}

const NEWEST_FIRST = "task.created_at desc, task.id desc";

function orderOf(sort: "-created_at" | "due_at"): string {
  return sort === "due_at" ? "task.due_at asc nulls last, task.id desc" : NEWEST_FIRST;
}

const INBOX_STATUSES = { open: "('open', 'claimed')", done: "('completed')" } as const;

interface InboxCounts {
  readonly open: number;
  readonly done: number;
  readonly total: number;
}

async function readInbox(own: Asked, filter: InboxFilter, { viewer, orgId }: By): Promise<Inbox> {
  if (viewer.personId === null) return { items: [], next: null, total: 0, counts: { open: 0, done: 0 } };
  const [page, counts] = await Promise.all([
    readInboxPage(own, filter, { personId: viewer.personId, orgId }),
    readInboxCounts(own, filter, { personId: viewer.personId, orgId }),
  ]);
  return { ...page, total: counts.total, counts: { open: counts.open, done: counts.done } };
}

async function readInboxPage(own: Asked, filter: InboxFilter, owner: Owner): Promise<Page<TaskView>> {
  const bound = parameters();
  const { $ } = bound;
  const isByDueTime = filter.sort === "due_at";
  const ofRequest = requestConditions(filter, bound);
  const conditions = allOf([
    `task.person_id = ${$(owner.personId)}::uuid`,
    `task.org_id = ${$(owner.orgId)}::uuid`,
    `task.status in ${INBOX_STATUSES[filter.state]}`,
    ...ofRequest,
    filter.cursor !== undefined && (isByDueTime ? afterDueCursor : afterNewestCursor)(filter.cursor, bound),
  ]);
  const order = orderOf(filter.sort);
  const limit = $(filter.limit + 1);
  const text = taskViewSql(
    `select task.id from ${tasksWith(ofRequest)} where ${conditions} order by ${order} limit ${limit}::integer`,
    order,
  );
  const rows = await ask<TaskViewRow>(own, "reader_inbox", text, bound.values);
  const views = taskViews(rows);
  const last = rows.length > filter.limit ? rows[filter.limit - 1] : undefined;
  return {
    items: views.slice(0, filter.limit),
    next:
      last === undefined
        ? null
        : isByDueTime
          ? encodeCursor("inbox_due", [last.due_at ?? "", last.id])
          : encodeCursor("inbox_newest", [last.created_at, last.id]),
  };
}

function afterNewestCursor(cursor: string, { $ }: Parameters): string {
  const [createdAt, id] = decodeCursor("inbox_newest", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(task.created_at, task.id) < (${$(createdAt)}::timestamptz, ${$(id)}::uuid)`;
}

const DUE_TIME = new RegExp(`${CURSOR_TIME.source}|^$`);

/** Ascending by due time, those without one last, and by descending id among equals. */
function afterDueCursor(cursor: string, { $ }: Parameters): string {
  const [dueAt, lastId] = decodeCursor("inbox_due", cursor, [DUE_TIME, CURSOR_ID]);
  const id = `${$(lastId)}::uuid`;
  if (dueAt === "") return `task.due_at is null and task.id < ${id}`;
  const due = `${$(dueAt)}::timestamptz`;
  return `task.due_at > ${due} or (task.due_at = ${due} and task.id < ${id}) or task.due_at is null`;
}

async function readInboxCounts(own: Asked, filter: InboxFilter, owner: Owner): Promise<InboxCounts> {
  const bound = parameters();
  const person = bound.$(owner.personId);
  const organization = bound.$(owner.orgId);
  const state = INBOX_STATUSES[filter.state];
  const ofRequest = requestConditions(filter, bound);
  const text = `select count(*) filter (where task.status in ${INBOX_STATUSES.open}) as open,
  count(*) filter (where task.status in ${INBOX_STATUSES.done}) as done,
  count(*) filter (where ${allOf([`task.status in ${state}`, ...ofRequest])}) as total
from ${tasksWith(ofRequest)} where task.person_id = ${person}::uuid and task.org_id = ${organization}::uuid`;
  const [counts] = await ask<InboxCounts>(own, "reader_inbox_counts", text, bound.values);
  return counts ?? { open: 0, done: 0, total: 0 };
}
