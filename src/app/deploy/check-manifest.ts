/**
 * May what the manifest of this build names run? The captured manifest against patterns and repositories, beside the committed one and
 * that of the app's active build. Implements the wiring of docs/spec/deploy.md R-MANIFEST-4, R-IMAGE-4 to R-IMAGE-7.
 */
import { isJsonObject } from "../../core/json.ts";
import { contentRefused, manifestInvalid, rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import type { DeployObject } from "../../gates/deploy/deploy-records.ts";
import type { DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { checkImages, type CheckedImages, type ImageQuestion } from "../../gates/deploy/image-rules.ts";
import { manifestImages, type ManifestImages } from "../../gates/deploy/manifest-images.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import type { Rack, RackActor } from "../../ports/rack.ts";
import type { Application } from "../application.ts";
import { repositoryOf } from "./app-repository.ts";

export interface ManifestCheck {
  readonly access: ImageQuestion["access"];
  readonly appName: string;
  readonly settings: AppSettings;
  readonly rack: Rack;
  readonly actor: RackActor;
  /** Full; null where a direct caller named none. */
  readonly commit: string | null;
  readonly requestImages: Readonly<Record<string, string>>;
  readonly object: Pick<DeployObject, "manifests">;
  readonly path: string;
}

const VCS_BUDGET_MS = 10_000;

/** Null when it may. */
export async function checkManifest(app: Application, check: ManifestCheck): Promise<DeployRefusal | null> {
  const checked = await checkedManifest(app, check);
  return "code" in checked ? checked : null;
}

/** Its images when it may. */
export async function checkedManifest(app: Application, check: ManifestCheck): Promise<CheckedImages | DeployRefusal> {
  const { settings, object, path, access, commit, requestImages } = check;
  const captured = object.manifests.find((manifest) => manifest.path === path);
  if (captured === undefined) return manifestInvalid(`${path} not found in tarball`);
  const manifest = manifestImagesIn(app, captured.text);
  if ("why" in manifest) return manifestInvalid(manifest.why);
  const repositories = settings.imageRepositories.value;
  const isCompared = access === "approval";
  const committed = isCompared ? await committedImages(app, check) : null;
  const active = isCompared && committed === null ? await activeImages(app, check) : null;
  if (active === "silent") return rackUnreachable();
  const checked = checkImages({
    ...{ access, commit, requestImages, manifest, committed, active, repositories },
    patterns: settings.serviceImagePatterns.value ?? {},
    requireDigest: settings.requireImageDigest.value,
    compile: (source) => app.deploy.manifests.expression(source),
  });
  return "code" in checked ? contentRefused(checked) : checked;
}

/** The images of a manifest, or why it has none, as it continues `manifest validation failed: `. */
export function manifestImagesIn(app: Application, text: string): ManifestImages | { readonly why: string } {
  const read = app.deploy.manifests.yaml(text);
  return "why" in read ? read : manifestImages(read.value);
}

/** Null where version control does not tell: then the active build says which repositories are used. */
async function committedImages(
  app: Application,
  { settings, commit, path }: ManifestCheck,
): Promise<ManifestImages | null> {
  const text = commit === null ? null : await committedManifest(app, settings, { commit, path });
  const images = text === null ? null : manifestImagesIn(app, text);
  return images === null || "why" in images ? null : images;
}

/** The committed file, as text; null where it cannot be had. */
export async function committedManifest(
  app: Application,
  settings: AppSettings,
  { commit, path }: { readonly commit: string; readonly path: string },
): Promise<string | null> {
  const repository = repositoryOf(app, settings, VCS_BUDGET_MS);
  if (repository === null) return null;
  const directory = settings.sourcePath.value.replace(/^\.$|\/+$/g, "");
  const answer = await repository.file(commit, directory === "" ? path : `${directory}/${path}`);
  return answer.kind === "found" ? new TextDecoder().decode(answer.value) : null;
}

/** Of the release that runs now; null where none does. */
async function activeImages(
  app: Application,
  { rack, actor, appName }: ManifestCheck,
): Promise<ManifestImages | "silent" | null> {
  const running = await memberOf(rack, actor, `/apps/${appName}`, "release");
  if (running === "silent" || running === "") return running === "" ? null : running;
  const text = await memberOf(rack, actor, `/apps/${appName}/releases/${encodeURIComponent(running)}`, "manifest");
  if (text === "silent") return "silent";
  const images = manifestImagesIn(app, text);
  return "why" in images ? null : images;
}

/** A text member of the rack's answer; empty where it has none. */
async function memberOf(rack: Rack, actor: RackActor, path: string, member: string): Promise<string> {
  const answer = await rack.ask({ path, actor });
  if (answer.status === 404) return "";
  if (answer.status !== 200 || !isJsonObject(answer.json)) return "silent";
  const value = answer.json[member];
  return typeof value === "string" ? value : "";
}
