/**
 * What the deploy gate asks of version control, and the two things it writes there. Implements docs/spec/deploy.md R-VCS-1; the addresses
 * that people follow are made by src/gates/deploy/vcs-links.ts.
 */
import type { EffectResult } from "../gates/deploy/effect-result.ts";
import type { CommitState } from "../gates/deploy/pr-comment.ts";
import type {
  CommitFacts,
  CommitRange,
  Comparison,
  PullRequest,
  PullRequestReview,
  TreeEntry,
  VcsAnswer,
} from "../gates/deploy/vcs-facts.ts";

export interface VersionControl {
  /** One repository, `owner/repo`; all calls made through the answer together take at most `budgetMs`, null for no such bound. */
  repository(repo: string, budgetMs: number | null): Repository;
}

export interface Repository {
  /** The commit that a name or an abbreviated id leads to (R-REQ-3). */
  resolve(ref: string): Promise<VcsAnswer<CommitFacts>>;
  branchHead(branch: string): Promise<VcsAnswer<string>>;
  /** From the head of a branch to a commit (R-GITHUB-2 step 4b). */
  contains(head: string, commit: string): Promise<VcsAnswer<Comparison>>;
  commit(sha: string): Promise<VcsAnswer<CommitFacts>>;
  /** Every blob, link and submodule below a tree (R-SOURCE-1). */
  tree(sha: string): Promise<VcsAnswer<readonly TreeEntry[]>>;
  file(sha: string, path: string): Promise<VcsAnswer<Uint8Array>>;
  /** Of this commit, also from forks, and the open ones of this branch. */
  pullRequests(commit: string, branch: string): Promise<VcsAnswer<readonly PullRequest[]>>;
  /** Commits since the last deployed one (R-GITHUB-5). */
  changes(from: string, to: string): Promise<VcsAnswer<CommitRange>>;
  reviews(pull: number): Promise<VcsAnswer<readonly PullRequestReview[]>>;
  /** Combined state of the checks: `success`, `pending`, `failure`; `none` where there are none. */
  checks(sha: string): Promise<VcsAnswer<string>>;
  /** Creates the comment, or edits the one that is there already; safe to repeat. */
  comment(comment: PullRequestComment): Promise<EffectResult>;
  status(status: CommitStatus): Promise<EffectResult>;
}

export interface PullRequestComment {
  readonly pull: number;
  /** First line of `text`; a comment of ours that starts with it is this one. */
  readonly marker: string;
  readonly text: string;
  /** As `record.comment_id` of an earlier result said; null when that is not known. */
  readonly id: number | null;
}

export interface CommitStatus {
  readonly sha: string;
  readonly state: CommitState;
  /** `countersign/{scope}/{app}`. */
  readonly context: string;
  readonly description: string;
  readonly url: string;
}
