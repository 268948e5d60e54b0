/** Reading a provider's claims: by path, as text, and against what is allowed. Implements docs/spec/identity.md R-IDP-8, R-IDP-9, R-WID-1. */
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";

const PATH_PARTS_MAX = 8;

/**
 * The claim of this name, else what stands at the path: `realm_access.roles`, `kubernetes.io.serviceaccount.uid`. A name may hold
 * dots itself, so the longest name that is there comes first.
 */
export function claimAt(claims: JsonObject, path: string): JsonValue | undefined {
  const parts = path.split(".");
  if (parts.length > PATH_PARTS_MAX) return Object.hasOwn(claims, path) ? claims[path] : undefined;
  for (let taken = parts.length; taken > 0; taken -= 1) {
    const name = parts.slice(0, taken).join(".");
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const rest = parts.slice(taken).join(".");
    if (value === undefined) continue;
    if (rest === "") return value;
    const found = isJsonObject(value) ? claimAt(value, rest) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Is the claim this value, or a list that holds it? Numbers and flags count as they are written. */
export function claimHolds(claims: JsonObject, path: string, value: string): boolean {
  return claimTexts(claims, path).includes(value);
}

/** What the claim holds, as `claimHolds` compares it; empty where it is not there. */
export function claimTexts(claims: JsonObject, path: string): readonly string[] {
  const found = claimAt(claims, path);
  const all: readonly JsonValue[] = Array.isArray(found) ? found : [found ?? null];
  return all.flatMap((one) => scalarText(one) ?? []);
}

/** Text that is there and not blank. */
export function textClaim(claims: JsonObject, name: string): string | null {
  const value = claimAt(claims, name);
  if (typeof value !== "string") return null;
  const text = value.trim();
  return text === "" || text.length > TEXT_MAX || /[\p{Control}\p{Surrogate}]/u.test(text) ? null : text;
}

/** Longer texts are no names. */
const TEXT_MAX = 255;

function scalarText(value: JsonValue): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
