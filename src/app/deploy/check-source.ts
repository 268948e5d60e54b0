/**
 * Is this archive the approved commit? Every file against the stored tree, the manifests by their structure. Implements the wiring of
 * docs/spec/deploy.md R-SOURCE-1, R-SOURCE-3 and R-SOURCE-5.
 */
import { contentRefused } from "../../gates/deploy/call-refusals.ts";
import { refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { checkImages } from "../../gates/deploy/image-rules.ts";
import { manifestDifference } from "../../gates/deploy/manifest-difference.ts";
import { manifestImages } from "../../gates/deploy/manifest-images.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import { checkSource, sourceRefusal, type SourceDifference } from "../../gates/deploy/source-check.ts";
import type { ArchiveListing } from "../../ports/archive-reader.ts";
import type { DeployApprovalRecord, DeployTreeRecord, DeployWarning } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { committedManifest } from "./check-manifest.ts";
import { treeRecordId } from "./tree-record-id.ts";

/** What an archive is compared with; null where nothing is. */
export interface SourceTree {
  readonly record: DeployTreeRecord;
  /** A difference is refused; else it is recorded and shown. */
  readonly isEnforced: boolean;
}

/** Decided before the archive arrives, since its blob ids are made on the way. */
export async function sourceTreeOf(
  app: Application,
  settings: AppSettings,
  { record, approvedAt }: { readonly record: DeployApprovalRecord; readonly approvedAt: number },
): Promise<SourceTree | DeployRefusal | null> {
  const mode = settings.verifySource.value;
  if (mode === "off") return null;
  const { sourceTree } = record;
  const repository = settings.vcsRepo.value;
  const id = sourceTree.state === "ready" ? treeRecordId({ record, repository, treeId: sourceTree.treeId }) : null;
  const [tree] = id === null ? [] : await app.reader.records(recordsBy("deployTree", "id", [id]));
  if (tree?.orgId === record.orgId) {
    // What became known after the approval was not shown to who approved.
    return { record: tree, isEnforced: mode === "enforce" || (mode === "auto" && tree.readAt <= approvedAt) };
  }
  if (mode !== "enforce") return null;
  if (sourceTree.state === "pending") {
    return refuseDeploy("source_not_ready", "the commit's files are still being read", ["Try again shortly."]);
  }
  const why = sourceTree.state === "unavailable" ? sourceTree.why : "what was read of them is gone";
  return refuseDeploy("source_not_ready", "the commit's files are not known", [why, "Make a new approval request."]);
}

export interface SourceVerdict {
  readonly refusal: DeployRefusal | null;
  readonly warnings: readonly DeployWarning[];
}

const PASSED: SourceVerdict = { refusal: null, warnings: [] };

export interface SourceArchive {
  readonly listing: Pick<ArchiveListing, "entries" | "manifests">;
  /** Git's id of a text as a blob. */
  readonly blobId: (format: "sha1" | "sha256", text: string) => string;
}

export async function verifySource(
  app: Application,
  settings: AppSettings,
  { record, tree }: { readonly record: DeployApprovalRecord; readonly tree: SourceTree },
  { listing, blobId }: SourceArchive,
): Promise<SourceVerdict> {
  const { objectFormat, files } = tree.record;
  const globs = app.deploy.manifests.globs(settings.allowedUntrackedPaths.value);
  const check = (acceptedManifests: ReadonlySet<string>): readonly SourceDifference[] => {
    const found = checkSource({
      ...{ commit: record.commit, objectFormat, tree: files, sourcePath: settings.sourcePath.value },
      ...{ entries: listing.entries, acceptedManifests },
      isAllowedUntracked: (path) => globs?.(path) ?? false,
      blobId: (text) => blobId(objectFormat, text),
    });
    return found.verdict === "verified" ? [] : found.differences;
  };
  const first = check(new Set());
  if (first.length === 0) return PASSED;
  const differing = new Set(first.filter(({ why }) => why === "differs").map(({ path }) => path));
  const accepted = await acceptedManifests(
    app,
    settings,
    record,
    listing.manifests.filter(({ path }) => differing.has(path)),
  );
  const differences = accepted.size === 0 ? first : check(accepted);
  if (differences.length === 0) return PASSED;
  const refusal = contentRefused(sourceRefusal(record.commit, differences));
  if (tree.isEnforced) return { refusal, warnings: [] };
  return { refusal: null, warnings: [{ code: "source_mismatch", message: refusal.message }] };
}

/** A committed manifest cannot name its own commit: one that differs in images alone passes if these satisfy the rules (R-SOURCE-5). */
async function acceptedManifests(
  app: Application,
  settings: AppSettings,
  record: DeployApprovalRecord,
  manifests: ArchiveListing["manifests"],
): Promise<ReadonlySet<string>> {
  const accepted = new Set<string>();
  for (const { path, text } of manifests) {
    const committed = await committedManifest(app, settings, { commit: record.commit, path });
    if (committed !== null && isSameButImages(app, settings, record, { text, committed })) accepted.add(path);
  }
  return accepted;
}

function isSameButImages(
  app: Application,
  settings: AppSettings,
  record: DeployApprovalRecord,
  { text, committed }: { readonly text: string; readonly committed: string },
): boolean {
  const [own, theirs] = [app.deploy.manifests.yaml(text), app.deploy.manifests.yaml(committed)];
  if ("why" in own || "why" in theirs) return false;
  const difference = manifestDifference(own.value, theirs.value);
  if (difference.kind !== "images") return difference.kind === "none";
  const [manifest, before] = [manifestImages(own.value), manifestImages(theirs.value)];
  if ("why" in manifest || "why" in before) return false;
  const checked = checkImages(
    {
      ...{ access: "approval", commit: record.commit, requestImages: record.images, manifest, committed: before },
      ...{ active: null, repositories: null, requireDigest: settings.requireImageDigest.value },
      patterns: settings.serviceImagePatterns.value ?? {},
      compile: (source) => app.deploy.manifests.expression(source),
    },
    difference.keys,
  );
  return !("code" in checked);
}
