/**
 * Secrets that must be read back, sealed: AES-256-GCM with a random nonce, bound to the place where they stand, so that a
 * value copied to another row does not open. Implements docs/spec/identity.md section 10 (R-SEAL-1, R-SEAL-4).
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SecretUnreadable, type SealedPlace, type Sealing } from "../../ports/sealing.ts";
import type { Keyring } from "./keyring.ts";

const CIPHER = "aes-256-gcm";
const FORM = "s1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^s1\.([a-z0-9][a-z0-9_-]{0,31})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** What was opened in vain is told this long: whoever needs it tries again, and what was removed is asked for no more. */
const TOLD_MS = 3_600_000;
/** A keyring without the right key fails everywhere; that it does is known after the first few. */
const TOLD_MAX = 1_000;

export function createSealing(keyring: Keyring, clock: () => number = Date.now): Sealing {
  const failed = new Map<string, { readonly place: SealedPlace; readonly at: number }>();
  return {
    seal(text, place) {
      const { sealing } = keyring;
      failed.delete(nameOf(place));
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, keyOf(keyring, sealing, place), nonce).setAAD(boundTo(place));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [FORM, sealing, nonce.toString("base64url"), sealed.toString("base64url")].join(".");
    },
    open(sealed, place) {
      try {
        const text = opened(keyring, sealed, place);
        failed.delete(nameOf(place));
        return text;
      } catch (error) {
        if (failed.size >= TOLD_MAX) failed.clear();
        failed.set(nameOf(place), { place, at: clock() });
        throw error;
      }
    },
    unreadable() {
      return [...failed.values()].filter(({ at }) => clock() - at < TOLD_MS).map(({ place }) => place);
    },
  };
}

function opened(keyring: Keyring, sealed: string, place: SealedPlace): string {
  const [, id, nonce, content] = SEALED.exec(sealed) ?? [];
  if (id === undefined || nonce === undefined || content === undefined) throw new SecretUnreadable(place, null);
  const key = keyOf(keyring, id, place);
  const bytes = Buffer.from(content, "base64url");
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, "base64url"), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    // Damaged, or sealed for another place: nothing of it may be told.
    throw new SecretUnreadable(place, id);
  }
}

function keyOf(keyring: Keyring, id: string, place: SealedPlace): Uint8Array {
  const key = keyring.keys.get(id);
  if (key === undefined) throw new SecretUnreadable(place, id);
  return key;
}

/** Names and ids hold no line feed, so that two places never have the same bytes. */
function boundTo({ table, column, row, orgId }: SealedPlace): Buffer {
  return Buffer.from(nameOf({ table, column, row, orgId }), "utf8");
}

function nameOf({ table, column, row, orgId }: SealedPlace): string {
  return [table, column, row, orgId ?? ""].join("\n");
}
