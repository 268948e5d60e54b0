import type { JsonObject } from "../../api/read.ts";
import type { ApprovalRequest } from "../../api/requests.ts";

/** The members of a context in which requesters say why, the first that is text. */
const reasonMembers = ["reason", "justification", "why", "message", "summary", "description"] as const;

export interface StatedReason {
  readonly member: string;
  readonly text: string;
}

export function statedReason(context: JsonObject): StatedReason | null {
  for (const member of reasonMembers) {
    const text = context[member];
    if (typeof text === "string" && text.trim() !== "") return { member, text };
  }
  return null;
}

export function titleOf(request: Pick<ApprovalRequest, "artifact_type" | "artifact_id">): string {
  return `${request.artifact_type} ${request.artifact_id}`;
}

const liveStatuses: readonly string[] = ["pending", "in_review", "changes_requested"];

export function isLive(status: string): boolean {
  return liveStatuses.includes(status);
}
