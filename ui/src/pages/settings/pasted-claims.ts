import type { JsonObject } from "../../api/read.ts";
import { isJsonObject } from "../../api/read.ts";

/** Claims as JSON, or the middle part of a whole token; null for anything else. The rest of a token is not looked at. */
export function pastedClaims(pasted: string): JsonObject | null {
  const text = pasted.trim();
  const [, payload, ...rest] = text.split(".");
  const isToken = payload !== undefined && rest.length === 1 && /^[A-Za-z0-9_.-]+$/.test(text);
  return objectIn(isToken ? decoded(payload) : text);
}

function decoded(base64url: string): string {
  try {
    const bytes = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return "";
  }
}

function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
