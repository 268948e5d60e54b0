/** A person approves, rejects or abstains. */
import type { DecisionId, TaskId } from "../core/ids.ts";
import type { Actor } from "../core/person.ts";
import { Bug, type Refusal } from "../core/refusal.ts";
import {
  findTask,
  type Decision,
  type DecisionAction,
  type Request,
  type StageRun,
  type Task,
} from "../core/request.ts";
import type { AuditRecord } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export interface DecideTaskInput {
  readonly taskId: TaskId;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly attachmentsRef: string | null;
  readonly reasonCode: string | null;
  readonly digest: string | null;
}

export interface DecisionMade {
  readonly request: Request;
  readonly stage: StageRun;
  readonly task: Task;
  readonly decision: Decision;
}

export function decideTask(
  app: Application,
  actor: Actor,
  input: DecideTaskInput,
  call: Once<DecisionMade> | null,
): Promise<DecisionMade | Refusal | Replay> {
  const command = requestCommand<DecisionMade>(app, {
    name: "decide_task",
    target: { taskId: input.taskId },
    actor,
    command: (world) => {
      const decisionId: DecisionId = world.newId();
      return { type: "decide", actor, decisionId, ...input };
    },
    answer: ({ request }) => decisionMade(request, input.taskId),
    audit: ({ request }, _before, { world, entryOf }) => {
      const made = decisionMade(request, input.taskId);
      return made.decision.override ? [overrideRecord(actor, made, { entry: entryOf("task_decided"), world })] : [];
    },
  });
  return app.store.submit(once(command, call, ({ request }) => request.id));
}

function decisionMade(request: Request, taskId: TaskId): DecisionMade {
  const found = findTask(request, taskId);
  const decision = found?.stage.decisions.find((candidate) => candidate.taskId === taskId);
  if (found === undefined || decision === undefined) throw new Bug("a recorded decision cannot be found");
  return { request, ...found, decision };
}

function overrideRecord(
  actor: Actor,
  { request, task, decision }: DecisionMade,
  at: { readonly entry: number; readonly world: World },
): AuditRecord {
  return auditRecord(actor, at, {
    action: "task.override",
    resourceType: "task",
    resourceId: task.id,
    summary: `${actor.assignee} decided ${decision.action} on the task of ${task.assignee}`,
    before: { assignee: task.assignee, status: "open" },
    after: { decision: decision.action, status: task.status },
    metadata: { request_id: request.id, comment: decision.comment },
  });
}
