/**
 * What a build or a promote would put into effect, beside what was recorded when it was approved: the digests of its images, the
 * environment, the active release. Asked before the transaction, judged inside it. Implements docs/spec/deploy.md R-IMAGE-8, R-BIND-11
 * and R-BIND-12.
 */
import type { Instant } from "../../core/person.ts";
import { contentRefused, manifestInvalid, rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import { isDeployRefusal, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import {
  driftOf,
  driftRefusal,
  isDrift,
  isSameDrift,
  type DriftRules,
  type RackState,
} from "../../gates/deploy/drift.ts";
import type { GatedPermit } from "../../gates/deploy/gated-facts.ts";
import {
  changedImage,
  changeRefusal,
  otherThanRequested,
  rackBuilt,
  unpinnedRefusal,
  withFoundImages,
  type DigestMode,
  type FoundImage,
} from "../../gates/deploy/image-digests.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import type { DescribedEntry } from "../../ports/change-set.ts";
import type { DeployApprovalRecord, DeployWarning } from "../../ports/deploy-records.ts";
import type { Rack, RackActor } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { callEntry, type CallAbout } from "./call-entry.ts";
import { checkedManifest, manifestImagesIn } from "./check-manifest.ts";
import { rackStateOf } from "./rack-state.ts";
import { resolveImages } from "./resolve-images.ts";

/** As it was found before the transaction. */
export interface CallContent {
  readonly action: "build_create" | "release_promote";
  readonly images: readonly FoundImage[];
  /** Services that the rack builds; of a promote they are not asked again. */
  readonly built: readonly string[];
  readonly mode: DigestMode;
  /** Null where a build is created: then nothing is put into effect yet. */
  readonly rackState: RackState | null;
  readonly drift: DriftRules;
}

export interface ContentAsk {
  readonly rack: Rack;
  readonly actor: RackActor;
  readonly appName: string;
  readonly settings: AppSettings;
}

type BuildPermit = Extract<GatedPermit, { readonly action: "build_create" }>;
type PromotePermit = Extract<GatedPermit, { readonly action: "release_promote" }>;

/** Null for calls that put nothing into effect. */
export async function callContent(
  app: Application,
  ask: ContentAsk,
  permit: GatedPermit,
  record: DeployApprovalRecord,
): Promise<CallContent | DeployRefusal | null> {
  if (permit.action !== "build_create" && permit.action !== "release_promote") return null;
  // What is over is not asked about again.
  if (record.imageChange !== null) return changeRefusal(record.imageChange);
  return permit.action === "build_create"
    ? buildContent(app, ask, permit, record)
    : promoteContent(app, ask, permit, record);
}

async function buildContent(
  app: Application,
  { rack, actor, appName, settings }: ContentAsk,
  { object, form }: BuildPermit,
  record: DeployApprovalRecord,
): Promise<CallContent | DeployRefusal> {
  const manifest = await checkedManifest(app, {
    ...{ access: "approval", appName, settings, rack, actor, object, path: form.manifest },
    ...{ commit: record.commit, requestImages: record.images },
  });
  if ("code" in manifest) return manifest;
  const images = await resolveImages(app, settings, manifest.images);
  return { action: "build_create", images, built: manifest.built, rackState: null, ...rulesOf(settings) };
}

async function promoteContent(
  app: Application,
  { rack, actor, appName, settings }: ContentAsk,
  { build, releaseId }: PromotePermit,
  record: DeployApprovalRecord,
): Promise<CallContent | DeployRefusal> {
  const rules = rulesOf(settings);
  // A tag that led to the requested digest when it was built may lead elsewhere now.
  const isBound = rules.mode === "enforce" || Object.keys(record.images).length > 0;
  const images = isBound ? await builtImages(app, settings, build, record) : [];
  if (isRefused(images)) return images;
  const rackState = await rackStateOf(app, { rack, actor, appName, release: releaseId });
  const isDenied = rules.drift.environment === "deny" || rules.drift.base === "deny";
  if (rackState === null && isDenied) return rackUnreachable();
  return { action: "release_promote", images, built: [], rackState, ...rules };
}

/** Of the manifest that was built, once more. */
async function builtImages(
  app: Application,
  settings: AppSettings,
  { objectKey, manifest: path }: PromotePermit["build"],
  { orgId, scope, app: appName }: DeployApprovalRecord,
): Promise<readonly FoundImage[] | DeployRefusal> {
  const objects = await app.reader.records(recordsBy("deployObject", "key", [objectKey]));
  const object = objects.find((one) => one.orgId === orgId && one.scope === scope && one.app === appName);
  const captured = object?.manifests.find((manifest) => manifest.path === path);
  if (captured === undefined) return manifestInvalid(`${path} not found in tarball`);
  const manifest = manifestImagesIn(app, captured.text);
  return "why" in manifest ? manifestInvalid(manifest.why) : resolveImages(app, settings, manifest.images);
}

function isRefused(value: readonly FoundImage[] | DeployRefusal): value is DeployRefusal {
  return isDeployRefusal(value);
}

function rulesOf(settings: AppSettings): Pick<CallContent, "mode" | "drift"> {
  return {
    mode: digestMode(settings.imageDigestResolution.value),
    drift: {
      environment: settings.driftEnv.value === "deny" ? "deny" : "record",
      base: settings.driftBase.value === "deny" ? "deny" : "record",
    },
  };
}

function digestMode(value: string): DigestMode {
  return value === "off" || value === "record" ? value : "enforce";
}

export interface ContentVerdict {
  readonly refusal: DeployRefusal | null;
  /** With what was found; the same where nothing is new. Its version is whoever writes it to raise. */
  readonly record: DeployApprovalRecord;
  readonly entries: readonly DescribedEntry[];
}

/** By the record as the transaction finds it. */
export function contentVerdict(
  app: Application,
  content: CallContent,
  { record, about, now }: { readonly record: DeployApprovalRecord; readonly about: CallAbout; readonly now: Instant },
): ContentVerdict {
  const images = imagesVerdict(app, content, { record, about, now });
  if (images.refusal !== null || content.action === "build_create") return images;
  return driftVerdict(app, content, { record: images.record, about, now });
}

interface Judging {
  readonly record: DeployApprovalRecord;
  readonly about: CallAbout;
  readonly now: Instant;
}

function imagesVerdict(app: Application, content: CallContent, { record, about, now }: Judging): ContentVerdict {
  const { action, images, mode } = content;
  const plain = { record, entries: [] };
  if (record.imageChange !== null) return { ...plain, refusal: changeRefusal(record.imageChange) };
  const other = otherThanRequested(record.images, images);
  if (other !== null) return { ...plain, refusal: contentRefused(other) };
  const change = changedImage(record.imageDigests, images, now);
  if (mode === "enforce" && change !== null) {
    const more = { image_change: { service: change.key, recorded: change.recorded, found: change.found } };
    const entry = callEntry(app, "image_changed", about, { more });
    return { refusal: changeRefusal(change), record: { ...record, imageChange: change }, entries: [entry] };
  }
  const unpinned = mode === "enforce" ? unpinnedRefusal(action, record.imageDigests, images) : null;
  if (unpinned !== null) return { ...plain, refusal: isDeployRefusal(unpinned) ? unpinned : contentRefused(unpinned) };
  if (action !== "build_create") return { ...plain, refusal: null };
  const imageDigests = withFoundImages(record.imageDigests, [...images, ...rackBuilt(content.built)], now);
  const digestWarnings = mode === "off" ? [] : warningsOf(images, change !== null);
  const warnings = withWarnings(record.warnings, [...firstUseWarnings(images), ...digestWarnings]);
  return { refusal: null, record: { ...record, imageDigests, warnings }, entries: [] };
}

/** Nothing says that these repositories are this app's (R-IMAGE-7). */
function firstUseWarnings(images: readonly FoundImage[]): readonly DeployWarning[] {
  const fresh = images.filter(({ firstUse }) => firstUse === true).map(({ key, image }) => `${key}: ${image}`);
  if (fresh.length === 0) return [];
  const message = `First use of these images' repositories, which neither the commit nor the active build names: ${fresh.join("; ")}.`;
  return [{ code: "image_first_use", message }];
}

/** Where digests are recorded and not enforced, whoever looks at the request sees what is open. */
function warningsOf(images: readonly FoundImage[], isChanged: boolean): readonly DeployWarning[] {
  const open = images.filter(({ digest }) => digest === null).map(({ key, why }) => `${key}: ${why ?? "not asked"}`);
  return [
    ...(open.length === 0
      ? []
      : [{ code: "image_digest_unknown", message: `Images without a digest: ${open.join("; ")}.` }]),
    ...(isChanged
      ? [{ code: "image_digest_changed", message: "An image's tag leads to another digest than when it was recorded." }]
      : []),
  ];
}

function withWarnings(before: readonly DeployWarning[], added: readonly DeployWarning[]): readonly DeployWarning[] {
  const fresh = added.filter(({ code }) => !before.some((known) => known.code === code));
  return fresh.length === 0 ? before : [...before, ...fresh];
}

/** Recorded whether or not it is refused, once for each different finding. */
function driftVerdict(
  app: Application,
  { rackState, drift: rules }: CallContent,
  { record, about }: Judging,
): ContentVerdict {
  if (rackState === null) return { refusal: null, record, entries: [] };
  const drift = driftOf(record.rackState, rackState);
  const refusal = driftRefusal(drift, rules);
  if (isSameDrift(record.drift, drift)) return { refusal, record, entries: [] };
  const more = { drift: { environment: drift.environment, active_release: drift.base } };
  const entries = isDrift(drift) ? [callEntry(app, "drift_found", about, { more })] : [];
  return { refusal, record: { ...record, drift }, entries };
}
