/**
 * How does the manifest of an archive differ from the committed one? A committed file cannot contain its own commit, so its
 * images may be filled in, and nothing else. Implements docs/spec/deploy.md R-SOURCE-5.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { manifestImages } from "./manifest-images.ts";

export type ManifestDifference =
  | { readonly kind: "none" }
  /** Only images differ: keys of their positions. They still have to satisfy image-rules.ts. */
  | { readonly kind: "images"; readonly keys: ReadonlySet<string> }
  /** Something else does: where, in words that people write manifests in. */
  | { readonly kind: "other"; readonly at: string };

export function manifestDifference(captured: JsonValue, committed: JsonValue): ManifestDifference {
  const [left, right] = [manifestImages(captured), manifestImages(committed)];
  if ("why" in left || "why" in right) {
    return { kind: "other", at: "why" in left ? left.why : "the committed manifest cannot be read" };
  }
  const before = new Map(right.images.map(({ key, image }) => [key, image]));
  const keys = new Set<string>();
  for (const { key, image } of left.images) if (before.get(key) !== image) keys.add(key);
  const at = difference(withoutImages(captured), withoutImages(committed), "");
  if (at !== null) return { kind: "other", at };
  return keys.size === 0 ? { kind: "none" } : { kind: "images", keys };
}

/** The manifest with a mark in place of every image: an image on one side only still is a difference. */
function withoutImages(manifest: JsonValue): JsonValue {
  return within(manifest, {
    services: (services) => each(services, (service) => marked(within(service, { initContainer: marked }))),
    resources: (resources) => each(resources, marked),
  });
}

type Change = (value: JsonValue) => JsonValue;

/** The object with some of its members changed, where it has them. */
function within(value: JsonValue, changes: Readonly<Record<string, Change>>): JsonValue {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const change = Object.hasOwn(changes, key) ? changes[key] : undefined;
      return [key, change === undefined ? member : change(member)];
    }),
  );
}

function each(value: JsonValue, change: Change): JsonValue {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, change(member)]));
}

function marked(value: JsonValue): JsonValue {
  return within(value, { image: (image) => (typeof image === "string" && image !== "" ? true : image) });
}

/** Where the first difference is; null if there is none. */
function difference(left: JsonValue, right: JsonValue, at: string): string | null {
  if (isJsonObject(left) && isJsonObject(right)) return memberDifference(left, right, at);
  if (Array.isArray(left) && Array.isArray(right)) {
    return memberDifference(Object.fromEntries(left.entries()), Object.fromEntries(right.entries()), at);
  }
  return left === right ? null : at;
}

function memberDifference(left: JsonObject, right: JsonObject, at: string): string | null {
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const where = at === "" ? key : `${at}.${key}`;
    const [before, after] = [left[key], right[key]];
    if (before === undefined || after === undefined) return where;
    const found = difference(before, after, where);
    if (found !== null) return found;
  }
  return null;
}
