/** The checks of factors that libraries do: passkeys, authenticator codes, passwords (docs/spec/identity.md section 5). */
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { FactorRecord } from "./identity-records.ts";

export interface NewPasskey {
  readonly credentialId: string;
  /** The COSE key, base64url. */
  readonly publicKey: string;
  readonly algorithm: number;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  /** base64url, of one that leads to a maker who is believed; "" for none. Kept where attestation is demanded (R-FACT-2). */
  readonly attestation: string;
}

export interface Asserted {
  readonly signCount: number;
  readonly backedUp: boolean;
  /** base64url. */
  readonly authenticatorData: string;
  readonly clientData: string;
  readonly signature: string;
}

/** The code of the refusal, and a sentence for the operator's log. */
export interface PasskeyFault {
  readonly fault: "assertion_invalid" | "user_not_verified" | "factor_counter_regressed";
  readonly detail: string;
}

export interface Passkeys {
  readonly rpId: string;
  readonly origin: string;
  /** Options for `navigator.credentials.create`, as JSON (R-FACT-1). */
  registrationOptions(asked: {
    readonly challenge: Uint8Array;
    readonly handle: string;
    readonly name: string;
    readonly displayName: string;
    readonly exclude: readonly Pick<FactorRecord, "credentialId" | "transports">[];
  }): JsonObject;
  verifyRegistration(response: JsonValue, challenge: string): Promise<NewPasskey | PasskeyFault>;
  /** Options for `navigator.credentials.get`; without `allow` any passkey of this server (R-LOCAL-1). */
  assertionOptions(asked: {
    readonly challenge: Uint8Array;
    readonly allow: readonly Pick<FactorRecord, "credentialId" | "transports">[] | null;
  }): JsonObject;
  /** The credential id an answer names, base64url; null when it is none. */
  credentialIdOf(response: JsonValue): string | null;
  /** The user handle an answer carries, base64url; null when it has none. */
  userHandleOf(response: JsonValue): string | null;
  /** Everything of rows 7 to 10 of docs/spec/identity.md 7.3. `challenge` is base64url. */
  verifyAssertion(response: JsonValue, challenge: string, factor: FactorRecord): Promise<Asserted | PasskeyFault>;
}

export interface Totp {
  /** Base32 of 20 random bytes. */
  newSecret(): string;
  /** `otpauth://…` and the same as an SVG. */
  enrolment(secret: string, account: string, issuer: string): { readonly uri: string; readonly qr: string };
  /** The time step that the code belongs to, one step either side; null when it is wrong (R-FACT-4). */
  matchingStep(secret: string, code: string, now: number): number | null;
}

export interface Passwords {
  /** Rejects with `Unavailable("busy")` when too many hashes wait (R-LOCAL-2). */
  hash(password: string): Promise<string>;
  /** The same work whether there is a hash or not (R-LOCAL-3). */
  matches(password: string, hash: string | null): Promise<boolean>;
  /** A sentence, or null for a password that is good enough. `names` are those of organization, product and hosts. */
  weakness(password: string, names: readonly string[]): string | null;
}
