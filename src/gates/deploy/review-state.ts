/**
 * Where does a review of a pull request stand? Of each reviewer the last word counts; remarks count only while there is no other
 * (docs/spec/deploy.md R-GITHUB-5).
 */
import type { PullRequestReview } from "./vcs-facts.ts";

export interface ReviewState {
  readonly author: string;
  /** The provider's word in lower case: `approved`, `changes_requested`, `dismissed`, `commented`. */
  readonly state: string;
}

const REMARK = "commented";

/** Reviews come oldest first; what was begun and not handed in is nobody's word. */
export function reviewStates(reviews: readonly PullRequestReview[]): readonly ReviewState[] {
  const latest = new Map<string, string>();
  for (const { author, state } of reviews) {
    if (author === null || state === "pending") continue;
    if (state !== REMARK || !latest.has(author)) latest.set(author, state);
  }
  return [...latest].map(([author, state]) => ({ author, state }));
}

export function reviewApprovals(reviews: readonly PullRequestReview[]): number {
  return reviewStates(reviews).filter(({ state }) => state === "approved").length;
}
