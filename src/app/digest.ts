/** The digest of a document: SHA-256 over its canonical JSON (RFC 8785), as `sha256:` and hex. */
import type { JsonObject } from "../core/json.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { hex, utf8 } from "./ledger-names.ts";

export function digestOf(value: JsonObject, sha256: Sha256): string {
  return `sha256:${hex(sha256(utf8(canonicalJson(value))))}`;
}
