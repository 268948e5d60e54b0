/**
 * May what this manifest names run under this approval? Pattern and repository of every image, position by position.
 * Implements docs/spec/deploy.md R-IMAGE-4 to R-IMAGE-7 and what R-IMAGE-8 binds without asking a registry.
 */
import { type ContentRefusal, manifestRefusal, shown } from "./content-refusal.ts";
import {
  type CompileExpression,
  DEFAULT_PATTERN,
  explicitPattern,
  type ImagePatterns,
  patternSource,
  type WholeMatch,
  withFullCommit,
} from "./image-pattern.ts";
import { committedRepository, type ImageReference, imageReference, isInRepository } from "./image-reference.ts";
import type { ManifestImage, ManifestImages } from "./manifest-images.ts";

export interface ImageQuestion {
  /** `direct`: the caller may deploy without an approval; only what somebody set up explicitly binds him (R-IMAGE-5). */
  readonly access: "approval" | "direct";
  /** The approved commit, or of a direct caller the form's full `git-sha`; null where that one is missing. */
  readonly commit: string | null;
  /** Settings `service_image_patterns`, `image_repositories` and `require_image_digest`. */
  readonly patterns: ImagePatterns;
  readonly repositories: readonly string[] | null;
  readonly requireDigest: boolean;
  /** `images` of the request: service to a reference with a digest. */
  readonly requestImages: Readonly<Record<string, string>>;
  readonly manifest: ManifestImages;
  /** Of the commit, and of the app's active build; null where they are not known. */
  readonly committed: ManifestImages | null;
  readonly active: ManifestImages | null;
  readonly compile: CompileExpression;
}

export interface CheckedImage extends ManifestImage {
  /** Null where nothing was to be checked, and it is no reference. */
  readonly reference: ImageReference | null;
  /** No earlier manifest says which repository this position uses. */
  readonly firstUse: boolean;
}

export interface CheckedImages {
  readonly images: readonly CheckedImage[];
  readonly built: readonly string[];
}

/** The first refusal answers; `only` restricts the question to some positions, by their keys. */
export function checkImages(question: ImageQuestion, only?: ReadonlySet<string>): CheckedImages | ContentRefusal {
  const { access, commit, patterns, manifest } = question;
  if (access === "direct" && Object.keys(patterns).length > 0 && commit === null) return NO_GIT_SHA;
  const service = manifest.built.find(
    (name) => explicitPattern(patterns, { kind: "service", name, key: name }) !== null,
  );
  if (service !== undefined && only === undefined) {
    const reason = `service ${shown(service)} must use a pre-built image (image pattern is configured for this service)`;
    return manifestRefusal("image_pattern", reason, ["Give the service an image, or change service_image_patterns."]);
  }
  const pinned = manifest.built.find((name) => Object.hasOwn(question.requestImages, name));
  if (pinned !== undefined && only === undefined) return builtInstead(pinned, question.requestImages[pinned]);
  const images: CheckedImage[] = [];
  for (const image of manifest.images) {
    if (only !== undefined && !only.has(image.key)) continue;
    const checked = checkImage(question, image);
    if ("code" in checked) return checked;
    images.push(checked);
  }
  return { images, built: manifest.built };
}

/** What the rack builds has no digest that the request could have named (deploy R-IMAGE-8). */
function builtInstead(name: string, pinned = ""): ContentRefusal {
  return manifestRefusal("image_pattern", `service ${shown(name)} has no image, and the request names one`, [
    `The request names ${shown(pinned)}.`,
  ]);
}

const NO_GIT_SHA: ContentRefusal = {
  code: "git_sha_required",
  status: 400,
  message: "git-sha is required when image pattern validation is configured",
  lines: ["Run from a git checkout, or name the commit with --git-sha."],
};

function checkImage(question: ImageQuestion, image: ManifestImage): CheckedImage | ContentRefusal {
  const pattern = explicitPattern(question.patterns, image);
  const bound =
    question.access === "approval" || pattern !== null || question.repositories !== null || question.requireDigest;
  const reference = imageReference(image.image);
  if (!bound) return { ...image, reference, firstUse: false };
  if (image.image.includes("${")) {
    return manifestRefusal("image_pattern", `${label(image)} uses interpolation and cannot be validated`, [
      "Write the image into the manifest before it is packed.",
    ]);
  }
  if (reference === null) return manifestRefusal("image_pattern", `${label(image)} is not an image reference`);
  const refused =
    patternRefusal(question, image, reference, pattern) ??
    digestRefusal(question, image, reference) ??
    repositoryRefusal(question, image, reference);
  return refused ?? { ...image, reference, firstUse: isFirstUse(question, image) };
}

function label({ kind, key, name, image }: ManifestImage): string {
  return `${kind === "resource" ? `resource ${shown(name)}` : `service ${shown(key)}`} image "${shown(image)}"`;
}

function patternRefusal(
  question: ImageQuestion,
  image: ManifestImage,
  reference: ImageReference,
  explicit: string | null,
): ContentRefusal | null {
  if (explicit === null && question.access === "direct") return null;
  if (explicit === null && image.kind === "resource") return changedResource(question, image);
  const pattern = explicit ?? DEFAULT_PATTERN;
  const { commit, compile, requestImages } = question;
  if (reference.tag === null && reference.digest !== null) {
    return untaggedRefusal(requestImages, image, reference, pattern);
  }
  // A direct caller with a pattern named his commit: without it he was refused before.
  const match = commit === null ? null : compile(patternSource(pattern, commit));
  if (commit === null || match === null) return mismatch(image, pattern, ["This pattern cannot be read."]);
  const { withoutDigest } = reference;
  return match(withoutDigest) ? null : mismatch(image, pattern, [tagAdvice(withoutDigest, commit, match)]);
}

function untaggedRefusal(
  requestImages: ImageQuestion["requestImages"],
  image: ManifestImage,
  { digest }: ImageReference,
  pattern: string,
): ContentRefusal | null {
  if (Object.values(requestImages).some((pinned) => imageReference(pinned)?.digest === digest)) return null;
  return mismatch(image, pattern, ["An image without a tag has to be among the images of the request."]);
}

/** A resource that no pattern covers stays what it was. */
function changedResource({ committed, active }: ImageQuestion, image: ManifestImage): ContentRefusal | null {
  if ([committed, active].some((manifest) => imageAt(manifest, image) === image.image)) return null;
  return manifestRefusal("image_pattern", `${label(image)} is not the one of the commit or of the active build`, [
    `Commit it, or set a pattern for resources.${shown(image.name)} in service_image_patterns.`,
  ]);
}

function tagAdvice(image: string, commit: string, match: WholeMatch): string {
  const full = withFullCommit(image, commit, match);
  return full === null
    ? `{{GIT_COMMIT}} is ${commit}. Tag the image with the commit, or set service_image_patterns.`
    : `Tag it with the full commit (${shown(full)}), or use {{GIT_COMMIT_SHORT}} in the pattern.`;
}

function mismatch(image: ManifestImage, pattern: string, lines: readonly string[]): ContentRefusal {
  return manifestRefusal("image_pattern", `${label(image)} does not match required pattern "${shown(pattern)}"`, lines);
}

/** Digests that the request or the manifest names are binding (deploy R-IMAGE-8). */
function digestRefusal(
  { requestImages, requireDigest }: ImageQuestion,
  image: ManifestImage,
  reference: ImageReference,
): ContentRefusal | null {
  if (requireDigest && reference.digest === null) {
    return manifestRefusal("image_pattern", `${label(image)} has no digest`, [
      "Name the image with its @sha256: digest.",
    ]);
  }
  const pinned = Object.hasOwn(requestImages, image.key) ? requestImages[image.key] : undefined;
  if (pinned === undefined) return null;
  const wanted = imageReference(pinned);
  const same =
    wanted?.repository === reference.repository && (reference.digest === null || reference.digest === wanted.digest);
  return same
    ? null
    : manifestRefusal("image_pattern", `${label(image)} is not the image of the request`, [
        `The request names ${shown(pinned)}.`,
      ]);
}

function repositoryRefusal(
  question: ImageQuestion,
  image: ManifestImage,
  reference: ImageReference,
): ContentRefusal | null {
  const { access, repositories } = question;
  if (repositories !== null) {
    return repositories.some((allowed) => isInRepository(reference.repository, allowed))
      ? null
      : notUsed(image, reference, "It is in none of image_repositories.");
  }
  const expected = access === "direct" ? null : usedRepository(question, image);
  if (expected === null || expected === reference.repository) return null;
  return notUsed(image, reference, `Until now it was ${shown(expected)}; set image_repositories to allow others.`);
}

function notUsed({ kind, key, name }: ManifestImage, reference: ImageReference, line: string): ContentRefusal {
  const where = kind === "resource" ? `resource ${shown(name)}` : `service ${shown(key)}`;
  const reason = `${where} image repository "${reference.name}" is not the one this app uses`;
  return manifestRefusal("image_repository", reason, [line]);
}

function isFirstUse(question: ImageQuestion, image: ManifestImage): boolean {
  return question.access === "approval" && question.repositories === null && usedRepository(question, image) === null;
}

/** Of this position in the commit, else in the app's active build. */
function usedRepository({ committed, active }: ImageQuestion, image: ManifestImage): string | null {
  for (const manifest of [committed, active]) {
    const text = imageAt(manifest, image);
    const repository = text === null ? null : committedRepository(text);
    if (repository !== null) return repository;
  }
  return null;
}

function imageAt(manifest: ManifestImages | null, { kind, name }: ManifestImage): string | null {
  return manifest?.images.find((other) => other.kind === kind && other.name === name)?.image ?? null;
}
