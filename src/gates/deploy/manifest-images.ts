/**
 * Where does a manifest name images, and which services does the rack build? Implements docs/spec/deploy.md R-IMAGE-1 and the
 * last part of R-MANIFEST-4.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { shown } from "./content-refusal.ts";

export interface ManifestImage {
  readonly kind: "service" | "init_container" | "resource";
  /** Of the service or resource. */
  readonly name: string;
  /** The key that means exactly this position in `service_image_patterns`: `web`, `web.initContainer`, `resources.db`. */
  readonly key: string;
  /** As written. */
  readonly image: string;
}

export interface ManifestImages {
  readonly images: readonly ManifestImage[];
  /** Services without an image: the rack builds them from the archive. */
  readonly built: readonly string[];
}

/** The images, or why not, as it continues `manifest validation failed: `. */
export function manifestImages(manifest: JsonValue): ManifestImages | { readonly why: string } {
  const services = isJsonObject(manifest) ? manifest["services"] : undefined;
  if (!isJsonObject(manifest) || !isJsonObject(services) || Object.keys(services).length === 0) {
    return { why: "no services defined in manifest" };
  }
  const faults: string[] = [];
  const images: ManifestImage[] = [];
  const built: string[] = [];
  checkKeys(manifest, faults);
  checkKeys(services, faults);
  for (const [name, value] of Object.entries(services)) {
    const service = mapOf(value, `service ${shown(name)}`, faults);
    const image = imageOf(service, `service ${shown(name)}`, faults);
    if (image === null) built.push(name);
    else images.push({ kind: "service", name, key: name, image });
    const label = `service ${shown(name)}.initContainer`;
    const initImage = imageOf(mapOf(service["initContainer"], label, faults), label, faults);
    if (initImage === null) continue;
    images.push({ kind: "init_container", name, key: `${name}.initContainer`, image: initImage });
  }
  const resources = mapOf(manifest["resources"], "resources", faults);
  for (const [name, value] of Object.entries(resources)) {
    const label = `resource ${shown(name)}`;
    const image = imageOf(mapOf(value, label, faults), label, faults);
    if (image !== null) images.push({ kind: "resource", name, key: `resources.${name}`, image });
  }
  const [why] = faults;
  return why === undefined ? { images, built } : { why };
}

/** A key that the rack fills in could turn out to be `image`, after everybody has looked. */
function checkKeys(map: JsonObject, faults: string[]): void {
  const odd = Object.keys(map).find((key) => key.includes("${"));
  if (odd !== undefined) faults.push(`key "${shown(odd)}" uses interpolation and cannot be validated`);
}

/** Nothing at all is an empty map. */
function mapOf(value: JsonValue | undefined, label: string, faults: string[]): JsonObject {
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) {
    checkKeys(value, faults);
    return value;
  }
  faults.push(`${label} is not a map`);
  return {};
}

/** Null where there is none, or an empty one. */
function imageOf(map: JsonObject, label: string, faults: string[]): string | null {
  const image = map["image"];
  if (image === undefined || image === null || image === "") return null;
  if (typeof image === "string") return image;
  faults.push(`${label} image is not a string`);
  return null;
}
