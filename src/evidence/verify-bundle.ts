/**
 * Is this approval what it says, judged from the bundle and a trust file alone? Eight steps in order; the first that fails
 * ends the check. No network and no clock. Implements docs/spec/evidence.md section 6 (ledger R-OFF-1 to R-OFF-5).
 */
import { tryCompilePolicy } from "../core/compile-policy.ts";
import type { Policy } from "../core/policy.ts";
import { fromBase64 } from "../ledger/base64.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { JsonObject, JsonValue } from "../ledger/canonical-json.ts";
import { openingMatches } from "../ledger/commitment.ts";
import { parseEntry } from "../ledger/entry.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { chainHash, leafHash } from "../ledger/hash.ts";
import { toHex } from "../ledger/hex.ts";
import type { Checkpoint } from "../ledger/note.ts";
import { parseVerifierKey } from "../ledger/note.ts";
import { verifyConsistency, verifyInclusion } from "../ledger/proof.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { utf8Bytes } from "../ledger/utf8.ts";
import { attestationText } from "./attestation.ts";
import { isErased, parseBundle } from "./bundle.ts";
import type { Bundle, BundleEntry, BundleOpening } from "./bundle.ts";
import { deployedCommit } from "./deployed-commit.ts";
import { INTOTO_PAYLOAD_TYPE, verifyEnvelope } from "./dsse.ts";
import { checkGrants } from "./grants.ts";
import { replayOutcome } from "./outcome.ts";
import { encodeSpki } from "./public-key.ts";
import { afterDecision, NOTHING_EARLIER, verifySignedDecision } from "./signed-decision.ts";
import type { DecisionCheck, EarlierDecisions } from "./signed-decision.ts";
import type { DecisionStatement } from "./statement.ts";
import { isQuorumMet, openTrusted, witnessesOf } from "./trust.ts";
import type { PinnedKeys, TrustPolicy } from "./trust.ts";
import { webSiteOf } from "./web-site.ts";

export interface BundleQuestion {
  readonly trust: TrustPolicy;
  readonly pins: PinnedKeys;
  /** `sha256:` and hex, or the hex alone. */
  readonly expectDigest: string | null;
  readonly expectCommit: string | null;
  /** `YYYY-MM-DDTHH:MM:SS.sssZ`: was the approval in force then? */
  readonly at: string | null;
}

export type BundleStep = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export type BundleCode =
  | "unreadable"
  | "checkpoint_untrusted"
  | "quorum_not_met"
  | "entry_invalid"
  | "not_included"
  | "payload_mismatch"
  | "policy_mismatch"
  | "opening_mismatch"
  | "decision_invalid"
  | "outcome_not_supported"
  | "grant_invalid"
  | "not_for_this"
  | "attestation_mismatch";

export interface BundleFailure {
  readonly ok: false;
  readonly step: BundleStep;
  readonly code: BundleCode;
  readonly detail: string;
  readonly seq: number | null;
  /** With `decision_invalid`: whose decision, and which check. */
  readonly person: string | null;
  readonly check: DecisionCheck | "pinned_key" | "checkpoint_seen" | "not_signed" | null;
}

/** A decision whose signature was checked, and how its key is known. */
export interface ProvenDecision {
  readonly seq: number;
  readonly factor: string;
  readonly isPinned: boolean;
}

export interface ProvenBundle {
  readonly ok: true;
  readonly bundle: Bundle;
  readonly checkpoint: Checkpoint;
  readonly witnesses: readonly string[];
  readonly entries: readonly EntryFields[];
  readonly policy: Policy;
  readonly signed: readonly ProvenDecision[];
}

export type VerifiedBundle = ProvenBundle | BundleFailure;

/** What the steps hand on to each other. */
interface Reading {
  readonly bundle: Bundle;
  readonly question: BundleQuestion;
  readonly sha256: Sha256;
  readonly entries: readonly EntryFields[];
  /** Those of the request itself. */
  readonly own: readonly EntryFields[];
  readonly created: EntryFields;
  readonly checkpoint: Checkpoint;
}

export function verifyBundle(text: string, question: BundleQuestion, sha256: Sha256): VerifiedBundle {
  const parsed = parseBundle(text);
  if (!parsed.ok) return fail(1, "unreadable", parsed.finding);
  const { bundle } = parsed;
  const checkpoint = openTrusted(question.trust, bundle.checkpoint, bundle.origin);
  if (checkpoint === null) {
    return fail(2, "checkpoint_untrusted", "no log of the trust file signed this checkpoint of this ledger");
  }
  const witnesses = witnessesOf(question.trust, bundle.checkpoint);
  if (!isQuorumMet(question.trust, witnesses)) {
    const detail = `${witnesses.length} known witnesses cosigned the checkpoint, too few for the quorum`;
    return fail(2, "quorum_not_met", detail);
  }
  const entries = readEntries(bundle, checkpoint, sha256);
  if ("ok" in entries) return entries;
  const own = entries.filter((entry) => entry.request === bundle.request.id);
  const created = own.find((entry) => entry.kind === "request.created");
  if (created === undefined) return fail(3, "entry_invalid", "no entry creates the request");
  return judge({ bundle, question, sha256, entries, own, created, checkpoint }, witnesses);
}

/** Steps 4 to 8. */
function judge(reading: Reading, witnesses: readonly string[]): VerifiedBundle {
  const unbound = checkPayload(reading) ?? checkPolicy(reading) ?? checkOpenings(reading);
  if (unbound !== null) return unbound;
  const signed = checkDecisions(reading);
  if ("ok" in signed) return signed;
  const policy = checkOutcome(reading);
  if ("ok" in policy) return policy;
  const { bundle, checkpoint, entries } = reading;
  const unfit = checkUse(reading) ?? checkAttestation(reading);
  return unfit ?? { ok: true, bundle, checkpoint, witnesses, entries, policy, signed };
}

/** Step 3. */
function readEntries(bundle: Bundle, checkpoint: Checkpoint, sha256: Sha256): readonly EntryFields[] | BundleFailure {
  const entries: EntryFields[] = [];
  let before: { readonly entry: EntryFields; readonly text: string } | null = null;
  for (const item of bundle.entries) {
    const parsed = parseEntry(item.bytes);
    if (!parsed.ok) return fail(3, "entry_invalid", parsed.finding, item.seq);
    const { entry } = parsed;
    const problem =
      (entry.seq === item.seq ? null : "the entry is another one than the bundle says") ??
      belongsTo(bundle, entry) ??
      (before === null ? null : orderProblem(before, entry, sha256));
    if (problem !== null) return fail(3, "entry_invalid", problem, item.seq);
    if (!isIncluded(item, checkpoint, sha256)) {
      return fail(3, "not_included", "the entry is not in the ledger that the checkpoint signs", item.seq);
    }
    entries.push(entry);
    before = { entry, text: item.bytes };
  }
  return entries;
}

/** Entries of other requests and other organizations have no business in a bundle, except about keys that people hold in all. */
function belongsTo(bundle: Bundle, entry: EntryFields): string | null {
  const { id, org, gate } = bundle.request;
  // Keys of the ledger are the installation's.
  if (entry.kind === "ledger.created" || entry.kind === "ledger.key_added") return null;
  if (entry.request !== id && entry.kind.startsWith("factor.")) return null;
  if (entry.org !== org) return "the entry is of another organization";
  if (entry.request === id) {
    return entry.resource === null || entry.resource.gate === gate ? null : "the entry is of another gate";
  }
  return entry.kind === "policy.activated" ? null : "the entry is of another request";
}

function orderProblem(
  before: { readonly entry: EntryFields; readonly text: string },
  entry: EntryFields,
  sha256: Sha256,
): string | null {
  if (entry.seq <= before.entry.seq) return "the entries are not in order";
  if (entry.at < before.entry.at) return "the entry is older than the one before it";
  const isNext = entry.seq === before.entry.seq + 1;
  return isNext && entry.prev !== chainHash(before.text, sha256) ? "the entry does not follow the one before it" : null;
}

function isIncluded(item: BundleEntry, checkpoint: Checkpoint, sha256: Sha256): boolean {
  const { size, root } = checkpoint;
  const claim = { leaf: leafHash(item.bytes, sha256), index: item.seq, size, root, proof: item.proof.map(hexOf) };
  return verifyInclusion(claim, sha256);
}

/** Step 4: what the entries call by digest is what the bundle shows. */
function checkPayload({ bundle, own, created, sha256 }: Reading): BundleFailure | null {
  const { payload, request, displays } = bundle;
  const digest = isErased(payload) ? created.resource?.digest : digestOf(payload, sha256);
  if (!isErased(payload) && payload["gate"] !== request.gate)
    return fail(4, "payload_mismatch", "the payload is of another gate");
  const other = own.find(({ resource }) => resource !== null && resource.digest !== digest);
  if (created.resource === null || other !== undefined) {
    return fail(4, "payload_mismatch", "the payload is not the one that the entry names", other?.seq ?? created.seq);
  }
  const shown = displays?.find((display) => digestOf(display.document, sha256) !== display.digest);
  return shown === undefined ? null : fail(4, "payload_mismatch", "a display is not the one that its digest names");
}

function checkPolicy({ bundle, entries, created, sha256 }: Reading): BundleFailure | null {
  const digest = digestOf(bundle.policy, sha256);
  const problem = (detail: string): BundleFailure => fail(4, "policy_mismatch", detail, created.seq);
  if (created.data["policy"] !== digest) return problem("the policy is not the one that the request was made under");
  const activation = entries.find(
    ({ kind, seq, data }) => kind === "policy.activated" && data["digest"] === digest && seq < created.seq,
  );
  if (activation === undefined) return problem("no entry before the request activates this policy");
  return activation.data["key"] === bundle.policy["policy_key"]
    ? null
    : problem("the policy was activated under another key");
}

function checkOpenings({ bundle, entries, sha256 }: Reading): BundleFailure | null {
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  const wrong = bundle.openings.find((opening) => !opensIn(bySeq.get(opening.seq), opening, sha256));
  if (wrong === undefined) return null;
  return fail(4, "opening_mismatch", `what is shown at ${wrong.path} is not what the entry committed to`, wrong.seq);
}

function opensIn(entry: EntryFields | undefined, opening: BundleOpening, sha256: Sha256): boolean {
  if (entry === undefined) return false;
  if ("erased" in opening) return isCommitment(entry.data[opening.path.slice(1)]);
  const { path, salt, value } = opening;
  try {
    return openingMatches({ path, salt, value }, entry.data, sha256);
  } catch {
    // A value that JSON cannot say, such as 1e400, opens nothing.
    return false;
  }
}

function isCommitment(value: JsonValue | undefined): boolean {
  return typeof value === "string" && value.startsWith("c1:");
}

/** Step 5. */
function checkDecisions(reading: Reading): readonly ProvenDecision[] | BundleFailure {
  const proven: ProvenDecision[] = [];
  let earlier = NOTHING_EARLIER;
  for (const recorded of reading.own.filter(({ kind }) => kind === "decision.recorded")) {
    const { statement, assertion, assurance } = recorded.data;
    if (statement === null && assertion === null) {
      if (assurance !== "signed") continue;
      return invalid(recorded, "not_signed");
    }
    const decision = checkSigned(reading, recorded, earlier);
    if ("ok" in decision) return decision;
    ({ earlier } = decision);
    proven.push(decision.proven);
  }
  return proven;
}

function checkSigned(
  reading: Reading,
  recorded: EntryFields,
  earlier: EarlierDecisions,
): { readonly proven: ProvenDecision; readonly earlier: EarlierDecisions } | BundleFailure {
  const { bundle, question, entries, sha256 } = reading;
  const text = canonicalJson(recorded.data["statement"] ?? null);
  const site = webSiteOf(bundle.origin);
  const verified = verifySignedDecision({ text, recorded, factorEntries: entries, site, earlier }, sha256);
  if (!verified.ok) return invalid(recorded, verified.check);
  const { statement, factor, spki } = verified;
  if (statement.policy.key !== bundle.policy["policy_key"]) return invalid(recorded, "statement_mismatch");
  const pinned = question.pins.people.get(statement.approver);
  if (pinned?.includes(spki) === false) return invalid(recorded, "pinned_key");
  if (!sawThisLedger(reading, recorded, statement)) return invalid(recorded, "checkpoint_seen");
  const proven = { seq: recorded.seq, factor, isPinned: pinned !== undefined };
  return { proven, earlier: afterDecision(earlier, verified) };
}

/** The checkpoint on the screen was of this ledger, and the decision came after it. */
function sawThisLedger(
  { bundle, checkpoint, sha256 }: Reading,
  { seq }: EntryFields,
  statement: DecisionStatement,
): boolean {
  const { origin, size, root } = statement.checkpoint;
  if (origin !== checkpoint.origin || seq < size) return false;
  const seen = bundle.seen.find(
    (item) => canonicalJson({ ...item.checkpoint }) === canonicalJson({ origin, size, root }),
  );
  if (seen === undefined) return false;
  const claim = { from: size, to: checkpoint.size, fromRoot: hexOf(root), toRoot: checkpoint.root };
  return verifyConsistency({ ...claim, proof: seen.proof.map(hexOf) }, sha256);
}

/** Step 6. The compiled policy, for the report. */
function checkOutcome({ bundle, own }: Reading): Policy | BundleFailure {
  const compiled = tryCompilePolicy(bundle.policy);
  if (!compiled.ok) return fail(6, "outcome_not_supported", "the policy cannot be applied by this version");
  const replayed = replayOutcome(compiled.policy, own);
  if (!replayed.ok) return fail(6, "outcome_not_supported", replayed.detail, replayed.seq);
  if (replayed.outcome === bundle.request.outcome) return compiled.policy;
  return fail(6, "outcome_not_supported", `the entries give ${replayed.outcome}, not ${bundle.request.outcome}`);
}

/** Step 7. */
function checkUse({ bundle, question, own, created }: Reading): BundleFailure | null {
  const problem = checkGrants(own, bundle.request.outcome === "approved", question.at);
  if (problem !== null) return fail(7, "grant_invalid", problem.detail, problem.seq);
  const { expectDigest, expectCommit } = question;
  const { payload } = bundle;
  if (expectDigest !== null && `sha256:${expectDigest.replace(/^sha256:/, "")}` !== created.resource?.digest) {
    return fail(7, "not_for_this", "the approval is for another payload");
  }
  if (expectCommit === null || deployedCommit(payload) === expectCommit) return null;
  return fail(7, "not_for_this", "the approval is for another commit");
}

/** Step 8. Keys come from the pins, or from entries that add them. */
function checkAttestation({ bundle, question, entries, checkpoint, sha256 }: Reading): BundleFailure | null {
  const { dsse, request, policy } = bundle;
  if (dsse === undefined) return null;
  const keys = [...question.pins.attestations, ...attestationKeys(entries)];
  const body = dsse.payloadType === INTOTO_PAYLOAD_TYPE ? verifyEnvelope(dsse, keys, sha256) : null;
  if (body === null)
    return fail(8, "attestation_mismatch", "no key that the ledger or the pins name signed the attestation");
  const payload = isErased(bundle.payload) ? null : bundle.payload;
  if (body === attestationText({ request, payload, policy, entries, checkpoint }, sha256)) return null;
  return fail(8, "attestation_mismatch", "the attestation says other things than the entries");
}

function attestationKeys(entries: readonly EntryFields[]): readonly string[] {
  return entries
    .filter(({ kind, data }) => kind === "ledger.key_added" && data["reason"] === "attestation")
    .map(({ data: { vkey } }) => (typeof vkey === "string" ? parseVerifierKey(vkey) : null))
    .flatMap((key) => (key?.type === "ed25519" ? [encodeSpki({ algorithm: -8, bytes: key.publicKey })] : []));
}

function digestOf(document: JsonObject, sha256: Sha256): string {
  return `sha256:${toHex(sha256(utf8Bytes(canonicalJson(document))))}`;
}

/** The schema has checked that it is a hash. */
function hexOf(base64: string): string {
  return toHex(fromBase64(base64) ?? new Uint8Array());
}

function invalid(recorded: EntryFields, check: NonNullable<BundleFailure["check"]>): BundleFailure {
  const detail = `the decision does not pass the check ${check}`;
  return { ...fail(5, "decision_invalid", detail, recorded.seq), person: recorded.actor, check };
}

function fail(step: BundleStep, code: BundleCode, detail: string, seq: number | null = null): BundleFailure {
  return { ok: false, step, code, detail, seq, person: null, check: null };
}
