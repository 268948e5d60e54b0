import type { DeployApproval } from "../../api/deploy-approvals.ts";

/** What the reader of a page decides from, with the word for it. Progress of outside calls is not among it. */
const watched: readonly (readonly [string, (approval: DeployApproval) => unknown])[] = [
  ["status", ({ status }) => status],
  ["what is bound", ({ payload_digest }) => payload_digest],
  ["approvals", ({ approvals }) => approvals],
  ["end", ({ approval_expires_at }) => approval_expires_at],
  ["checks", ({ source_verification, warnings }) => [source_verification, warnings]],
  ["pull request", ({ pr }) => (pr === null ? null : [pr.number, pr.title, pr.state, pr.draft])],
  ["reviews", ({ pr, vcs_read_at: at }) => (at === null ? undefined : (pr?.reviews ?? []))],
  ["checks of the commit", ({ checks, vcs_read_at: at }) => (at === null ? undefined : checks)],
  ["images", ({ images }) => images],
  ["CI", ({ ci }) => (ci === null ? null : [ci.ready, ci.problems])],
  ["builds", ({ builds, release_id }) => [builds, release_id]],
];

/**
 * Names of what is no longer as it was seen (R-UI-2); empty where nothing that matters changed. What nobody had told yet is undefined:
 * hearing it for the first time is no change.
 */
export function changedSince(seen: DeployApproval, now: DeployApproval): readonly string[] {
  return watched
    .filter(([, read]) => {
      const before = read(seen);
      return before !== undefined && JSON.stringify(before) !== JSON.stringify(read(now));
    })
    .map(([name]) => name);
}
