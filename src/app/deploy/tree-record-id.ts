/**
 * Under which id are a commit's files kept? The tree's own id proves the list, so it is read once for all requests of the commit; each
 * organization reads for itself, with its own credentials, and learns nothing from what another one could read.
 * Implements docs/spec/deploy.md R-SOURCE-1.
 */
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";

interface TreeOf {
  readonly record: Pick<DeployApprovalRecord, "orgId" | "facts">;
  /** The app's repository now, for records of before it was known. */
  readonly repository: string | null;
  readonly treeId: string;
}

export function treeRecordId({ record, repository, treeId }: TreeOf): string {
  return `${record.orgId}/${record.facts.repository ?? repository ?? ""}@${treeId}`;
}
