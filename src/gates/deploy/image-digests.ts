/**
 * What do the images of a manifest lead to, and is it still what was recorded? Implements docs/spec/deploy.md R-IMAGE-8 and R-BIND-11:
 * recorded digests stay, whatever a tag leads to later.
 */
import type { Instant } from "../../core/person.ts";
import { digestChanged } from "./call-refusals.ts";
import { type ContentRefusal, manifestRefusal, shown } from "./content-refusal.ts";
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";
import { imageReference, type ImageReference } from "./image-reference.ts";
import type { ManifestImage } from "./manifest-images.ts";

/** Setting `image_digest_resolution`. */
export type DigestMode = "off" | "record" | "enforce";

/** One position of a manifest, and what its reference led to. */
export interface FoundImage {
  /** `web`, `web.initContainer`, `resources.db`. */
  readonly key: string;
  /** As written. */
  readonly image: string;
  /** `sha256:…`; null where nobody asked, or nobody could tell. */
  readonly digest: string | null;
  /** Why nobody could tell; null otherwise. */
  readonly why: string | null;
  /** No earlier manifest says which repository this position uses (deploy R-IMAGE-7); else absent. */
  readonly firstUse?: true;
  /** A service without an image, which the rack builds from the uploaded source (deploy R-IMAGE-4); else absent. */
  readonly built?: true;
}

export interface RecordedImage extends FoundImage {
  readonly at: Instant;
}

/** A recorded digest that its reference no longer leads to. */
export interface ImageChange {
  readonly key: string;
  readonly recorded: string;
  readonly found: string;
  readonly at: Instant;
}

/** References that a registry has to be asked about, each once: those without a digest of their own. */
export function askedReferences(images: readonly ManifestImage[]): readonly ImageReference[] {
  const references = images.map(({ image }) => imageReference(image)).filter((reference) => reference !== null);
  const open = references.filter(({ digest }) => digest === null);
  return [...new Map(open.map((reference) => [askedName(reference), reference])).values()];
}

/** By which an answer is found again. */
export function askedName({ repository, tag }: ImageReference): string {
  return `${repository}:${tag ?? "latest"}`;
}

/** As a manifest names it, and as far as it was judged already. */
export interface AskedImage extends ManifestImage {
  readonly firstUse?: boolean;
}

/** `answers` by their names; null where nobody was asked. */
export function foundImages(
  images: readonly AskedImage[],
  answers: ReadonlyMap<string, { readonly digest: string } | { readonly why: string }> | null,
): readonly FoundImage[] {
  return images.map(({ key, image, firstUse }) => {
    const reference = imageReference(image);
    const one = { key, image, ...(firstUse === true ? { firstUse } : {}) };
    if (reference?.digest != null) return { ...one, digest: reference.digest, why: null };
    if (answers === null) return { ...one, digest: null, why: null };
    const answer = reference === null ? undefined : answers.get(askedName(reference));
    if (answer !== undefined && "digest" in answer) return { ...one, digest: answer.digest, why: null };
    return { ...one, digest: null, why: answer?.why ?? "it is no image reference" };
  });
}

/** Recorded beside the images, so that it is seen what the rack builds. */
export function rackBuilt(services: readonly string[]): readonly FoundImage[] {
  return services.map((key) => ({ key, image: "", digest: null, why: null, built: true }));
}

/** With what is new; what was recorded stays in its place. */
export function withFoundImages(
  recorded: readonly RecordedImage[],
  found: readonly FoundImage[],
  at: Instant,
): readonly RecordedImage[] {
  const isKnown = (one: FoundImage): boolean =>
    recorded.some(
      (before) =>
        isSame(before, one) &&
        (before.digest === one.digest || one.digest === null) &&
        (before.firstUse === true || one.firstUse !== true),
    );
  const fresh = found.filter((one) => !isKnown(one)).map((one) => ({ ...one, at }));
  return fresh.length === 0 ? recorded : [...recorded, ...fresh];
}

function isSame(one: FoundImage, other: FoundImage): boolean {
  return one.key === other.key && one.image === other.image;
}

/** The first image whose recorded digest is another one; null where all agree. The oldest record counts. */
export function changedImage(
  recorded: readonly RecordedImage[],
  found: readonly FoundImage[],
  at: Instant,
): ImageChange | null {
  for (const one of found) {
    const pinned = recorded.find((before) => isSame(before, one) && before.digest !== null)?.digest ?? null;
    if (pinned !== null && one.digest !== null && pinned !== one.digest) {
      return { key: one.key, recorded: pinned, found: one.digest, at };
    }
  }
  return null;
}

export function changeRefusal({ key, recorded, found }: ImageChange): DeployRefusal {
  return digestChanged(key, recorded, found);
}

/** Where digests are enforced nobody builds or deploys what leads to none, nor what was never recorded. */
export function unpinnedRefusal(
  action: "build_create" | "release_promote",
  recorded: readonly RecordedImage[],
  found: readonly FoundImage[],
): ContentRefusal | DeployRefusal | null {
  const open = found.find(({ digest }) => digest === null);
  if (open !== undefined) return noDigest(open);
  if (action === "build_create") return null;
  const fresh = found.find((one) => !recorded.some((before) => isSame(before, one) && before.digest !== null));
  if (fresh === undefined) return null;
  return refuseDeploy("approval_stale", "no image digest was recorded when the build was created", [
    `${shown(fresh.key)}: ${shown(fresh.image)}`,
    "Make a new approval request.",
  ]);
}

function noDigest({ key, image, why }: FoundImage): ContentRefusal {
  return manifestRefusal("image_pattern", `the digest of image "${shown(image)}" (${shown(key)}) is not known`, [
    shown(why ?? "No registry was asked."),
    "Name the image with its @sha256: digest, or have the server's configuration name its registry.",
  ]);
}

/**
 * Digests of the request bind in every mode (deploy R-IMAGE-8): a tag has to lead to the one that was named, and where nobody tells
 * what it leads to, the manifest has to name the digest itself.
 */
export function otherThanRequested(
  requested: Readonly<Record<string, string>>,
  found: readonly FoundImage[],
): ContentRefusal | null {
  for (const { key, image, digest, why } of found) {
    const wanted = Object.hasOwn(requested, key) ? imageReference(requested[key] ?? "")?.digest : undefined;
    if (wanted == null || wanted === digest) continue;
    const reason = `service ${shown(key)} image "${shown(image)}" is not the image of the request`;
    return manifestRefusal(
      "image_pattern",
      reason,
      digest === null
        ? [`The request names ${wanted}, the manifest no digest: ${shown(why ?? "no registry was asked")}.`, BY_DIGEST]
        : [`The request names ${wanted}, the tag leads to ${digest}.`],
    );
  }
  return null;
}

const BY_DIGEST = "Name the image in the manifest with its @sha256: digest.";
