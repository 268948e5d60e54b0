/**
 * Is this commit one that may be deployed from this branch? Says which fact is needed next until it can tell, so that the
 * rules are here and the calls are elsewhere. Implements docs/spec/deploy.md R-GITHUB-2, R-VCS-3 and the answer of R-REQ-3.
 */
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";
import { branchMoved, commitIncomplete, vcsUnavailable } from "./request-refusals.ts";
import type { CommitFacts, Comparison, PullRequest, VcsAnswer } from "./vcs-facts.ts";

export interface CommitQuestion {
  /** `owner/repo`. */
  readonly repo: string;
  /** Full and in lower case. */
  readonly commit: string;
  readonly branch: string | null;
  readonly defaultBranch: string;
  readonly allowDefaultBranch: boolean;
  readonly requirePullRequest: boolean;
  /** `latest`: the commit is the head of the branch; `branch`: it is on the branch. */
  readonly mode: "latest" | "branch";
}

/** What is known so far; a missing member was not asked for yet. */
export interface CommitAnswers {
  readonly head?: VcsAnswer<string>;
  /** From the head of the branch to the commit, in this order. */
  readonly comparison?: VcsAnswer<Comparison>;
  /** Open and closed ones of the commit and of the branch. */
  readonly pulls?: VcsAnswer<readonly PullRequest[]>;
  readonly commit?: VcsAnswer<CommitFacts>;
}

export type CommitNeed = keyof CommitAnswers;

export interface VerifiedCommit {
  readonly head: string;
  readonly facts: CommitFacts;
  readonly pull: PullRequest | null;
}

export type CommitVerdict =
  | { readonly verdict: "ask"; readonly need: CommitNeed }
  | { readonly verdict: "refused"; readonly refusal: DeployRefusal }
  | { readonly verdict: "verified"; readonly verified: VerifiedCommit };

/** At creation: the steps of R-GITHUB-2 in their order; the first that fails answers. */
export function verifyCommit(question: CommitQuestion, answers: CommitAnswers): CommitVerdict {
  const { branch } = question;
  if (branch === null || branch === "") return refused(noBranch());
  if (branch === question.defaultBranch && !question.allowDefaultBranch) return refused(onDefaultBranch(branch));
  const head = read(question, { need: "head", answer: answers.head, absent: `branch ${branch} not found` });
  if ("verdict" in head) return head;
  const misplaced = misplacedCommit(question, answers, { branch, head: head.value });
  if (misplaced !== null) return misplaced;
  const pulls = read(question, { need: "pulls", answer: answers.pulls, absent: offBranch(question) });
  if ("verdict" in pulls) return pulls;
  const pull = openPull(pulls.value, question);
  if (pull === null && isPullRequired(question)) return refused(noPull(branch));
  const facts = read(question, { need: "commit", answer: answers.commit, absent: offBranch(question) });
  if ("verdict" in facts) return facts;
  return { verdict: "verified", verified: { head: head.value, facts: facts.value, pull } };
}

export type CurrencyVerdict =
  | { readonly verdict: "ask"; readonly need: "head" | "pulls" }
  | { readonly verdict: "refused"; readonly refusal: DeployRefusal }
  | { readonly verdict: "current" };

/** At approval (R-VCS-3): what was true at creation and can have changed since. */
export function verifyStillCurrent(
  question: CommitQuestion,
  answers: Pick<CommitAnswers, "head" | "pulls">,
): CurrencyVerdict {
  const { branch } = question;
  if (branch === null) return refused(noBranch());
  return (
    movedHead(question, branch, answers.head) ?? closedPull(question, branch, answers.pulls) ?? { verdict: "current" }
  );
}

function movedHead(
  question: CommitQuestion,
  branch: string,
  answer: VcsAnswer<string> | undefined,
): CurrencyVerdict | null {
  if (question.mode !== "latest") return null;
  if (answer === undefined) return { verdict: "ask", need: "head" };
  const head = present(question, answer);
  if (typeof head === "object" && head !== null) return refused(head);
  return head === question.commit ? null : refused(branchMoved(branch, question.commit, head ?? "deleted"));
}

function closedPull(
  question: CommitQuestion,
  branch: string,
  answer: VcsAnswer<readonly PullRequest[]> | undefined,
): CurrencyVerdict | null {
  if (!isPullRequired(question)) return null;
  if (answer === undefined) return { verdict: "ask", need: "pulls" };
  const pulls = present(question, answer);
  if (pulls !== null && "code" in pulls) return refused(pulls);
  return pulls !== null && openPull(pulls, question) !== null ? null : refused(pullClosed(branch));
}

/** The full id behind an abbreviated one (R-REQ-3); a name that happens to look like one does not count. */
export function expandCommit(abbreviated: string, answer: VcsAnswer<CommitFacts>): string | DeployRefusal {
  if (answer.kind === "unavailable") return unavailable(answer.detail);
  const sha = answer.kind === "found" ? answer.value.sha : "";
  return sha.startsWith(abbreviated) && FULL_ID.test(sha) ? sha : commitIncomplete();
}

const FULL_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function noBranch(): DeployRefusal {
  return refuseDeploy("commit_not_verified", "git_branch is required for GitHub verification", [
    "Send git_branch, or switch github_verification off for this app.",
  ]);
}

function onDefaultBranch(branch: string): DeployRefusal {
  return refuseDeploy("commit_not_verified", `deploying from default branch '${branch}' is not allowed`, [
    "Deploy from another branch, or set allow_deploy_from_default_branch for this app.",
  ]);
}

/** Step 4. A head that is the commit needs no counting. */
function misplacedCommit(
  question: CommitQuestion,
  answers: CommitAnswers,
  { branch, head }: { readonly branch: string; readonly head: string },
): Unread | null {
  const { commit, mode } = question;
  if (head === commit) return null;
  if (mode === "latest") {
    const why = `commit ${commit} is not the latest commit on branch ${branch} (latest: ${head})`;
    return refused(failed(why, "Request approval for the latest commit, or set verify_git_commit_mode to branch."));
  }
  const compared = read(question, { need: "comparison", answer: answers.comparison, absent: offBranch(question) });
  if ("verdict" in compared) return compared;
  const { status, aheadBy, mergeBase } = compared.value;
  const isBehind = (status === "identical" || status === "behind") && aheadBy === 0;
  if (isBehind && mergeBase === commit) return null;
  return refused(failed(offBranch(question), "Push the commit to the branch, or name the branch that it is on."));
}

function offBranch({ commit, branch }: CommitQuestion): string {
  return `commit ${commit} not found or not on branch ${String(branch)}`;
}

function isPullRequired({ requirePullRequest, branch, defaultBranch }: CommitQuestion): boolean {
  return requirePullRequest && branch !== defaultBranch;
}

/** A request of this very commit goes before one that only shares the branch. */
function openPull(pulls: readonly PullRequest[], { commit, branch }: CommitQuestion): PullRequest | null {
  const open = pulls.filter((pull) => pull.open);
  const ofCommit = open.find(({ headSha }) => headSha === commit);
  return ofCommit ?? open.find(({ headBranch }) => headBranch === branch) ?? null;
}

function noPull(branch: string): DeployRefusal {
  return failed(
    `no open pull request found for branch ${branch}`,
    "Open a pull request, or switch require_pr_for_branch off for this app.",
  );
}

interface Asked<Value> {
  readonly need: CommitNeed;
  readonly answer: VcsAnswer<Value> | undefined;
  /** What it means that it is not there. */
  readonly absent: string;
}

type Unread = Exclude<CommitVerdict, { readonly verdict: "verified" }>;

/** The value that was asked for, or the verdict when there is none yet or none at all. */
function read<Value>(
  { repo }: CommitQuestion,
  { need, answer, absent }: Asked<Value>,
): { readonly value: Value } | Unread {
  if (answer === undefined) return { verdict: "ask", need };
  switch (answer.kind) {
    case "found":
      return { value: answer.value };
    case "absent":
      return refused(failed(absent, "Check that it was pushed."));
    case "repository_hidden":
      return refused(hidden(repo));
    case "unavailable":
      return refused(unavailable(answer.detail));
  }
}

/** The value, null when it is not there any more, or why nobody can tell. */
function present<Value>({ repo }: CommitQuestion, answer: VcsAnswer<Value>): Value | DeployRefusal | null {
  switch (answer.kind) {
    case "found":
      return answer.value;
    case "absent":
      return null;
    case "repository_hidden":
      return hidden(repo);
    case "unavailable":
      return unavailable(answer.detail);
  }
}

function pullClosed(branch: string): DeployRefusal {
  return refuseDeploy("approval_stale", `commit is no longer the latest on branch ${branch}`, [
    "The pull request that it needs is closed.",
    "Make a new request for the commit that is there now.",
  ]);
}

function failed(why: string, hint: string): DeployRefusal {
  return refuseDeploy("commit_not_verified", `GitHub verification failed: ${why}`, [hint]);
}

function hidden(repo: string): DeployRefusal {
  return failed(
    `repository ${repo} not found or not visible to the token`,
    "Check vcs_repo, and that the credential of the server may read the repository.",
  );
}

function unavailable(detail: string): DeployRefusal {
  const refusal = vcsUnavailable();
  return { ...refusal, hint: [...refusal.hint, detail] };
}

function refused(refusal: DeployRefusal): { readonly verdict: "refused"; readonly refusal: DeployRefusal } {
  return { verdict: "refused", refusal };
}
