/** How strongly can a decision be proven? The words, ascending (docs/spec/identity.md section 6). */

export const ASSURANCES = ["session", "mfa", "signed"] as const;

export type Assurance = (typeof ASSURANCES)[number];

/** What proved a decision beyond the session; the words of entries and answers. */
export type ProofMethod = "passkey" | "totp" | "backup_code";
