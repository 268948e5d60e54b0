/** One line of the inbox: a task, and of its request what a person needs in order to choose it. */
import { isOverdue } from "../../core/explain.ts";
import type { JsonObject } from "../../core/json.ts";
import type { InboxItem } from "../../contract/inbox.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { TaskView } from "../../ports/reader.ts";

export function inboxItem(view: TaskView, now: number): InboxItem {
  const { task, request, decision } = view;
  return {
    gate: request.gate,
    task_id: task.id,
    request_id: request.id,
    title: titleOf(request) ?? `${request.artifactType} ${request.artifactId}`,
    requester: request.requester,
    reason: textOf(request.context, request.gate === "deploy" ? ["message"] : ["reason", "justification"]),
    due_at: wireTimeOrNull(task.dueAt),
    overdue: isOverdue(task, now),
    needed: view.needed,
    approved: view.approved,
    assurance: decision?.assurance ?? (task.kind === "observer" ? "session" : view.assurance),
    digest: request.digest,
    links: { request: `/v1/requests/${request.id}` },
    status: task.status,
    request_status: request.status,
    kind: task.kind,
    artifact_type: request.artifactType,
    artifact_id: request.artifactId,
    policy_key: request.policy.key,
    stage_name: view.stageName,
    stage_order: view.stageOrder,
    delegated_from: task.delegatedFrom,
    created_at: wireTime(task.createdAt),
    expires_at: wireTime(request.expiresAt),
    decision_action: decision?.action ?? null,
  };
}

function titleOf({ gate, context }: TaskView["request"]): string | null {
  if (gate === "deploy") return deployTitle(context);
  return textOf(context, ["title", "record_name", "name"]);
}

const SHORT_COMMIT = 7;

function deployTitle(context: JsonObject): string | null {
  const [commit, app, scope] = ["git_commit_hash", "app", "scope"].map((name) => textOf(context, [name]));
  if (commit == null || app == null || scope == null) return null;
  return `Deploy ${commit.slice(0, SHORT_COMMIT)} of ${app} to ${scope}`;
}

/** The first of these context values that is text and not blank. */
function textOf(context: JsonObject, names: readonly string[]): string | null {
  for (const name of names) {
    const value = context[name];
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return null;
}
