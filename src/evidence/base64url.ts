/** Base64url without padding (RFC 4648 section 5), in its one spelling: what authenticators and entries hold bytes in. */
import { fromBase64, toBase64 } from "../ledger/base64.ts";

export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes, or null when the text is not the one spelling of some bytes. */
export function fromBase64url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const letters = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(letters.padEnd(Math.ceil(letters.length / 4) * 4, "="));
}
