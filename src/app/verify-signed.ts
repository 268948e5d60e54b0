/**
 * Did this person sign this decision? The checks of docs/spec/identity.md table 7.3 in their order, the first that fails
 * answers. What takes time, the signature itself, is verified before the transaction; inside it everything that can have
 * changed is looked at again: the statement is unused, the task open, the digests equal, the factor still good.
 */
import type { Proven } from "../core/assurance.ts";
import type { TaskId } from "../core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { Bug, isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DecisionAction, Request } from "../core/request.ts";
import { openTask, type OpenTask } from "../core/task-access.ts";
import { verifyAssertion, type DecisionAssertion } from "../evidence/assertion.ts";
import { fromBase64url } from "../evidence/base64url.ts";
import type { BatchPlace } from "../evidence/batch.ts";
import { parseStatement, type DecisionStatement } from "../evidence/statement.ts";
import type { StatementRecord, ViewRecord } from "../ports/ceremony-records.ts";
import type { Needs, World } from "../ports/command-store.ts";
import type { Asserted } from "../ports/factors.ts";
import type { FactorRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { credentialDigest } from "./credential-digest.ts";
import { signingRefusal } from "./deciding-factors.ts";
import type { SignedEvidence } from "./event-entry.ts";
import { factorRules, type FactorRules } from "./factor-rules.ts";
import { counterRegressed, regression } from "./factor-used.ts";
import { ledgerId } from "./ledger-names.ts";
import { changedSinceView, viewStale } from "./show-task.ts";

/** As it was sent. */
export interface SentSignature {
  /** Id of the statement. */
  readonly statement: string;
  /** The browser's answer. */
  readonly response: JsonValue;
}

/** A signature with what was found out about it before the transaction. */
export interface LookedAtSignature {
  readonly statementId: string;
  readonly viewId: string | null;
  readonly challenge: string | null;
  readonly credentialId: string | null;
  readonly userHandle: string | null;
  /** Rows 7 to 9, for the key as it was enrolled: keys and statements never change. */
  readonly verdict: Asserted | Refusal;
  readonly rules: FactorRules;
}

export async function lookAtSignature(app: Application, sent: SentSignature): Promise<LookedAtSignature> {
  const credentialId = app.passkeys.credentialIdOf(sent.response);
  const [[statement], [factor], rules] = await Promise.all([
    app.reader.records(recordsBy("statement", "id", [sent.statement])),
    app.reader.records(recordsBy("factor", "credentialId", credentialId === null ? [] : [credentialId])),
    factorRules(app),
  ]);
  return {
    ...{ statementId: sent.statement, viewId: statement?.viewId ?? null, challenge: statement?.challenge ?? null },
    ...{ credentialId, userHandle: app.passkeys.userHandleOf(sent.response), rules },
    verdict:
      statement === undefined || factor === undefined
        ? notThisStatement()
        : await verdictOn(app, { statement, factor, response: sent.response }),
  };
}

/** Once by the library and once by the offline verifier's own code: what is recorded must verify anywhere. */
async function verdictOn(
  app: Application,
  about: { readonly statement: StatementRecord; readonly factor: FactorRecord; readonly response: JsonValue },
): Promise<Asserted | Refusal> {
  const { statement, factor, response } = about;
  // Its counter is compared inside the transaction, where statements of one touch are known from each other.
  const asserted = await app.passkeys.verifyAssertion(response, statement.challenge, { ...factor, signCount: 0 });
  if ("fault" in asserted) return asserted.fault === "user_not_verified" ? notVerified() : notThisStatement();
  const verified = verifyAssertion({
    statementText: statement.text,
    assertion: assertionOf(asserted, batchPlaceOf(statement)),
    ...{ publicKey: factor.publicKey ?? "", algorithm: factor.algorithm ?? 0 },
    ...{ rpId: app.passkeys.rpId, origin: app.passkeys.origin, sha256: app.sha256 },
  });
  if (verified.ok) return asserted;
  return verified.check === "user_verification" ? notVerified() : notThisStatement();
}

/** What the deciding transaction loads for a signature. */
export function signatureNeeds({ statementId, challenge, credentialId }: LookedAtSignature, decider: Decider): Needs {
  return {
    records: [
      recordsBy("statement", "id", [statementId]),
      recordsBy("statement", "taskId", [decider.taskId]),
      ...(challenge === null ? [] : [recordsBy("statement", "challenge", [challenge])]),
      ...(credentialId === null ? [] : [recordsBy("factor", "credentialId", [credentialId])]),
    ],
    ...(decider.actor.person === null ? {} : { personIds: [decider.actor.person.id] }),
  };
}

/** Who decides what, in the words that the statement must bear out. */
export interface Decider {
  readonly taskId: TaskId;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly reasonCode: string | null;
  readonly view: string | null;
  readonly actor: Actor;
  readonly session: SessionRecord | null;
}

export interface VerifiedSignature {
  readonly proven: Proven;
  readonly signed: SignedEvidence;
  readonly statement: StatementRecord;
  /** With its counter moved on. */
  readonly factor: FactorRecord;
  readonly view: ViewRecord;
}

/** A refusal, and what it leaves behind all the same: the statement is spent, a copied key no longer signs. */
export interface FailedSignature {
  readonly refusal: Refusal;
  readonly spent: StatementRecord | null;
  readonly regressed: FactorRecord | null;
}

interface Present {
  readonly app: Application;
  readonly world: World;
  readonly request: Request;
  readonly decider: Decider;
  readonly looked: LookedAtSignature;
}

/** Rows 1 to 10; row 11 is the engine's. */
export function verifySigned(present: Present): VerifiedSignature | FailedSignature {
  const { world, decider, looked } = present;
  const [statement] = world.records("statement", "id", looked.statementId);
  if (statement === undefined || !isOwn(statement, decider)) {
    return failed(refuse("statement_unknown", "This statement is unknown here: open the request again and sign it"));
  }
  if (statement.usedAt !== null || isSuperseded(statement, world)) {
    return failed(refuse("statement_used", "This statement was used, or a newer one took its place"));
  }
  const spent: StatementRecord = { ...statement, usedAt: world.now };
  const said = readStatement(statement);
  const refusal = statementRefusal(present, statement, said);
  if (refusal !== null) return failed(refusal, spent);
  const factor = signingFactor(present, statement);
  if (isRefusal(factor)) return failed(factor, spent);
  const { verdict } = looked;
  if (isRefusal(verdict)) return failed(verdict, spent);
  if (hasRegressed(factor, verdict, world.records("statement", "challenge", statement.challenge))) {
    return { refusal: counterRegressed(), spent, regressed: factor };
  }
  const [view] = world.records("view", "id", statement.viewId);
  if (view === undefined) throw new Bug("a statement outlived its view");
  return {
    proven: { assurance: "signed", method: "passkey", factorId: factor.id, shownAt: view.shownAt },
    signed: evidenceOf(present.app, { statement, said, factor, asserted: verdict }),
    ...{ statement: spent, view },
    factor: { ...factor, signCount: verdict.signCount, backedUp: verdict.backedUp, lastUsedAt: world.now },
  };
}

/** What a failed signature writes; nothing where there is no entry to write it with. */
export function failedChanges(
  app: Application,
  { spent, regressed }: FailedSignature,
  { world, session }: { readonly world: World; readonly session: SessionRecord | null },
): ReturnType<typeof regression> {
  const statement = spent === null ? {} : { statement: [spent] };
  if (regressed === null) return { entries: [], records: statement };
  const who = { personId: regressed.personId, sessionId: session?.id ?? null };
  const { entries, records } = regression(app, world, { who, factor: regressed });
  return { entries, records: { ...records, ...statement } };
}

function isOwn(statement: StatementRecord, { actor, session }: Decider): boolean {
  return session !== null && statement.sessionId === session.id && statement.personId === actor.person?.id;
}

/** Whoever asked again, as after typing another reason, meant the newer one (R-SIGN-4). */
function isSuperseded(statement: StatementRecord, world: World): boolean {
  return world
    .records("statement", "taskId", statement.taskId)
    .some((other) => other.sessionId === statement.sessionId && other.createdAt > statement.createdAt);
}

function readStatement(statement: StatementRecord): DecisionStatement {
  const parsed = parseStatement(statement.text);
  if (!parsed.ok) throw new Bug(`a statement that was minted cannot be read: ${parsed.finding}`);
  return parsed.statement;
}

/** Rows 2 to 4. */
function statementRefusal(
  { world, request, decider }: Present,
  statement: StatementRecord,
  said: DecisionStatement,
): Refusal | null {
  if (statement.expiresAt < world.now) {
    return refuse("statement_expired", "Signing took too long: open the request again and sign within two minutes");
  }
  if (statement.taskId !== decider.taskId) return mismatch("another task");
  return staleRefusal({ world, request, decider }, statement, said) ?? wordingRefusal(decider, statement, said);
}

/** Row 3: the task is open and theirs, and everything is as it was shown. */
function staleRefusal(
  { world, request, decider }: Pick<Present, "world" | "request" | "decider">,
  statement: StatementRecord,
  said: DecisionStatement,
): Refusal | null {
  // Nobody signs in the place of somebody else (R-ROLE-2).
  const open = openTask(request, decider.taskId, { ...decider.actor, admin: false }, "decide");
  if (isRefusal(open)) return open;
  const [view] = world.records("view", "id", statement.viewId);
  const activeVersion = world.activePolicy(request.policy.key)?.version.version ?? null;
  const changed = view === undefined ? ["view"] : changedSinceView(view, request, activeVersion);
  return changed.length > 0 || !isAbout(said, request, open) ? viewStale(changed) : null;
}

/** Row 4. */
function wordingRefusal(decider: Decider, statement: StatementRecord, said: DecisionStatement): Refusal | null {
  if (said.decision !== decider.action) return mismatch("another decision");
  const reason = isJsonObject(statement.reason) ? statement.reason : {};
  if (reason["value"] !== decider.comment || reason["code"] !== decider.reasonCode) return mismatch("another reason");
  return decider.view === null || decider.view === statement.viewId ? null : mismatch("another view");
}

/** The statement's own digests, not those of the view beside it. */
function isAbout(said: DecisionStatement, request: Request, { stage, task }: OpenTask): boolean {
  return (
    said.stage === stage.order &&
    said.request === ledgerId("req", request.id) &&
    said.revision === request.revision &&
    said.payload === request.digest &&
    said.policy.digest === request.policy.digest &&
    said.approver === ledgerId("usr", task.personId)
  );
}

/** Rows 5 and 6. */
function signingFactor({ world, decider, looked }: Present, statement: StatementRecord): FactorRecord | Refusal {
  const { credentialId, userHandle, rules } = looked;
  const [factor] = credentialId === null ? [] : world.records("factor", "credentialId", credentialId);
  const isOffered = credentialId !== null && statement.credentials.includes(credentialId);
  if (factor === undefined || !isOffered || factor.personId !== decider.actor.person?.id) {
    return refuse("factor_unknown", "This passkey is not one that this statement was made for");
  }
  const refusal = signingRefusal(factor, rules, world.now);
  if (refusal !== null) return refusal;
  const handle = world.personRecord(factor.personId)?.handle ?? null;
  return userHandle === null || userHandle === handle ? factor : notThisStatement();
}

/** Row 10 (R-FACT-11). Statements of one touch share its counter: the first that is used moves it, the others find it. */
function hasRegressed(factor: FactorRecord, { signCount }: Asserted, touch: readonly StatementRecord[]): boolean {
  const known = factor.signCount ?? 0;
  if (signCount === 0 && known === 0) return false;
  const isSameTouch = signCount === known && touch.some(({ usedAt, batch }) => usedAt !== null && batch !== null);
  return signCount <= known && !isSameTouch;
}

function evidenceOf(
  app: Application,
  about: {
    readonly statement: StatementRecord;
    readonly said: DecisionStatement;
    readonly factor: FactorRecord;
    readonly asserted: Asserted;
  },
): SignedEvidence {
  const { statement, said, factor, asserted } = about;
  const reason = isJsonObject(statement.reason) ? statement.reason["salt"] : undefined;
  const reasonSalt = typeof reason === "string" ? fromBase64url(reason) : null;
  if (reasonSalt === null) throw new Bug("a statement has no salt for its reason");
  const { batch, ...assertion } = assertionOf(asserted, batchPlaceOf(statement));
  return {
    statement: { ...said, policy: { ...said.policy }, checkpoint: { ...said.checkpoint } },
    assertion: {
      ...assertion,
      credential_digest: credentialDigest(factor.credentialId ?? "", app.sha256),
      ...(batch === undefined ? {} : { batch: batchMembers(batch) }),
    },
    reasonSalt,
  };
}

function assertionOf(asserted: Asserted, batch: BatchPlace | null): DecisionAssertion {
  const { authenticatorData, clientData, signature } = asserted;
  return {
    ...{ authenticator_data: authenticatorData, client_data: clientData, signature },
    ...(batch === null ? {} : { batch }),
  };
}

function batchMembers({ root, index, size, path }: BatchPlace): JsonObject {
  return { root, index, size, path: [...path] };
}

/** Minted here, so that its shape is known. */
function batchPlaceOf({ batch }: StatementRecord): BatchPlace | null {
  if (!isJsonObject(batch)) return null;
  const { root, index, size, path } = batch;
  const hashes = Array.isArray(path) ? path.filter((hash) => typeof hash === "string") : [];
  if (typeof root !== "string" || typeof index !== "number" || typeof size !== "number") {
    throw new Bug("the place of a statement in its batch cannot be read");
  }
  return { root, index, size, path: hashes };
}

function failed(refusal: Refusal, spent: StatementRecord | null = null): FailedSignature {
  return { refusal, spent, regressed: null };
}

function mismatch(what: string): Refusal {
  return refuse("statement_mismatch", `What was signed is ${what}: sign again`);
}

function notThisStatement(): Refusal {
  return refuse("assertion_invalid", "The passkey's answer is not a signature of this statement: sign again");
}

function notVerified(): Refusal {
  return refuse("user_not_verified", "The passkey did not check that it is you: unlock it with PIN or finger");
}
