import type { Decision } from "../../api/decisions.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { visibleText } from "../../parts/outside-text.tsx";
import type { PersonNames } from "./person-names.ts";
import { nameOf } from "./person-names.ts";

const reasons: Readonly<Record<string, string>> = {
  all_stages_skipped: "no stage applied to it",
  sla_breach: "the time of a stage ran out and its policy says so",
  no_approvers_resolved: "nobody could be found who may approve it",
  quorum_unreachable: "too few people could be found to approve it",
  break_glass: "the emergency path was used",
};

/** R-PAGE-6: an ended request says its outcome first, in words that cannot be mistaken for another. */
export function outcomeSentence(request: ApprovalRequest, decisions: readonly Decision[], names: PersonNames): string {
  const actor = by(request.outcome?.actor ?? null, names);
  const comment = request.outcome?.comment ?? null;
  switch (request.status) {
    case "approved":
      return `Approved${signers(decisions, names)}${because(request)}.`;
    case "rejected":
      return `Rejected${actor}${because(request)}${quoted(comment)}`;
    case "cancelled":
      return `Cancelled${actor}${quoted(comment ?? request.outcome?.reason ?? null)} Nobody decided against it.`;
    case "expired":
      return "Expired – its time ran out before enough people signed. Nobody rejected it.";
    default:
      return `Ended as ${request.status}.`;
  }
}

function because(request: ApprovalRequest): string {
  const reason = request.outcome?.reason ?? null;
  return reason === null ? "" : ` – ${reasons[reason] ?? visibleText(reason)}`;
}

function by(actor: string | null, names: PersonNames): string {
  return actor === null ? "" : ` by ${visibleText(nameOf(names, actor))}`;
}

function quoted(comment: string | null): string {
  return comment === null || comment === "" ? "." : `: “${visibleText(comment)}”`;
}

function signers(decisions: readonly Decision[], names: PersonNames): string {
  const people = decisions.flatMap((decision) =>
    decision.action === "approve" && decision.actor !== null ? [visibleText(nameOf(names, decision.actor))] : [],
  );
  const distinct = [...new Set(people)];
  if (distinct.length === 0) return "";
  return ` by ${new Intl.ListFormat("en", { type: "conjunction" }).format(distinct)}`;
}
