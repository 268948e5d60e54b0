/**
 * What version control says of a repository, as far as a deploy approval asks: answers of docs/spec/deploy.md R-VCS-1.
 * An answer is a value: that something is not there, or that nobody answered, is for the judgement to weigh.
 */

export type VcsAnswer<Value> =
  | { readonly kind: "found"; readonly value: Value }
  /** The repository is there and what was asked for is not in it. */
  | { readonly kind: "absent" }
  /** Not there, or the credential may not see it: nobody can tell which. */
  | { readonly kind: "repository_hidden" }
  | { readonly kind: "unavailable"; readonly detail: string; readonly retryAfterSeconds: number | null };

export interface GitIdentity {
  readonly name: string;
  readonly email: string;
  /** The account at the provider, where it could match one. */
  readonly login: string | null;
}

export interface CommitFacts {
  readonly sha: string;
  readonly message: string;
  readonly tree: string;
  readonly author: GitIdentity;
  readonly committer: GitIdentity;
  /** RFC 3339, as the provider writes it; null when it says none. */
  readonly committedAt: string | null;
}

/** From a base to a commit, as the provider counted it. */
export interface Comparison {
  readonly status: string;
  readonly aheadBy: number;
  readonly mergeBase: string;
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly open: boolean;
  readonly draft: boolean;
  readonly author: string | null;
  readonly headSha: string;
  readonly headBranch: string;
}

/** The commits that come after a base, oldest first; at most 250 of `count` (R-GITHUB-5). */
export interface CommitRange {
  readonly count: number;
  readonly commits: readonly CommitFacts[];
}

export interface PullRequestReview {
  readonly author: string | null;
  readonly state: string;
}

/** `mode` is Git's own: 100644, 100755, 120000 (link), 160000 (submodule); `size` only of blobs. */
export interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly sha: string;
  readonly size: number | null;
}
