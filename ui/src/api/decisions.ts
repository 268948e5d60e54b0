import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import type { Answer } from "./read.ts";
import type { Json } from "./read.ts";
import { flag, list, nullable, number, object, orElse, text } from "./read.ts";

export const readDecision = object({
  id: text,
  request_id: text,
  task_id: nullable(text),
  stage_order: nullable(number),
  actor: nullable(text),
  action: text,
  comment: nullable(text),
  created_at: text,
  actor_id: nullable(text),
  on_behalf_of: nullable(text),
  override: orElse(flag, false),
  assurance: nullable(text),
  /** How it was proven: passkey, totp, backup_code. */
  method: nullable(text),
  factor_id: nullable(text),
  /** Its position in the ledger, once it is read again after the decision. */
  entry: nullable(number),
  request_status: nullable(text),
  stage_outcome: nullable(text),
});
export type Decision = Answer<typeof readDecision>;

const readTask = object({
  id: text,
  request_id: text,
  stage_order: nullable(number),
  assignee: nullable(text),
  kind: orElse(text, "approver"),
  delegated_from: nullable(text),
  status: text,
  claimed_at: nullable(text),
  due_at: nullable(text),
});
export type Task = Answer<typeof readTask>;

/** The caller's own tasks of one request, whatever their state. */
export function useOwnTasks(requestId: string): UseQueryResult<readonly Task[]> {
  return useQuery({
    queryKey: ["request", requestId, "own-tasks"],
    queryFn: async () => {
      const answer = await call(
        object({ items: list(readTask) }),
        `/v1/tasks${query({ assignee: "me", request_id: requestId, page_size: 25 })}`,
      );
      return answer.items;
    },
  });
}

export type DecisionAction = "approve" | "reject" | "abstain";

export interface DecisionDraft {
  readonly taskId: string;
  readonly action: DecisionAction;
  readonly comment: string;
  readonly digest: string | null;
  /** The view it was decided from; null where none could be made. */
  readonly view: string | null;
  readonly signature: Signature | null;
  /** Kinds of proof to ask for before anything is sent. */
  readonly proveFirst: readonly string[] | null;
  readonly idempotencyKey: string;
}

export interface Signature {
  readonly statement: string;
  readonly response: Json;
}

function at(taskId: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}`;
}

/** What was on the screen travels with the decision: what was shown is what is bound. */
export function decide(draft: DecisionDraft): Promise<Decision> {
  const { action, view, digest, signature } = draft;
  const comment = draft.comment.trim();
  return call(readDecision, `${at(draft.taskId)}/decision`, {
    method: "POST",
    idempotencyKey: draft.idempotencyKey,
    bound: { decision: action },
    proveFirst: draft.proveFirst ?? undefined,
    body: {
      action,
      ...(comment === "" ? {} : { comment }),
      ...(digest === null ? {} : { digest }),
      ...(view === null ? {} : { view }),
      ...(signature === null ? {} : { signature }),
    },
  });
}

export function claimTask(taskId: string): Promise<Task> {
  return call(readTask, `${at(taskId)}/claim`, { method: "POST", body: {} });
}

export function releaseTask(taskId: string): Promise<Task> {
  return call(readTask, `${at(taskId)}/release`, { method: "POST", body: {} });
}
