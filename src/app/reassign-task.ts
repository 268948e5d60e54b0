/** A task goes to somebody else, with its seat. */
import type { Facts } from "../core/facts.ts";
import type { TaskId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import { findTask } from "../core/request.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { taskChanged, type TaskChanged } from "./claim-task.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export interface ReassignTaskInput {
  readonly taskId: TaskId;
  readonly newAssignee: string;
  readonly reason: string | null;
}

export interface TaskReassigned extends TaskChanged {
  /** What the administrator should know about the new assignee, such as an absence. */
  readonly warnings: readonly string[];
}

export function reassignTask(
  app: Application,
  actor: Actor,
  input: ReassignTaskInput,
  call: Once<TaskReassigned> | null,
): Promise<TaskReassigned | Refusal | Replay> {
  const command = requestCommand<TaskReassigned>(app, {
    name: "reassign_task",
    target: { taskId: input.taskId },
    actor,
    names: [input.newAssignee],
    command: (world) => ({ type: "reassign", newTaskId: world.newId(), actor, ...input }),
    answer: ({ request, events }, { facts, now }) => {
      const moved = events.findLast((event) => event.type === "task_reassigned");
      const id = moved?.type === "task_reassigned" ? moved.newTask.id : input.taskId;
      return { ...taskChanged(request, id), warnings: absenceOf(input.newAssignee, facts, now) };
    },
    audit: ({ request, events }, before, { world, entryOf }) => {
      const moved = events.findLast((event) => event.type === "task_reassigned");
      if (moved?.type !== "task_reassigned") return [];
      const old = findTask(before, input.taskId)?.task;
      const content = {
        action: "task.reassign",
        resourceType: "task",
        resourceId: input.taskId,
        summary: `Task of ${moved.task.assignee} reassigned to ${moved.newTask.assignee}`,
        before: { assignee: moved.task.assignee, status: old?.status ?? "open" },
        after: { assignee: moved.newTask.assignee, status: "open", new_task_id: moved.newTask.id },
        metadata: { request_id: request.id, reason: input.reason },
      };
      return [auditRecord(actor, { entry: entryOf("task_reassigned"), world }, content)];
    },
  });
  return app.store.submit(once(command, call, ({ request }) => request.id));
}

/** An explicit act wins over a delegation, but whoever acts is told of the absence (R-REASSIGN-2). */
function absenceOf(name: string, facts: Facts, now: Instant): readonly string[] {
  const person = facts.people.get(name);
  const absences = person === undefined ? [] : (facts.delegations.get(person.id) ?? []);
  return absences
    .filter((absence) => absence.startsAt <= now && now < absence.endsAt)
    .map(
      (absence) => `${name} is away until ${new Date(absence.endsAt).toISOString()} (delegate: ${absence.to.assignee})`,
    );
}
