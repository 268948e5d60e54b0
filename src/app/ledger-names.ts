/** The ledger's names for things: a prefix and the 32 hex digits of the id that the compatible APIs show with dashes. */
import type { Actor } from "../core/person.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { MACHINE_ISSUER } from "../ports/machine-issuer.ts";

export type LedgerPrefix =
  "usr" | "mch" | "req" | "task" | "org" | "ses" | "seat" | "dlg" | "fac" | "tok" | "wid" | "view" | "grant";

export function ledgerId(prefix: LedgerPrefix, id: string): string {
  return `${prefix}_${id.replaceAll("-", "")}`;
}

/** The issuer of machines that are known here; the subject is the machine's id. */
export { MACHINE_ISSUER };

/** `usr_…` for people, `mch_…` for machines; one without a record of its own is named by its issuer and subject. */
export function ledgerActor(actor: Actor, sha256: Sha256): string {
  if (actor.person !== null) return ledgerId("usr", actor.person.id);
  if (actor.issuer === MACHINE_ISSUER) return ledgerId("mch", actor.subject);
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
