/**
 * What does a person sign when they decide, and which bytes does the authenticator see? The statement, its canonical text
 * and its challenge. Implements docs/spec/evidence.md section 2 (identity R-SIGN-1): closed members, one spelling, at most 4 KiB.
 */
import { canonicalJson } from "../ledger/canonical-json.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import { LedgerBug } from "../ledger/ledger-bug.ts";
import { MEMBER_FORMS } from "../ledger/member-form.ts";
import type { MemberFormName } from "../ledger/member-form.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { exceedsUtf8, utf8Bytes } from "../ledger/utf8.ts";
import { hasExactly, isBase64Hash } from "./closed-form.ts";
import type { FormCheck } from "./closed-form.ts";

export const STATEMENT_BYTES_MAX = 4_096;

/** A statement is dead this long after it was minted. */
export const STATEMENT_TTL_SECONDS_MAX = 120;

export const STATEMENT_DECISIONS = ["approve", "reject", "abstain", "request_changes"] as const;

export type StatementDecision = (typeof STATEMENT_DECISIONS)[number];

export interface StatementPolicy {
  readonly key: string;
  readonly version: number;
  /** SHA-256 of the canonical policy version. */
  readonly digest: string;
}

/** The newest checkpoint when the request was shown; the root as in the note, in base64. */
export interface StatementCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** Members as they are written: this object is what entries, bundles and the wire hold. */
export interface DecisionStatement {
  readonly v: 1;
  readonly type: "countersign/decision";
  readonly org: string;
  readonly request: string;
  readonly revision: number;
  readonly stage: number;
  readonly task: string;
  readonly gate: string;
  readonly decision: StatementDecision;
  readonly approver: string;
  /** The delegator when the approver decides for somebody else. */
  readonly on_behalf_of: string | null;
  readonly policy: StatementPolicy;
  readonly payload: string;
  readonly display: string;
  /** Commitment to the reason given. */
  readonly reason: string | null;
  readonly checkpoint: StatementCheckpoint;
  readonly shown_at: string;
  readonly not_after: string;
  /** base64url of 32 random bytes. */
  readonly nonce: string;
}

export type ParsedStatement =
  { readonly ok: true; readonly statement: DecisionStatement } | { readonly ok: false; readonly finding: string };

const CHALLENGE_DOMAIN = "countersign/decision/v1\n";
/** 32 bytes in base64url: the last letter carries four bits, so two bits of it are zero. */
const NONCE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

const STATEMENT_CHECKS: Readonly<Record<keyof DecisionStatement, FormCheck>> = {
  v: (value) => value === 1,
  type: (value) => value === "countersign/decision",
  org: MEMBER_FORMS.org.is,
  request: MEMBER_FORMS.request.is,
  revision: MEMBER_FORMS.ordinal.is,
  stage: MEMBER_FORMS.ordinal.is,
  task: MEMBER_FORMS.task.is,
  gate: MEMBER_FORMS.code.is,
  decision: (value) => STATEMENT_DECISIONS.some((decision) => decision === value),
  approver: MEMBER_FORMS.person.is,
  on_behalf_of: orNull("person"),
  policy: hasExactly({ key: MEMBER_FORMS.key.is, version: MEMBER_FORMS.ordinal.is, digest: MEMBER_FORMS.digest.is }),
  payload: MEMBER_FORMS.digest.is,
  display: MEMBER_FORMS.digest.is,
  reason: orNull("commitment"),
  checkpoint: hasExactly({ origin: MEMBER_FORMS.origin.is, size: MEMBER_FORMS.count.is, root: isBase64Hash }),
  shown_at: MEMBER_FORMS.time.is,
  not_after: MEMBER_FORMS.time.is,
  nonce: (value) => typeof value === "string" && NONCE.test(value),
};

/** RFC 8785 text of a statement. What does not fit the form is a bug: the server makes statements, nobody sends them. */
export function encodeStatement(statement: DecisionStatement): string {
  const problem = statementProblem(statement);
  if (problem !== null) throw new LedgerBug(`a statement cannot be written: ${problem}`);
  const text = statementText(statement);
  if (exceedsUtf8(text, STATEMENT_BYTES_MAX))
    throw new LedgerBug(`a statement has at most ${STATEMENT_BYTES_MAX} bytes`);
  return text;
}

/** The statement that a text is, or why it is none. A text with another spelling of the same statement is none. */
export function parseStatement(text: string): ParsedStatement {
  if (exceedsUtf8(text, STATEMENT_BYTES_MAX)) {
    return { ok: false, finding: `the statement is larger than ${STATEMENT_BYTES_MAX} bytes` };
  }
  const value = parseJson(text);
  if (!isStatement(value)) return { ok: false, finding: String(statementProblem(value)) };
  if (statementText(value) !== text)
    return { ok: false, finding: "the text is not the canonical form of its statement" };
  return { ok: true, statement: value };
}

/** What a passkey is asked to sign: SHA-256("countersign/decision/v1" ‖ 0x0A ‖ statement), as bytes. */
export function statementChallenge(text: string, sha256: Sha256): Uint8Array {
  return sha256(utf8Bytes(CHALLENGE_DOMAIN + text));
}

function isStatement(value: unknown): value is DecisionStatement {
  return statementProblem(value) === null;
}

function statementProblem(value: unknown): string | null {
  if (!isRecord(value)) return "the statement is not a JSON object";
  for (const [name, check] of Object.entries(STATEMENT_CHECKS)) {
    if (!Object.hasOwn(value, name)) return `${name} is missing`;
    if (!check(value[name])) return `${name} is not what a statement may hold`;
  }
  const extra = Object.keys(value).find((name) => !Object.hasOwn(STATEMENT_CHECKS, name));
  return extra === undefined ? null : "the statement has a member that no statement has";
}

function statementText(statement: DecisionStatement): string {
  // Spread, because an interface is not an index signature to the compiler.
  return canonicalJson({
    ...statement,
    policy: { ...statement.policy },
    checkpoint: { ...statement.checkpoint },
  });
}

function orNull(form: MemberFormName): FormCheck {
  const { is } = MEMBER_FORMS[form];
  return (value) => value === null || is(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
