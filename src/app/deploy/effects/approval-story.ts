/**
 * What people outside are told of a deploy approval: who asked, how far it is, who ended it and why. Names only, never an address
 * (docs/spec/deploy.md R-GITHUB-3, R-SLACK-2).
 */
import { isOpenTask, type Decision, type Request } from "../../../core/request.ts";
import type { Instant } from "../../../core/person.ts";
import type { DeployStatus } from "../../../gates/deploy/deploy-status.ts";
import type { DeployApprovalView } from "../../../ports/deploy-reader.ts";
import { approvalProgress } from "../deploy-reads.ts";
import type { DeploySubject } from "./deploy-subject.ts";

export interface ApprovalStory {
  readonly status: DeployStatus;
  readonly requester: string | null;
  /** Whoever brought it where it is: approved, rejected or cancelled it. */
  readonly by: string | null;
  readonly notes: string;
  /** End of the window, of an approved one; of the waiting, of a pending one. */
  readonly until: Instant | null;
  readonly given: number;
  readonly required: number;
  /** Who can decide now. */
  readonly approvers: readonly string[];
  /** What was tried last and did not work, while the approval stands. */
  readonly trouble: string | null;
  readonly build: string | null;
  readonly release: string | null;
}

export function approvalStory({ view, status }: Pick<DeploySubject, "view" | "status">): ApprovalStory {
  const { record, request } = view;
  const { given, required } = approvalProgress(view);
  return {
    ...{ status, given, required, requester: requesterOf(view), ...ending(view, status) },
    until: status === "pending" ? request.expiresAt : (request.grant?.expiresAt ?? null),
    approvers: approversOf(view),
    trouble: status === "approved" ? troubleOf(view) : null,
    build: record.builds.findLast(({ id }) => id !== null)?.id ?? null,
    release: record.releaseId,
  };
}

/** A display name, else the name by which policies know the person; an address is nobody's business outside. */
function outsideName(name: string | null | undefined): string | null {
  const shown = name?.trim() ?? "";
  return shown === "" || shown.includes("@") ? null : shown;
}

function nameOfPerson(
  view: DeployApprovalView,
  is: (person: DeployApprovalView["people"][number]) => boolean,
): string | null {
  const person = view.people.find(is);
  return outsideName(person?.name) ?? outsideName(person?.assignee);
}

function requesterOf(view: DeployApprovalView): string | null {
  const { createdByPersonId, createdByTokenId } = view.record;
  const token = view.tokens.find(({ id }) => id === createdByTokenId);
  if (token !== undefined) return token.name;
  return nameOfPerson(view, ({ id }) => id === createdByPersonId);
}

type Ending = Pick<ApprovalStory, "by" | "notes">;

const NOBODY: Ending = { by: null, notes: "" };

function ending(view: DeployApprovalView, status: DeployStatus): Ending {
  switch (status) {
    case "approved":
    case "deployed":
      return decidedBy(view, lastDecision(view.request, "approve")) ?? NOBODY;
    case "rejected": {
      // An approval that was taken back ends with a comment of its own.
      const decision = view.request.status === "rejected" ? lastDecision(view.request, "reject") : null;
      return decidedBy(view, decision) ?? endedBy(view);
    }
    case "cancelled":
      return endedBy(view);
    case "pending":
    case "expired":
    case "superseded":
      return NOBODY;
  }
}

function decidedBy(view: DeployApprovalView, decision: Decision | null): Ending | null {
  return decision === null ? null : { by: nameOfDecider(view, decision), notes: decision.comment ?? "" };
}

function endedBy(view: DeployApprovalView): Ending {
  const { request, end } = view;
  const notes = request.grant?.revokedComment ?? request.outcome?.comment ?? request.outcome?.reason ?? "";
  return { by: nameOfPerson(view, ({ assignee }) => assignee === end?.actorId), notes };
}

function lastDecision({ stages }: Request, action: Decision["action"]): Decision | null {
  const decisions = stages.flatMap((run) => run.decisions);
  return decisions.findLast((decision) => decision.action === action && decision.voidedAt === null) ?? null;
}

function nameOfDecider(view: DeployApprovalView, { personId, actor }: Decision): string | null {
  return nameOfPerson(view, ({ id }) => id === personId) ?? outsideName(actor);
}

function approversOf({ request }: DeployApprovalView): readonly string[] {
  const open = request.stages.flatMap(({ tasks }) =>
    tasks.filter((task) => isOpenTask(task) && task.kind === "approver"),
  );
  const names = open.map(({ assigneeName, assignee }) => outsideName(assigneeName) ?? outsideName(assignee));
  return [...new Set(names.filter((name) => name !== null))];
}

function troubleOf({ record }: DeployApprovalView): string | null {
  const promote = record.promotes.at(-1);
  if (promote?.outcome === "failed") return `promoting release ${promote.releaseId} failed`;
  const build = record.builds.at(-1);
  return build?.status === "failed" ? `build ${build.id ?? String(build.attempt)} failed` : null;
}
