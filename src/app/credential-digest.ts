/** How entries name a passkey: by the SHA-256 of its credential id, which says nothing to whoever does not have it. */
import { fromBase64url } from "../evidence/base64url.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { hex } from "./ledger-names.ts";

/** `credentialId` is base64url, as it is stored; the digest is over its bytes. */
export function credentialDigest(credentialId: string, sha256: Sha256): string {
  return `sha256:${hex(sha256(fromBase64url(credentialId) ?? new Uint8Array()))}`;
}
