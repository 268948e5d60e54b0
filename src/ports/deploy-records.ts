/** What the deploy gate keeps beside requests and grants (docs/spec/deploy.md section 3). */
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { DeployApproval, DeployObject } from "../gates/deploy/deploy-records.ts";
import type { Drift, RackState } from "../gates/deploy/drift.ts";
import type { ImageChange, RecordedImage } from "../gates/deploy/image-digests.ts";

/** `standing` and the number of extensions are the engine's: they are read with the request and its grant. */
export interface DeployApprovalRecord extends Omit<DeployApproval, "standing" | "extensionCount"> {
  /** Grows with every change of this record. The version on the wire is this plus the request's number of events. */
  readonly version: number;
  readonly facts: DeployFacts;
  readonly ci: DeployCi;
  /** Further workflows of the same commit that wait for this approval; at most 5 (deploy R-REQ-4). */
  readonly ciJoined: readonly JsonObject[];
  readonly warnings: readonly DeployWarning[];
  readonly sourceTree: DeploySourceTree;
  /** What images led to, in the order in which it was found out; grows (deploy R-IMAGE-8). */
  readonly imageDigests: readonly RecordedImage[];
  /** Set once: from then on nothing is built or promoted under it (deploy R-BIND-11). */
  readonly imageChange: ImageChange | null;
  /** Set once, with the approval; null where the rack did not tell (deploy R-BIND-12). */
  readonly rackState: RackState | null;
  /** At the latest promote; null before the first. */
  readonly drift: Drift | null;
}

/** What version control and the rack said when it was asked for; every member that nobody could tell is null. */
export interface DeployFacts {
  readonly repository: string | null;
  readonly isDefaultBranch: boolean | null;
  readonly commit: DeployCommit | null;
  readonly pullRequest: DeployPullRequest | null;
  readonly activeRelease: string | null;
  readonly activeCommit: string | null;
  readonly changes: { readonly count: number; readonly compareUrl: string | null } | null;
  readonly commitUrl: string | null;
  readonly branchUrl: string | null;
  readonly prUrl: string | null;
  /** Git identities that belong to no known person (deploy R-REQ-10). */
  readonly unmatchedAuthors: readonly string[];
  /** Claims of the workload identity that asked, as shown to the approver. */
  readonly workload: JsonObject | null;
}

export interface DeployCommit {
  readonly title: string;
  readonly author: string;
  readonly committedAt: Instant | null;
  readonly treeId: string | null;
}

export interface DeployPullRequest {
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly state: string;
  readonly isDraft: boolean;
  readonly approvals: number | null;
}

export interface DeployCi {
  readonly provider: string | null;
  readonly ready: boolean;
  readonly problems: readonly DeployWarning[];
  readonly url: string | null;
  /** Which of the runs that waited were let go on: 0 is the request's own, the others joined it; absent is none. */
  readonly unblocked?: readonly number[];
}

export interface DeployWarning {
  readonly code: string;
  readonly message: string;
}

/** How far the commit's files are known (deploy R-SOURCE-1). */
export type DeploySourceTree =
  | { readonly state: "pending"; readonly treeId: string | null }
  | { readonly state: "ready"; readonly treeId: string; readonly fileCount: number }
  | { readonly state: "unavailable"; readonly why: string };

export interface DeployObjectRecord extends DeployObject {
  readonly orgId: string;
}

/** What version control says for reviewers, as it was read last (deploy R-GITHUB-5). */
export interface DeployVcsFactsRecord {
  readonly approvalId: string;
  readonly orgId: string;
  readonly facts: DeployVcsFacts;
  readonly readAt: Instant;
}

/** Every member that nobody could tell is null. */
export interface DeployVcsFacts {
  readonly changes: DeployVcsChanges | null;
  /** Of each reviewer the last word. */
  readonly reviews: readonly { readonly author: string; readonly state: string }[] | null;
  /** `success`, `pending`, `failure`; `none` where nothing checks the commit. */
  readonly checks: string | null;
}

/** Since the commit that was deployed last. */
export interface DeployVcsChanges {
  readonly count: number;
  readonly compareUrl: string | null;
  /** Oldest first; at most 250. */
  readonly commits: readonly DeployVcsCommit[];
}

export interface DeployVcsCommit {
  readonly sha: string;
  readonly title: string;
  readonly author: string;
  readonly committedAt: Instant | null;
  readonly url: string | null;
}

export interface DeploySettingRecord {
  readonly orgId: string;
  readonly scope: string;
  /** Empty for settings of the whole rack. */
  readonly app: string;
  readonly key: string;
  /** Null = given back to environment and default. */
  readonly value: JsonValue;
  readonly updatedBy: string;
  readonly updatedAt: Instant;
}

export interface DeployTreeRecord {
  /** `repository@tree id`. */
  readonly id: string;
  readonly orgId: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly files: readonly DeployTreeFile[];
  readonly readAt: Instant;
}

/** The files of an archive that was pinned, to tell how another one differs (deploy R-BIND-6). */
export interface DeployArchiveRecord {
  /** Organization and source digest: `… sha256:…`. */
  readonly id: string;
  readonly orgId: string;
  /** As `archivePaths` writes them. */
  readonly paths: string;
  readonly whole: boolean;
  readonly expiresAt: Instant;
}

export interface DeployTreeFile {
  readonly path: string;
  /** As Git has it: `100644`, `100755`, `120000`, `160000`. */
  readonly mode: string;
  readonly blob: string;
  readonly size: number | null;
}
