/**
 * Whose archive is this, now that its content is known? The first one accepted under an approval pins the content; others must
 * have the same. Implements docs/spec/deploy.md R-BIND-6.
 */
import { archiveDiffers } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { DeployApproval } from "./deploy-records.ts";

export interface AdmittedArchive {
  /** What it may be built under. */
  readonly approvals: readonly DeployApproval[];
  /** The one that it pins now; null where several could take it, until a build says which, or where it is pinned already. */
  readonly pins: DeployApproval | null;
}

/**
 * `approvals` as they are when the upload ends, under their locks: of two uploads at once the first to finish has pinned.
 * `differingPaths` of the content that is pinned, for the refusal.
 */
export function admitArchive(
  approvals: readonly DeployApproval[],
  sourceDigest: string,
  differingPaths: readonly string[],
): AdmittedArchive | DeployRefusal {
  const takers = approvals.filter((one) => one.sourceDigest === null || one.sourceDigest === sourceDigest);
  const [only] = takers;
  if (only === undefined) return archiveDiffers(differingPaths);
  return { approvals: takers, pins: takers.length === 1 && only.sourceDigest === null ? only : null };
}

export function isAdmitted(value: AdmittedArchive | DeployRefusal): value is AdmittedArchive {
  return "approvals" in value;
}
