/**
 * How does an entry bind a personal value without holding it? By a salted commitment; the opening lives beside the ledger
 * and can be erased without touching a proof. Implements docs/spec/ledger.md section 2 (commitment) and R-PRIV-1, R-PRIV-2.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonObject, JsonValue } from "./canonical-json.ts";
import { fromBase64 } from "./base64.ts";
import { toHex } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";
import type { Sha256 } from "./sha256.ts";
import { utf8Bytes } from "./utf8.ts";

export interface Opening {
  /** RFC 6901 pointer into `data` of the entry. */
  readonly path: string;
  /** base64url of 16 random bytes, made for this commitment alone. */
  readonly salt: string;
  readonly value: JsonValue;
}

export const SALT_BYTES = 16;

const DOMAIN = utf8Bytes("countersign/commit/v1\n");

/** "c1:" and the hash that hides `value` behind 16 random bytes. */
export function commit(value: JsonValue, salt: Uint8Array, sha256: Sha256): string {
  if (salt.length !== SALT_BYTES) throw new LedgerBug(`a commitment's salt is ${SALT_BYTES} bytes`);
  return `c1:${toHex(sha256(concatBytes(DOMAIN, salt, utf8Bytes(canonicalJson(value)))))}`;
}

/** Does this opening open the commitment that stands at its path in `data`? */
export function openingMatches(opening: Opening, data: JsonObject, sha256: Sha256): boolean {
  const salt = saltBytes(opening.salt);
  return salt !== null && valueAt(data, opening.path) === commit(opening.value, salt, sha256);
}

/** base64url without padding (RFC 4648 section 5), which is how salts are stored. */
function saltBytes(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return null;
  return fromBase64(`${text.replaceAll("-", "+").replaceAll("_", "/")}==`);
}

/** RFC 6901; undefined where the pointer leads nowhere. */
function valueAt(data: JsonObject, path: string): JsonValue | undefined {
  if (!path.startsWith("/")) return undefined;
  const tokens = path.slice(1).split("/");
  return tokens.reduce<JsonValue | undefined>(
    (value, token) => memberOf(value, token.replaceAll("~1", "/").replaceAll("~0", "~")),
    data,
  );
}

function memberOf(value: JsonValue | undefined, token: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, JsonValue>(Object.entries(value)).get(token);
}
