/**
 * Did this person's authenticator sign this statement, here and with the person present? Implements the checks 7 to 9 of
 * docs/spec/evidence.md section 4 (identity R-SIGN-1), the same for the server and for the offline verifier.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { toHex } from "../ledger/hex.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { utf8Bytes } from "../ledger/utf8.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { batchChallenge, verifyBatchPath } from "./batch.ts";
import type { BatchPlace } from "./batch.ts";
import { parsePublicKey, verifySignature } from "./public-key.ts";
import { statementChallenge } from "./statement.ts";
import { parseStrictJson, utf8Text } from "./strict-json.ts";

/** What an authenticator answers, in base64url; members as entries hold them. */
export interface DecisionAssertion {
  readonly authenticator_data: string;
  readonly client_data: string;
  readonly signature: string;
  /** Present when one touch signed several statements. */
  readonly batch?: BatchPlace;
}

export interface AssertionClaim {
  readonly statementText: string;
  readonly assertion: DecisionAssertion;
  /** A COSE key or a SubjectPublicKeyInfo, in base64url. */
  readonly publicKey: string;
  /** COSE number of the algorithm that the key was enrolled with. */
  readonly algorithm: number;
  /** The RP id, or the ones of which it may be any. */
  readonly rpId: string | readonly string[];
  /** `https://approvals.example.com`, compared as text; or the ones of which it may be any. */
  readonly origin: string | readonly string[];
  /** Any port behind the origin is as good: the installation has no address of its own (web-site.ts). */
  readonly anyPort?: boolean;
  readonly sha256: Sha256;
}

/** The first check that failed, in the order in which they are made. */
export type AssertionCheck =
  | "batch"
  | "client_data"
  | "client_data_type"
  | "challenge"
  | "origin"
  | "cross_origin"
  | "authenticator_data"
  | "rp_id"
  | "user_presence"
  | "user_verification"
  | "backup_state"
  | "public_key"
  | "signature";

export type VerifiedAssertion =
  | {
      readonly ok: true;
      readonly userVerified: true;
      readonly signCount: number;
      readonly backupEligible: boolean;
      readonly backedUp: boolean;
    }
  | { readonly ok: false; readonly check: AssertionCheck };

interface AuthenticatorData {
  /** Hex of the SHA-256 of the RP id. */
  readonly rpIdHash: string;
  readonly userPresent: boolean;
  readonly userVerified: boolean;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly signCount: number;
}

const RP_ID_HASH_BYTES = 32;
/** Hash, one byte of flags, four of counter. */
const AUTHENTICATOR_DATA_BYTES = 37;
const FLAG = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attestedCredential: 0x40,
  extensions: 0x80,
} as const;

export function verifyAssertion(claim: AssertionClaim): VerifiedAssertion {
  const { assertion, sha256 } = claim;
  const clientData = fromBase64url(assertion.client_data);
  const failed = clientDataFailure(claim, clientData);
  if (failed !== null || clientData === null) return { ok: false, check: failed ?? "client_data" };
  const bytes = fromBase64url(assertion.authenticator_data);
  const data = bytes === null ? null : parseAuthenticatorData(bytes);
  if (bytes === null || data === null) return { ok: false, check: "authenticator_data" };
  const refused = presenceFailure(claim, data);
  if (refused !== null) return { ok: false, check: refused };
  const key = parsePublicKey(claim.publicKey);
  if (key?.algorithm !== claim.algorithm) return { ok: false, check: "public_key" };
  const signature = fromBase64url(assertion.signature);
  const message = concatBytes(bytes, sha256(clientData));
  if (signature === null || !verifySignature(key, { message, signature }, sha256)) {
    return { ok: false, check: "signature" };
  }
  const { signCount, backupEligible, backedUp } = data;
  return { ok: true, userVerified: true, signCount, backupEligible, backedUp };
}

/** What authenticator data of an assertion says; null when it is none, or one with a credential in it. */
function parseAuthenticatorData(bytes: Uint8Array): AuthenticatorData | null {
  const flags = bytes[RP_ID_HASH_BYTES];
  if (flags === undefined || bytes.length < AUTHENTICATOR_DATA_BYTES) return null;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const isLonger = bytes.length > AUTHENTICATOR_DATA_BYTES;
  if (has(FLAG.attestedCredential) || isLonger !== has(FLAG.extensions)) return null;
  const counter = bytes.subarray(RP_ID_HASH_BYTES + 1, AUTHENTICATOR_DATA_BYTES);
  return {
    rpIdHash: toHex(bytes.subarray(0, RP_ID_HASH_BYTES)),
    userPresent: has(FLAG.userPresent),
    userVerified: has(FLAG.userVerified),
    backupEligible: has(FLAG.backupEligible),
    backedUp: has(FLAG.backedUp),
    signCount: counter.reduce((sum, byte) => sum * 256 + byte, 0),
  };
}

function clientDataFailure(claim: AssertionClaim, bytes: Uint8Array | null): AssertionCheck | null {
  const { statementText, assertion, sha256 } = claim;
  const { batch } = assertion;
  if (batch !== undefined && !verifyBatchPath(statementText, batch, sha256)) return "batch";
  const text = bytes === null ? null : utf8Text(bytes);
  const data = text === null ? undefined : parseStrictJson(text);
  if (!isRecord(data)) return "client_data";
  if (data["type"] !== "webauthn.get") return "client_data_type";
  if (data["challenge"] !== toBase64url(challengeOf(claim))) return "challenge";
  if (!isOwnOrigin(claim, data["origin"])) return "origin";
  return isFramed(data) ? "cross_origin" : null;
}

function isOwnOrigin({ origin: own, anyPort = false }: AssertionClaim, said: unknown): boolean {
  if (typeof said !== "string") return false;
  const compared = anyPort ? said.replace(/:[1-9]\d{0,4}$/, "") : said;
  return oneOf(own).includes(compared);
}

function challengeOf({ statementText, assertion: { batch }, sha256 }: AssertionClaim): Uint8Array {
  return batch === undefined ? statementChallenge(statementText, sha256) : batchChallenge(batch.root, sha256);
}

/** A page inside another one may look like ours and be steered by its neighbour. */
function isFramed(data: Readonly<Record<string, unknown>>): boolean {
  if (Object.hasOwn(data, "topOrigin")) return true;
  return Object.hasOwn(data, "crossOrigin") && data["crossOrigin"] !== false;
}

function presenceFailure(claim: AssertionClaim, data: AuthenticatorData): AssertionCheck | null {
  const isOurs = oneOf(claim.rpId).some((rpId) => data.rpIdHash === toHex(claim.sha256(utf8Bytes(rpId))));
  if (!isOurs) return "rp_id";
  if (!data.userPresent) return "user_presence";
  if (!data.userVerified) return "user_verification";
  return data.backedUp && !data.backupEligible ? "backup_state" : null;
}

function oneOf(names: string | readonly string[]): readonly string[] {
  return typeof names === "string" ? [names] : names;
}
