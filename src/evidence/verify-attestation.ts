/**
 * Did a key that the reader trusts sign this attestation, and is it about what the reader has in hand? For the envelope
 * alone, without its bundle. Implements docs/spec/evidence.md section 7.
 */
import { isRecord } from "../ledger/kind-schema.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { INTOTO_PREDICATE_TYPE, INTOTO_STATEMENT_TYPE } from "./attestation.ts";
import { INTOTO_PAYLOAD_TYPE, parseEnvelope, verifyEnvelope } from "./dsse.ts";
import { parseStrictJson } from "./strict-json.ts";

export interface AttestationQuestion {
  /** SubjectPublicKeyInfo in base64url. */
  readonly keys: readonly string[];
  readonly expectDigest: string | null;
  readonly expectCommit: string | null;
}

export type VerifiedAttestation =
  | { readonly ok: true; readonly outcome: string; readonly subjects: readonly string[] }
  | { readonly ok: false; readonly code: "attestation_mismatch" | "not_for_this"; readonly detail: string };

export function verifyAttestation(text: string, question: AttestationQuestion, sha256: Sha256): VerifiedAttestation {
  const { keys, expectDigest, expectCommit } = question;
  const envelope = parseEnvelope(text);
  const body = envelope?.payloadType === INTOTO_PAYLOAD_TYPE ? verifyEnvelope(envelope, keys, sha256) : null;
  if (body === null) return { ok: false, code: "attestation_mismatch", detail: "no key that you trust signed it" };
  const said = readAttestation(body);
  if (said === null) return { ok: false, code: "attestation_mismatch", detail: "what is signed is of another type" };
  const isFor = (algorithm: string, digest: string | undefined): boolean =>
    digest === undefined || said.subjects.includes(`${algorithm}:${digest}`);
  if (isFor("sha256", expectDigest?.replace(/^sha256:/, "")) && isFor("gitCommit", expectCommit ?? undefined)) {
    return { ok: true, ...said };
  }
  return { ok: false, code: "not_for_this", detail: "the attestation is about something else" };
}

function readAttestation(body: string): { readonly outcome: string; readonly subjects: readonly string[] } | null {
  const statement = parseStrictJson(body);
  if (!isRecord(statement) || statement["_type"] !== INTOTO_STATEMENT_TYPE) return null;
  const { predicateType, predicate, subject } = statement;
  const outcome = isRecord(predicate) ? predicate["outcome"] : null;
  const subjects = subjectDigests(subject);
  if (predicateType !== INTOTO_PREDICATE_TYPE || typeof outcome !== "string" || subjects === null) return null;
  return { outcome, subjects };
}

/** `algorithm:digest` of every subject; null when they are not what in-toto asks for. */
function subjectDigests(subjects: unknown): readonly string[] | null {
  if (!Array.isArray(subjects) || subjects.length === 0) return null;
  const digests: string[] = [];
  for (const subject of subjects) {
    const digest: unknown = isRecord(subject) ? subject["digest"] : null;
    if (!isRecord(digest)) return null;
    for (const [algorithm, value] of Object.entries(digest)) digests.push(`${algorithm}:${String(value)}`);
  }
  return digests;
}
