import type { DeployApproval } from "../../api/deploy-approvals.ts";

/** What the reader of a page decides from, with the word for it. Progress of outside calls is not among it. */
const watched: readonly (readonly [string, (approval: DeployApproval) => unknown])[] = [
  ["status", ({ status }) => status],
  ["what is bound", ({ payload_digest }) => payload_digest],
  ["approvals", ({ approvals }) => approvals],
  ["end", ({ approval_expires_at }) => approval_expires_at],
  ["checks", ({ source_verification, warnings }) => [source_verification, warnings]],
  ["pull request", ({ pr }) => pr],
  ["images", ({ images }) => images],
  ["CI", ({ ci }) => (ci === null ? null : [ci.ready, ci.problems])],
  ["builds", ({ builds, release_id }) => [builds, release_id]],
];

/** Names of what is no longer as it was seen (R-UI-2); empty where nothing that matters changed. */
export function changedSince(seen: DeployApproval, now: DeployApproval): readonly string[] {
  return watched.filter(([, read]) => JSON.stringify(read(seen)) !== JSON.stringify(read(now))).map(([name]) => name);
}
