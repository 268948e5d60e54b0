/**
 * What is remembered of a deploy approval and of what ran under it? Plain values, stored as they are and judged by
 * gated-call.ts. Implements docs/spec/deploy.md sections 2.2, 3 and 4. Absent is null; times are instants (ms).
 */
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { RequestStatus } from "../../core/request.ts";

/** Why the engine's request, or the grant that it yielded, came to its end (deploy R-STATE-1). */
export type EndReason = "rejected" | "superseded" | "cancelled";

/** What an approved request permits; `expired` is also true of an active one from its instant on (deploy R-EXPIRY-3). */
export interface DeployGrant {
  readonly state: "active" | "used" | "expired" | "revoked";
  /** Null unless revoked. */
  readonly revokedReason: EndReason | null;
  readonly issuedAt: Instant;
  /** Never null (deploy R-EXPIRY-1). */
  readonly expiresAt: Instant;
  /** When it was used or revoked; null while active, and where only time ended it. */
  readonly endedAt: Instant | null;
}

/** What the engine says of the request: all that the wire status is computed from. */
export interface DeployStanding {
  readonly engine: RequestStatus;
  /** Null unless the engine's request is cancelled. */
  readonly cancelReason: EndReason | null;
  readonly grant: DeployGrant | null;
  /** When a request that nobody decided expires (deploy R-EXPIRY-2). */
  readonly requestExpiresAt: Instant;
  /** When the request came to an end without a grant; null while open or approved. */
  readonly completedAt: Instant | null;
  /** When the rack accepted a promote under it, which may be after the window: it was admitted in time (deploy R-STATE-5). */
  readonly deployedAt: Instant | null;
  /** Decisions still missing, for "waiting for N" (deploy R-BIND-2). */
  readonly approvalsMissing: number;
}

/** `creating`: sent to the rack, whose answer is not known yet. `gone`: the rack does not know it any more. */
export type DeployBuildStatus = "creating" | "created" | "running" | "complete" | "failed" | "gone";

/** One build that was sent to the rack under an approval; in order of `attempt` (deploy R-BIND-8, R-BIND-9). */
export interface DeployBuild {
  /** From 1. */
  readonly attempt: number;
  /** Null until the rack answered, and for good where it refused. */
  readonly id: string | null;
  readonly status: DeployBuildStatus;
  readonly releaseId: string | null;
  /** Key of the object record that it was made from. */
  readonly objectKey: string;
  /** Path of the manifest in the archive. */
  readonly manifest: string;
  readonly startedAt: Instant;
}

/** One promote that was sent to the rack; `pending` until its outcome is known (deploy R-STATE-6, R-STATE-7). */
export interface DeployPromote {
  readonly attempt: number;
  readonly releaseId: string;
  readonly outcome: "pending" | "deployed" | "failed";
  readonly startedAt: Instant;
}

/** Append-only history of what was started and run (deploy R-ALLOW-4). */
export interface DeployCommand {
  readonly kind: "start" | "exec";
  /** Null for a start that the rack has not answered, or refused. */
  readonly pid: string | null;
  readonly command: string;
  readonly at: Instant;
}

export interface DeployApproval {
  /** Public id, a UUID. */
  readonly id: string;
  /** The engine's request. */
  readonly requestId: string;
  readonly orgId: string;
  /** Name of the rack. */
  readonly scope: string;
  readonly app: string;
  /** Full, lower-case. */
  readonly commit: string;
  readonly branch: string | null;
  readonly message: string;
  /** As sent. */
  readonly ciMetadata: JsonObject | null;
  /** Service to `repository[:tag]@sha256:…`; empty when none were named. */
  readonly images: Readonly<Record<string, string>>;
  /** Public id of the token it is for; null where it is for a person (deploy R-REQ-15). */
  readonly targetTokenId: string | null;
  readonly targetPersonId: string | null;
  readonly createdByTokenId: string | null;
  readonly createdByPersonId: string | null;
  readonly createdAt: Instant;
  readonly standing: DeployStanding;
  /** Digest of the archive's content, pinned by the first accepted upload (deploy R-BIND-6). */
  readonly sourceDigest: string | null;
  /** Of the latest accepted upload. */
  readonly objectKey: string | null;
  readonly objectUrl: string | null;
  readonly uploadCount: number;
  readonly builds: readonly DeployBuild[];
  /** Of the latest build that has one. */
  readonly releaseId: string | null;
  readonly promotes: readonly DeployPromote[];
  /** Started under it, in order. */
  readonly processIds: readonly string[];
  /** The latest command per pid, as the wire shows it. */
  readonly execCommands: Readonly<Record<string, string>>;
  readonly commands: readonly DeployCommand[];
  readonly extensionCount: number;
  readonly deployedAt: Instant | null;
  readonly deployedByTokenId: string | null;
  readonly deployedByPersonId: string | null;
  readonly supersededBy: string | null;
}

export interface CapturedManifest {
  readonly path: string;
  readonly text: string;
}

/** One archive that the gate let through (deploy R-BIND-5); never changed afterwards. */
export interface DeployObject {
  readonly scope: string;
  readonly app: string;
  readonly key: string;
  /** As the rack answered: `object://{app}/{key}`. */
  readonly url: string;
  readonly bytes: number;
  /** SHA-256 of the bytes as sent, hex. */
  readonly objectSha256: string;
  readonly sourceDigest: string;
  readonly manifests: readonly CapturedManifest[];
  /** Approvals whose commit it was found to belong to when it arrived; none where the caller needed no approval. */
  readonly approvalIds: readonly string[];
  /** Whose upload it was: a token by its public id, or a person. */
  readonly tokenId: string | null;
  readonly personId: string | null;
  readonly uploadedAt: Instant;
}
