/**
 * What the images of a manifest lead to, as their registries say now (docs/spec/deploy.md R-IMAGE-8): at creation, where the committed
 * manifest can be read, when a build is created, and at a promote where digests are enforced.
 */
import {
  askedName,
  askedReferences,
  foundImages,
  rackBuilt,
  type AskedImage,
  type FoundImage,
} from "../../gates/deploy/image-digests.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import type { Application } from "../application.ts";
import { committedManifest, manifestImagesIn } from "./check-manifest.ts";

/** Nobody is asked where digests are not wanted. */
export async function resolveImages(
  app: Application,
  settings: AppSettings,
  images: readonly AskedImage[],
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

/** Of the commit, with what the rack will build; an image that leads nowhere yet, because it is still to be built, is left out. */
export async function committedImages(
  app: Application,
  settings: AppSettings,
  commit: string,
): Promise<readonly FoundImage[]> {
  const [path] = settings.approvedManifests.value;
  if (path === undefined) return [];
  const text = await committedManifest(app, settings, { commit, path });
  const manifest = text === null ? null : manifestImagesIn(app, text);
  if (manifest === null || "why" in manifest) return [];
  const isAsked = settings.imageDigestResolution.value !== "off";
  const found = isAsked ? await resolveImages(app, settings, manifest.images) : [];
  return [...found.filter(({ digest }) => digest !== null), ...rackBuilt(manifest.built)];
}
