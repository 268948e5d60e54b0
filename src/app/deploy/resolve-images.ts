/**
 * What the images of a manifest lead to, as their registries say now (docs/spec/deploy.md R-IMAGE-8): at creation, where the committed
 * manifest can be read, when a build is created, and at a promote where digests are enforced.
 */
import { askedName, askedReferences, foundImages, type FoundImage } from "../../gates/deploy/image-digests.ts";
import type { ManifestImage } from "../../gates/deploy/manifest-images.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import type { Application } from "../application.ts";
import { committedManifest, manifestImagesIn } from "./check-manifest.ts";

/** Nobody is asked where digests are not wanted. */
export async function resolveImages(
  app: Application,
  settings: AppSettings,
  images: readonly ManifestImage[],
): Promise<readonly FoundImage[]> {
  if (settings.imageDigestResolution.value === "off") return foundImages(images, null);
  const references = askedReferences(images);
  const answers = references.length === 0 ? [] : await app.deploy.registries.digests(references);
  const told = references.flatMap((reference, at) => {
    const answer = answers[at];
    return answer === undefined ? [] : [[askedName(reference), answer] as const];
  });
  return foundImages(images, new Map(told));
}

/** Of the commit; what leads nowhere yet, because it is still to be built, is left out. */
export async function committedDigests(
  app: Application,
  settings: AppSettings,
  commit: string,
): Promise<readonly FoundImage[]> {
  const [path] = settings.approvedManifests.value;
  if (settings.imageDigestResolution.value === "off" || path === undefined) return [];
  const text = await committedManifest(app, settings, { commit, path });
  const manifest = text === null ? null : manifestImagesIn(app, text);
  if (manifest === null || "why" in manifest) return [];
  const found = await resolveImages(app, settings, manifest.images);
  return found.filter(({ digest }) => digest !== null);
}
