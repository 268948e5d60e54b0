import type { Json } from "./read.ts";

/** What proves a factor in a call (docs/spec/identity.md section 2). */
export type Proof =
  | { readonly type: "passkey"; readonly challenge: string; readonly response: Json }
  | { readonly type: "totp"; readonly code: string }
  | { readonly type: "backup_code"; readonly code: string };

/** The call that wants a proof: a passkey's challenge is made for this method and path and for no other. */
export interface ProofAsked {
  /** As in "POST /people/1/lock". */
  readonly act: string;
  /** What else the challenge is bound to, as the decision. */
  readonly bound: Readonly<Record<string, Json>>;
  /** Kinds the server takes here; null when it did not say. */
  readonly methods: readonly string[] | null;
}

/** Sends the call with a proof. A proof that is not taken is a refusal, and another one may be tried. */
export type SendWithProof = (proof: Proof) => Promise<Response>;

/** The person closed the question: nothing was sent, nothing failed. */
export class ProofDeclined extends Error {
  constructor() {
    super("Nothing was sent: you did not confirm that it is you.");
    this.name = "ProofDeclined";
  }
}

/** What the person stopped themselves is no failure, and nobody has to read about it. */
export function isWithdrawn(failure: Error): boolean {
  return failure instanceof ProofDeclined || ("abandoned" in failure && failure.abandoned === true);
}

type Prover = (asked: ProofAsked, send: SendWithProof) => Promise<Response>;

let prover: Prover | null = null;

/** Called by the one dialog that asks; without it every question is declined. */
export function answerProofsWith(next: Prover | null): void {
  prover = next;
}

export function askForProof(asked: ProofAsked, send: SendWithProof): Promise<Response> {
  return prover === null ? Promise.reject(new ProofDeclined()) : prover(asked, send);
}

/** A proof travels beside the call, so that the body is the same with and without it. */
export function proofHeaders(proof: Proof | null): Readonly<Record<string, string>> {
  switch (proof?.type) {
    case undefined:
      return {};
    case "totp":
      return { "X-Mfa-Totp": proof.code };
    case "backup_code":
      return { "X-Mfa-Backup-Code": proof.code };
    case "passkey": {
      const written = JSON.stringify({ challenge: proof.challenge, response: proof.response });
      return { "X-MFA-WebAuthn": btoa(String.fromCharCode(...new TextEncoder().encode(written))) };
    }
  }
}
