/**
 * Accepts an archive under its approvals, before its last bytes go to the rack, and remembers it once the rack has it
 * (docs/spec/deploy.md R-BIND-4 to R-BIND-6, R-STATE-9).
 */
import type { Instant } from "../../core/person.ts";
import { admitArchive, isAdmitted } from "../../gates/deploy/admit-archive.ts";
import { differingPaths, type ArchivePaths } from "../../gates/deploy/archive-paths.ts";
import { archiveDiffers, noActiveApproval, objectKeyInUse, uploadAttempts } from "../../gates/deploy/call-refusals.ts";
import { shown } from "../../gates/deploy/content-refusal.ts";
import type { CapturedManifest } from "../../gates/deploy/deploy-records.ts";
import type { DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { deployStatus } from "../../gates/deploy/deploy-status.ts";
import { uploadsMax } from "../../gates/deploy/gated-call.ts";
import { isId } from "../../core/ids.ts";
import type { World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord, DeployWarning } from "../../ports/deploy-records.ts";
import { recordsBy, type RecordChanges } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { credentialNeeds, credentialRefusal } from "../grant-act.ts";
import { NO_CHANGE } from "../no-change.ts";
import { currentApproval, type CurrentApproval } from "./admit-call.ts";
import { approvalOf } from "./approval-standing.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";

export interface UploadedArchive {
  readonly scope: string;
  readonly app: string;
  readonly key: string;
  readonly bytes: number;
  /** Hex. */
  readonly objectSha256: string;
  readonly sourceDigest: string;
  readonly manifests: readonly CapturedManifest[];
}

export interface OfferedArchive {
  readonly archive: UploadedArchive;
  readonly about: CallAbout;
  /** Those whose commit it was found to belong to. */
  readonly approvals: readonly { readonly id: string; readonly requestId: string }[];
  readonly admittedAt: Instant;
  readonly paths: ArchivePaths;
  /** Differences that are recorded and shown, and not refused. */
  readonly warnings: readonly DeployWarning[];
}

export interface TakenArchive {
  /** Public ids. */
  readonly approvalIds: readonly string[];
  /** The one that it belongs to, where it can be of one only. */
  readonly approval: CallApproval | null;
}

/** Keys that are on their way to a rack: nobody else may use one of them meanwhile. */
const RESERVED_MS = 2 * 60 * 60_000;

/** False when somebody else uploads to this key now; answered by the database, so also for other processes. */
export function reserveKey(app: Application, { scope, app: name, key }: UploadedArchive): Promise<boolean> {
  const now = app.clock();
  return app.scratch.add("spentProof", {
    ...{ scope: `deploy_object ${app.orgId} ${scope}/${name}`, value: key, answer: null },
    ...{ spentAt: now, expiresAt: now + RESERVED_MS },
  });
}

/** Pins the content. From here on the rack may have the whole of it. */
export async function takeArchive(app: Application, offered: OfferedArchive): Promise<TakenArchive | DeployRefusal> {
  const taken = await submitArchive(app, offered);
  const isOther = "code" in taken && taken.code === "archive_differs";
  return isOther ? archiveDiffers(await pathsThatDiffer(app, offered)) : taken;
}

/** From the content that is pinned, as far as its list of files goes; none where there is no list any more. */
async function pathsThatDiffer(app: Application, { approvals, paths }: OfferedArchive): Promise<readonly string[]> {
  const ids = approvals.map(({ id }) => id);
  const records = await app.reader.records(recordsBy("deployApproval", "id", ids));
  const pinned = records.find(({ sourceDigest }) => sourceDigest !== null)?.sourceDigest ?? null;
  const kept = pinned === null ? [] : [archiveId(app, pinned)];
  const [archive] = await app.reader.records(recordsBy("deployArchive", "id", kept));
  return archive === undefined ? [] : differingPaths(archive, paths).map(shown);
}

function archiveId({ orgId }: Application, sourceDigest: string): string {
  return `${orgId} ${sourceDigest}`;
}

/** No approval that an archive is pinned to lasts longer. */
const KEPT_MS = 8 * 24 * 60 * 60_000;

/** Its files, where it is pinned now or may be by a build: whoever comes later is told in which of them they differ (R-BIND-6). */
function archiveRecords(app: Application, { archive, paths }: OfferedArchive, now: Instant): RecordChanges {
  const id = archiveId(app, archive.sourceDigest);
  return { deployArchive: [{ id, orgId: app.orgId, ...paths, expiresAt: now + KEPT_MS }] };
}

function submitArchive(app: Application, offered: OfferedArchive): Promise<TakenArchive | DeployRefusal> {
  const { archive, about, approvals } = offered;
  return app.store.submit<TakenArchive | DeployRefusal>({
    name: "take_archive",
    needs: {
      requestIds: approvals.flatMap(({ requestId }) => (isId<"request">(requestId) ? [requestId] : [])),
      records: [
        recordsBy(
          "deployApproval",
          "id",
          approvals.map(({ id }) => id),
        ),
        recordsBy("deployObject", "key", [archive.key]),
        ...(credentialNeeds(about.actor).records ?? []),
      ],
    },
    carryOut(world) {
      const found = approvals.flatMap(({ id }) => currentApproval(world, id));
      const open = takers(found, offered, world);
      if ("code" in open) return { answer: open, changes: NO_CHANGE };
      const admitted = admitArchive(
        open.map(({ record, request }) => approvalOf(record, request)),
        archive.sourceDigest,
        [],
      );
      if (!isAdmitted(admitted)) return { answer: admitted, changes: NO_CHANGE };
      const taken = open.filter(({ record }) => admitted.approvals.some(({ id }) => id === record.id));
      const [only] = taken;
      const approval = taken.length === 1 && only !== undefined ? linkOf(only) : null;
      const figures = { objectDigest: `sha256:${archive.objectSha256}`, more: { source_digest: archive.sourceDigest } };
      return {
        answer: { approvalIds: taken.map(({ record }) => record.id), approval },
        changes: {
          entries: [callEntry(app, "object_uploaded", { ...about, approval }, figures)],
          records: {
            ...(taken.some(({ record }) => record.sourceDigest === null)
              ? archiveRecords(app, offered, world.now)
              : {}),
            deployApproval: taken.map(({ record }) => ({
              ...record,
              version: record.version + 1,
              uploadCount: record.uploadCount + 1,
              sourceDigest: admitted.pins?.id === record.id ? archive.sourceDigest : record.sourceDigest,
              warnings: withWarnings(record.warnings, offered.warnings),
            })),
          },
        },
      };
    },
  });
}

function linkOf({ record, request }: CurrentApproval): CallApproval {
  return { id: record.id, requestId: request.id, digest: request.digest };
}

/** Revocation counts at once, the end of the window only for calls that came after it (R-STATE-9, R-EXPIRY-3). */
function takers(
  found: readonly CurrentApproval[],
  { archive, about, admittedAt }: OfferedArchive,
  world: World,
): readonly CurrentApproval[] | DeployRefusal {
  const gone = credentialRefusal(about.actor, world);
  if (gone !== null) return noActiveApproval(gone.message, "");
  if (isRecorded(world, about.orgId, archive)) return objectKeyInUse();
  const standing = found.filter(({ record, request }) => {
    const { standing } = approvalOf(record, request);
    const status = deployStatus(standing, admittedAt);
    return status === "approved" || status === "expired";
  });
  if (standing.length === 0) {
    return noActiveApproval("The approval was taken back while the archive was being uploaded.", "");
  }
  const open = standing.filter(({ record }) => record.uploadCount < uploadsMax);
  return open.length === 0 ? uploadAttempts(uploadsMax) : open;
}

function isRecorded(world: World, orgId: string, { scope, app, key }: UploadedArchive): boolean {
  return world
    .records("deployObject", "key", key)
    .some((object) => object.orgId === orgId && object.scope === scope && object.app === app);
}

function withWarnings(before: readonly DeployWarning[], added: readonly DeployWarning[]): readonly DeployWarning[] {
  const fresh = added.filter(({ code }) => !before.some((known) => known.code === code));
  return fresh.length === 0 ? before : [...before, ...fresh];
}

export interface StoredArchive {
  readonly archive: UploadedArchive;
  readonly about: CallAbout;
  /** Public ids of the approvals that it was taken under; empty where the caller needed none. */
  readonly approvalIds: readonly string[];
  /** Of the rack's answer; null where there was none. */
  readonly status: number | null;
  /** As the rack answered; null where it has not the whole. */
  readonly url: string | null;
  /** Null for a workload that came without a token of ours. */
  readonly by: { readonly tokenId: string } | { readonly personId: string } | null;
  readonly durationMs: number;
}

/** Refuses only a key that somebody recorded meanwhile. */
export function recordUpload(app: Application, stored: StoredArchive): Promise<DeployRefusal | null> {
  const { archive, about, approvalIds, url, status, durationMs, by } = stored;
  return app.store.submit<DeployRefusal | null>({
    name: "record_upload",
    needs: {
      records: [recordsBy("deployApproval", "id", approvalIds), recordsBy("deployObject", "key", [archive.key])],
    },
    carryOut(world) {
      const figures = { status, durationMs, objectDigest: `sha256:${archive.objectSha256}` };
      const direct = approvalIds.length === 0 && url !== null ? (["object_uploaded"] as const) : [];
      const entries = (["call_ended", ...direct] as const).map((kind) => callEntry(app, kind, about, figures));
      if (url === null) return { answer: null, changes: { entries } };
      if (isRecorded(world, app.orgId, archive)) return { answer: objectKeyInUse(), changes: { entries } };
      const approvals = approvalIds.flatMap((id) => world.records("deployApproval", "id", id));
      const object = {
        ...{ orgId: app.orgId, ...archive, url, approvalIds, uploadedAt: world.now },
        tokenId: by !== null && "tokenId" in by ? by.tokenId : null,
        personId: by !== null && "personId" in by ? by.personId : null,
      };
      const deployApproval = approvals.map((record): DeployApprovalRecord => ({
        ...record,
        version: record.version + 1,
        objectKey: archive.key,
        objectUrl: url,
      }));
      return { answer: null, changes: { entries, records: { deployApproval, deployObject: [object] } } };
    },
  });
}
