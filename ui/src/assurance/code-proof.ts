import type { Proof } from "../api/proof.ts";

/** One field takes both kinds: six digits are an authenticator's code, anything longer is a backup code. */
export function codeProof(typed: string): Proof {
  const digits = typed.replaceAll(/\s/g, "");
  return /^\d{6}$/.test(digits) ? { type: "totp", code: digits } : { type: "backup_code", code: typed.trim() };
}
