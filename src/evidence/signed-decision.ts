/**
 * Does this recorded decision rest on a signature of the person who decided? Everything that can be seen from entries
 * alone, in a fixed order; the first check that fails is named. Implements docs/spec/evidence.md section 4 (identity
 * R-SIGN-1, R-SIGN-5).
 */
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { verifyAssertion } from "./assertion.ts";
import type { AssertionCheck, DecisionAssertion } from "./assertion.ts";
import { parseStatement } from "./statement.ts";
import type { DecisionStatement } from "./statement.ts";
import type { WebSite } from "./web-site.ts";

export type DecisionCheck =
  | "statement"
  | "statement_mismatch"
  | "statement_expired"
  | "nonce_reused"
  | "factor_unknown"
  | "factor_disabled"
  | "factor_cooling_down"
  | AssertionCheck
  | "sign_count";

/** What the signed decisions before this one have used up. */
export interface EarlierDecisions {
  readonly nonces: ReadonlySet<string>;
  /** By factor. */
  readonly touches: ReadonlyMap<string, Touch>;
}

export interface Touch {
  readonly signature: string;
  readonly signCount: number;
}

export interface SignedDecision {
  /** The statement as it was signed. */
  readonly text: string;
  /** The entry `decision.recorded`. */
  readonly recorded: EntryFields;
  /** Entries about factors, those of other people included. */
  readonly factorEntries: readonly EntryFields[];
  readonly site: WebSite;
  readonly earlier: EarlierDecisions;
}

export type VerifiedDecision =
  | {
      readonly ok: true;
      readonly statement: DecisionStatement;
      readonly factor: string;
      /** The key that signed, as the enrolment holds it: SubjectPublicKeyInfo in base64url. */
      readonly spki: string;
      readonly touch: Touch;
    }
  | { readonly ok: false; readonly check: DecisionCheck };

export const NOTHING_EARLIER: EarlierDecisions = { nonces: new Set(), touches: new Map() };

interface RecordedAssertion extends DecisionAssertion {
  readonly credential_digest: string;
}

interface Enrolment {
  readonly factor: string;
  readonly spki: string;
  readonly algorithm: number;
  readonly backupEligible: unknown;
}

export function verifySignedDecision(signed: SignedDecision, sha256: Sha256): VerifiedDecision {
  const { text, recorded, earlier, site } = signed;
  const { statement: held = null, assertion = null } = recorded.data;
  const parsed = parseStatement(text);
  if (!parsed.ok || !isRecordedAssertion(assertion) || canonicalJson(held) !== text) {
    return { ok: false, check: "statement" };
  }
  const { statement } = parsed;
  const mismatch = statementFailure(statement, recorded, earlier);
  if (mismatch !== null) return { ok: false, check: mismatch };
  const enrolment = findEnrolment(signed, assertion.credential_digest);
  if (typeof enrolment === "string") return { ok: false, check: enrolment };
  const verified = verifyAssertion({
    ...{ statementText: text, assertion, publicKey: enrolment.spki, algorithm: enrolment.algorithm },
    ...{ rpId: site.rpIds, origin: site.origins, anyPort: site.anyPort, sha256 },
  });
  if (!verified.ok) return verified;
  const { backupEligible: known, factor, spki } = enrolment;
  if (typeof known === "boolean" && verified.backupEligible !== known) return { ok: false, check: "backup_state" };
  const touch = { signature: assertion.signature, signCount: verified.signCount };
  if (hasRegressed(earlier.touches.get(factor), touch)) return { ok: false, check: "sign_count" };
  return { ok: true, statement, factor, spki, touch };
}

/** `earlier` with this decision added. */
export function afterDecision(
  earlier: EarlierDecisions,
  verified: Extract<VerifiedDecision, { ok: true }>,
): EarlierDecisions {
  return {
    nonces: new Set([...earlier.nonces, verified.statement.nonce]),
    touches: new Map([...earlier.touches, [verified.factor, verified.touch]]),
  };
}

function statementFailure(
  statement: DecisionStatement,
  recorded: EntryFields,
  { nonces }: EarlierDecisions,
): DecisionCheck | null {
  if (!saysTheSame(statement, recorded)) return "statement_mismatch";
  // Text order is time order.
  if (recorded.at > statement.not_after || recorded.at < statement.shown_at) return "statement_expired";
  return nonces.has(statement.nonce) ? "nonce_reused" : null;
}

/** What was signed is what was recorded: every member that both have. */
function saysTheSame(statement: DecisionStatement, { org, request, resource, actor, data }: EntryFields): boolean {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [statement.org, org],
    [statement.request, request],
    [statement.payload, resource?.digest],
    [statement.gate, resource?.gate],
    [statement.approver, actor],
    [statement.on_behalf_of, data["on_behalf_of"]],
    [statement.task, data["task"]],
    [statement.stage, data["stage"]],
    [statement.revision, data["revision"]],
    [statement.decision, data["decision"]],
    [statement.policy.digest, data["policy"]],
    [statement.reason, data["reason"]],
    [statement.shown_at, data["shown_at"]],
  ];
  return pairs.every(([signed, recorded]) => signed === recorded);
}

/** The key that the decision names: enrolled before for this person, not disabled since, past its cool-down. */
function findEnrolment(
  { recorded, factorEntries }: SignedDecision,
  credentialDigest: string,
): Enrolment | "factor_unknown" | "factor_disabled" | "factor_cooling_down" {
  const { factor } = recorded.data;
  const before = factorEntries.filter((entry) => entry.data["factor"] === factor && entry.seq < recorded.seq);
  const [enrolled, ...others] = before.filter((entry) => entry.kind === "factor.enrolled");
  if (enrolled === undefined || others.length > 0) return "factor_unknown";
  const enrolment = enrolmentFor(enrolled, recorded, credentialDigest);
  if (enrolment === null) return "factor_unknown";
  const since = new Set(before.filter((entry) => entry.seq > enrolled.seq).map((entry) => entry.kind));
  if (since.has("factor.removed") || since.has("factor.counter_regressed")) return "factor_disabled";
  const { usable_at: usableAt } = enrolled.data;
  const isEarly = typeof usableAt === "string" && usableAt > recorded.at && !since.has("factor.vouched");
  return isEarly ? "factor_cooling_down" : enrolment;
}

/**
 * Null unless the enrolment is of the person who decided, with the credential that the decision names. In which organization
 * they enrolled is no matter: a person is one person in all of them (identity R-ID-1).
 */
function enrolmentFor(enrolled: EntryFields, recorded: EntryFields, credentialDigest: string): Enrolment | null {
  const { factor, person, spki, alg, credential_digest: digest, backup_eligible: backupEligible } = enrolled.data;
  const isTheirs = person === recorded.actor && digest === credentialDigest;
  if (!isTheirs || typeof factor !== "string" || typeof spki !== "string" || typeof alg !== "number") return null;
  return { factor, spki, algorithm: alg, backupEligible };
}

/** Statements signed by one touch share its counter; any other touch must have counted on (identity R-FACT-11). */
function hasRegressed(before: Touch | undefined, touch: Touch): boolean {
  if (before === undefined || before.signature === touch.signature) return false;
  return (before.signCount > 0 || touch.signCount > 0) && touch.signCount <= before.signCount;
}

/** The schema of the entry has checked the members. */
function isRecordedAssertion(value: unknown): value is RecordedAssertion {
  return isRecord(value) && typeof value["credential_digest"] === "string";
}
