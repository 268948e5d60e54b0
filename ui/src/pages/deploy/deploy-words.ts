import type { DeployApproval } from "../../api/deploy-approvals.ts";

/** Words for what the deploy gate's object says; nothing here asks the server. */
export function deployMark(status: string): string {
  return status === "pending" ? "deploy_pending" : status;
}

export const deployStatuses = [
  "pending",
  "approved",
  "deployed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
] as const;

const shortLength = 7;

export function shortCommit(commit: string): string {
  return commit.slice(0, shortLength);
}

export function deployTitle({ app, scope, git_commit_hash: commit }: DeployApproval): string {
  return `Deploy ${shortCommit(commit)} of ${app} to ${scope === "" ? "the rack" : scope}`;
}

export function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

/** The person, or the token that asked. */
function askedBy(approval: DeployApproval): string {
  const { created_by_name: name, created_by_email: email, created_by_api_token_name: token } = approval;
  return name ?? email ?? token ?? "unknown";
}

/** As the platform signed it, where a CI job asked (R-UI-1); else as `askedBy`, with the token that was used for it: a pipeline's request has both where somebody owns the token. */
export function askedWith(approval: DeployApproval): string {
  const { created_by_api_token_name: token, workload } = approval;
  if (workload !== null) return workload.summary;
  const who = askedBy(approval);
  return token === null || token === who ? who : `${token}, owned by ${who}`;
}

export function isOpen({ status }: Pick<DeployApproval, "status">): boolean {
  return status === "pending" || status === "approved";
}

/** Until when it is what it is now; null once it has ended. */
export function openUntil(approval: DeployApproval): string | null {
  if (approval.status === "pending") return approval.request_expires_at;
  return approval.status === "approved" ? approval.approval_expires_at : null;
}

export function endedAt(approval: DeployApproval): string | null {
  const { deployed_at, rejected_at, cancelled_at, expired_at, updated_at } = approval;
  return deployed_at ?? rejected_at ?? cancelled_at ?? expired_at ?? updated_at;
}

const outcomes: Readonly<Record<string, (approval: DeployApproval) => string>> = {
  approved: ({ approved_by_name: name, approved_by_email: email }) =>
    `Approved by ${name ?? email ?? "its approvers"}: this commit may be deployed until the time is up.`,
  deployed: ({ release_id: release }) => `Deployed${release === null ? "" : ` as release ${release}`}.`,
  rejected: ({ rejected_by_name: name, rejected_by_email: email }) => `Rejected by ${name ?? email ?? "an approver"}.`,
  expired: ({ approved_at: approvedAt }) =>
    approvedAt === null ? "Expired: nobody decided in time." : "Expired: it was approved and not deployed in time.",
  cancelled: ({ cancelled_by_email: by, outcome_reason: why }) =>
    `Cancelled${by === null ? "" : ` by ${by}`}${why === null ? "." : `: ${why}.`}`,
  superseded: () => "Superseded: a newer commit of the same branch asks for its own approval.",
};

/** How it came to be what it is, in one sentence (R-PAGE-6); null while nothing is decided. */
export function outcomeWords(approval: DeployApproval): string | null {
  if (approval.status === "pending") return null;
  return outcomes[approval.status]?.(approval) ?? approval.outcome_reason;
}

export interface CheckWords {
  readonly tone: "approve" | "wait" | "reject" | "quiet";
  readonly text: string;
}

/** R-SOURCE-1: how far the commit’s files are known: `pending`, `ready (12 files)` or `unavailable (why)`. */
export function sourceWords(source: string): CheckWords {
  const [, state = "", inner = ""] = /^(\w+)(?: \((.*)\))?$/s.exec(source) ?? [];
  switch (state) {
    case "ready":
      return { tone: "approve", text: `An archive is compared with the commit’s ${inner === "" ? "files" : inner}` };
    case "pending":
      return { tone: "wait", text: "The commit’s files are still being read" };
    default:
      return { tone: "quiet", text: `The archive is not compared with the commit: ${inner === "" ? source : inner}` };
  }
}

/** What the repository’s own checks of the commit came to, all together. */
export function checksWords(state: string): CheckWords {
  switch (state) {
    case "success":
      return { tone: "approve", text: "The checks of the commit have passed" };
    case "pending":
      return { tone: "wait", text: "The checks of the commit are still running" };
    case "none":
      return { tone: "quiet", text: "The repository has no checks for the commit" };
    case "failure":
    case "error":
      return { tone: "reject", text: "The checks of the commit have failed" };
    default:
      return { tone: "quiet", text: `The checks of the commit: ${state}` };
  }
}

const reviewVerbs: Readonly<Record<string, string>> = {
  approved: "approved by",
  changes_requested: "changes asked for by",
};

/** How the pull request stands: open or not, a draft, and what its reviewers said; who only commented said nothing. */
export function pullRequestWords({ state, draft, approvals, reviews }: NonNullable<DeployApproval["pr"]>): string {
  const said = Object.entries(reviewVerbs).flatMap(([word, verb]) => {
    const by = reviews.filter((review) => review.state === word).map(({ author }) => author);
    return by.length === 0 ? [] : [`${verb} ${by.join(", ")}`];
  });
  const counted = approvals === null ? [] : [approvals === 1 ? "1 approval" : `${String(approvals)} approvals`];
  const judged = reviews.length === 0 ? counted : said.length === 0 ? ["nobody approved it"] : said;
  return [state, ...(draft ? ["a draft"] : []), ...judged].filter((word) => word !== "").join("; ");
}

const effectNames: Readonly<Record<string, string>> = {
  "deploy.ci": "Continue the CI workflow",
  "deploy.vcs_comment": "Comment on the pull request",
  "deploy.vcs_status": "Commit status",
  "deploy.vcs_tree": "Read the commit’s files",
  "deploy.vcs_facts": "Read commits, reviews and checks",
  "deploy.chat": "Chat message",
  "deploy.mail": "Mail",
};

export function effectWord(kind: string): string {
  return effectNames[kind] ?? kind.replace(/^deploy\./, "").replaceAll("_", " ");
}

/** An outside call that is not tried again by itself. */
export function isStuck(state: string): boolean {
  return state === "failed";
}

const effectStates: Readonly<Record<string, string>> = {
  pending: "waiting",
  done: "done",
  failed: "failed",
  withdrawn: "not needed",
  not_configured: "waits to be set up",
};

export function effectState(state: string): string {
  return effectStates[state] ?? state;
}
