/** The ledger's names for things: a prefix and the 32 hex digits of the id that the compatible APIs show with dashes. */
import type { Actor } from "../core/person.ts";
import type { Sha256 } from "../ledger/sha256.ts";

export type LedgerPrefix = "usr" | "req" | "task" | "org" | "ses" | "seat" | "dlg";

export function ledgerId(prefix: LedgerPrefix, id: string): string {
  return `${prefix}_${id.replaceAll("-", "")}`;
}

/** `usr_…` for people; a machine without a record of its own is named by its issuer and subject. */
export function ledgerActor(actor: Actor, sha256: Sha256): string {
  if (actor.person !== null) return ledgerId("usr", actor.person.id);
  return `mch_${hex(sha256(utf8(`${actor.issuer}\n${actor.subject}`))).slice(0, 32)}`;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const ENCODER = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

export function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
