/** What a chat's message says of a deploy request in each of its states (docs/spec/deploy.md R-SLACK-2). */
import type { Instant } from "../../../core/person.ts";
import type { ChatCard, ChatFact } from "../../../ports/chat.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { DeployStatus } from "../../../gates/deploy/deploy-status.ts";
import { approvalStory, type ApprovalStory } from "./approval-story.ts";
import type { DeploySubject } from "./deploy-subject.ts";

const TITLES: Readonly<Record<DeployStatus, string>> = {
  pending: "Deploy approval needed",
  approved: "Deploy approved",
  rejected: "Deploy rejected",
  expired: "Deploy request expired",
  cancelled: "Deploy request cancelled",
  superseded: "Deploy request superseded",
  deployed: "Deployed",
};

const APPROVERS_SHOWN = 10;
const SHORT = 12;

export function chatCard(subject: DeploySubject): ChatCard {
  const { view, status, link } = subject;
  const { record } = view;
  const { facts } = record;
  const story = approvalStory(subject);
  return {
    title: TITLES[status],
    facts: [
      plain("App", `${record.app} on ${record.scope}`),
      ...(record.branch === null ? [] : [linked("Branch", record.branch, facts.branchUrl)]),
      linked("Commit", record.commit.slice(0, SHORT), facts.commitUrl),
      ...(facts.prUrl === null
        ? []
        : [linked("Pull request", `#${String(facts.pullRequest?.number ?? "")}`, facts.prUrl)]),
      plain("Requested by", requesterText(subject, story)),
      ...(record.ci.url === null ? [] : [linked("CI run", "open", record.ci.url)]),
      ...stateFacts(story),
    ],
    message: record.message,
    link: { label: "Open the request", url: link },
  };
}

/** For those who follow the thread; null where the edited message says enough. */
export function threadReply(subject: DeploySubject): string | null {
  const { status } = subject;
  const { by, notes } = approvalStory(subject);
  if (status === "expired") return "The request expired.";
  if (status !== "rejected") return null;
  const who = by === null ? "" : ` by ${by}`;
  return `Rejected${who}: ${notes === "" ? "no reason given" : notes}`;
}

function plain(name: string, value: string): ChatFact {
  return { name, value, url: null };
}

function linked(name: string, value: string, url: string | null): ChatFact {
  return { name, value, url };
}

/** The token's name, and which CI identity it was given for. */
function requesterText({ view }: DeploySubject, { requester }: ApprovalStory): string {
  const { workload } = view.record.facts;
  const job = isJsonObject(workload) && typeof workload["summary"] === "string" ? ` (${workload["summary"]})` : "";
  return `${requester ?? "somebody"}${job}`;
}

function stateFacts(story: ApprovalStory): readonly ChatFact[] {
  const { by, notes, build, release } = story;
  switch (story.status) {
    case "pending":
      return pendingFacts(story);
    case "approved":
      return approvedFacts(story);
    case "deployed":
      return [plain("Approved by", by ?? "somebody"), ...told("Build", build), ...told("Release", release)];
    case "rejected":
      return [plain("Rejected by", by ?? "somebody"), plain("Notes", notes === "" ? "no reason given" : notes)];
    case "cancelled":
      return [...told("Cancelled by", by), ...told("Notes", notes)];
    case "expired":
    case "superseded":
      return [];
  }
}

function pendingFacts({ given, required, until, approvers }: ApprovalStory): readonly ChatFact[] {
  return [
    plain("Approvals", `${String(given)} of ${String(required)}`),
    plain("Waits until", timeText(until)),
    ...told("Can approve", approvers.length === 0 ? null : approversText(approvers)),
  ];
}

function approvedFacts({ by, until, notes, trouble }: ApprovalStory): readonly ChatFact[] {
  return [
    plain("Approved by", by ?? "somebody"),
    plain("Valid until", timeText(until)),
    ...told("Notes", notes),
    ...told("Trouble", trouble),
  ];
}

/** Nothing where there is nothing to say. */
function told(name: string, value: string | null): readonly ChatFact[] {
  return value === null || value === "" ? [] : [plain(name, value)];
}

function approversText(names: readonly string[]): string {
  const more = names.length - APPROVERS_SHOWN;
  return `${names.slice(0, APPROVERS_SHOWN).join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`;
}

/** A time instead of what is left of it: the message stands there for hours. */
function timeText(at: Instant | null): string {
  return at === null ? "" : `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
