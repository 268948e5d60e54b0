/**
 * Bundles that are wrong. One for every line of the table in docs/spec/evidence.md section 6, which must fail exactly there;
 * and any number in which something was changed at random, by somebody who holds the bundle or by a server that holds the
 * ledger's key, on which both implementations must agree.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import type { BundleParts } from "../../src/evidence/bundle.ts";
import { deployedCommit } from "../../src/evidence/deployed-commit.ts";
import { INTOTO_PAYLOAD_TYPE, signEnvelope } from "../../src/evidence/dsse.ts";
import type { EntryDraft } from "../../src/ledger/append.ts";
import { toBase64 } from "../../src/ledger/base64.ts";
import type { JsonObject, JsonValue } from "../../src/ledger/canonical-json.ts";
import { fromHex } from "../../src/ledger/hex.ts";
import { isRecord } from "../../src/ledger/kind-schema.ts";
import {
  encodeVerifierKey,
  formatCheckpoint,
  parseCheckpoint,
  signNote,
  verifierKeyOf,
} from "../../src/ledger/note.ts";
import type { Dice } from "./dice.ts";
import { nodeSha256, SAMPLE_ORIGIN, sampleHash } from "./sample-ledger.ts";
import { ask, ATTESTATION_SEED, LOG_SEED, LOG_VKEY, sealApproval } from "./sample-bundles.ts";
import type { BundleQuestionText, SampleApproval, SampleRow } from "./sample-bundles.ts";

export interface BundleDamage {
  readonly name: string;
  readonly step: number;
  readonly code: string;
  readonly make: (approval: SampleApproval) => BundleQuestionText;
}

const OTHER_SEED = fromHex(sampleHash("a key that nobody trusts"));
const WITNESS_SEED = fromHex(sampleHash("witness seed of the samples"));
const WITNESS_VKEY = encodeVerifierKey("witness.example.net/w1", ed25519.getPublicKey(WITNESS_SEED), "cosignature");
const OTHER_HASH = sampleHash("another hash");

const text =
  (change: (text: string) => string, about: Partial<BundleQuestionText> = {}): BundleDamage["make"] =>
  (approval) =>
    ask(change(sealApproval(approval)), about);

const parts =
  (change: (parts: BundleParts) => BundleParts, about: Partial<BundleQuestionText> = {}): BundleDamage["make"] =>
  (approval) =>
    ask(sealApproval(approval, change), about);

/** What a server could do: the ledger is made after the change. */
const rows =
  (change: (rows: readonly SampleRow[]) => readonly SampleRow[]): BundleDamage["make"] =>
  (approval) =>
    ask(sealApproval({ ...approval, rows: change(approval.rows) }));

const asked =
  (about: Partial<BundleQuestionText>): BundleDamage["make"] =>
  (approval) =>
    ask(sealApproval(approval), about);

const bad =
  (step: number, code: string) =>
  (name: string, make: BundleDamage["make"]): BundleDamage => ({ name, step, code, make });

const unreadable = bad(1, "unreadable");
const untrusted = bad(2, "checkpoint_untrusted");
const fewWitnesses = bad(2, "quorum_not_met");
const invalidEntry = bad(3, "entry_invalid");
const notIncluded = bad(3, "not_included");
const otherPayload = bad(4, "payload_mismatch");
const otherPolicy = bad(4, "policy_mismatch");
const otherOpening = bad(4, "opening_mismatch");
const invalidDecision = bad(5, "decision_invalid");
const unsupported = bad(6, "outcome_not_supported");
const badGrant = bad(7, "grant_invalid");
const otherUse = bad(7, "not_for_this");
const otherAttestation = bad(8, "attestation_mismatch");

/** For an approval by at least two signed decisions, with a grant that was used, an attestation and openings. */
export const BUNDLE_DAMAGES: readonly BundleDamage[] = [
  unreadable(
    "no JSON",
    text(() => "{"),
  ),
  unreadable(
    "a member twice",
    text((it) => it.replace('{"', '{"v":1,"')),
  ),
  unreadable(
    "trailing bytes",
    text((it) => `${it} {}`),
  ),
  unreadable(
    "an unknown member",
    text((it) => it.replace('{"', '{"extra":1,"')),
  ),
  unreadable(
    "an unknown version",
    text((it) => it.replace(/"v":1\}$/, '"v":2}')),
  ),
  unreadable(
    "another type",
    text((it) => it.replace("countersign/bundle", "countersign/bungle")),
  ),
  unreadable(
    "a proof that is no hash",
    text((it) => it.replace(/"proof":\["[^"]{4}/, '"proof":["')),
  ),
  unreadable(
    "more than 5 MiB",
    text((it) => it.replace('"checkpoint":"', `"checkpoint":"${" ".repeat(5 * 1024 * 1024)}`)),
  ),

  untrusted("another log", asked({ trust: `log ${verifierKeyOf(OTHER_SEED, SAMPLE_ORIGIN)}\nquorum none\n` })),
  untrusted("no log", asked({ trust: "quorum none\n" })),
  untrusted(
    "a checkpoint signed by another key",
    parts((it) => ({ ...it, checkpoint: resigned(it.checkpoint, OTHER_SEED) })),
  ),
  untrusted(
    "another size",
    parts((it) => ({ ...it, checkpoint: it.checkpoint.replace(/\n(\d+)\n/, "\n1$1\n") })),
  ),
  untrusted(
    "a checkpoint that is none",
    parts((it) => ({ ...it, checkpoint: "approvals" })),
  ),
  untrusted(
    "another ledger",
    parts((it) => ({ ...it, origin: "evil.example/v1/ledger" })),
  ),
  untrusted(
    "a checkpoint with an extension line",
    parts((it) => ({ ...it, checkpoint: extended(it.checkpoint) })),
  ),
  untrusted(
    "17 signature lines",
    parts((it) => ({ ...it, checkpoint: manySigned(it.checkpoint) })),
  ),
  fewWitnesses("no witness", asked({ trust: `log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n` })),
  fewWitnesses("a witness of two", (approval) =>
    ask(
      sealApproval(approval, (it) => ({ ...it, checkpoint: cosigned(it.checkpoint) })),
      {
        trust: `log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nwitness w2 ${otherWitness()}\ngroup both all w1 w2\nquorum both\n`,
      },
    ),
  ),

  invalidEntry(
    "an entry that is not canonical",
    entryText((it) => it.replace('"v":1}', '"v": 1}')),
  ),
  invalidEntry(
    "an entry with an unknown member",
    entryText((it) => it.replace('"v":1}', '"v":1,"w":1}')),
  ),
  invalidEntry(
    "an entry of another place",
    parts((it) => withEntries(it, (entry) => ({ ...entry, seq: entry.seq + 1_000 }))),
  ),
  invalidEntry(
    "an entry of another request",
    rows((all) => changeDraft(all, "request.stage_started", { request: `req_${"0f".repeat(16)}` })),
  ),
  invalidEntry(
    "an entry of another organization",
    rows((all) => changeDraft(all, "request.stage_started", { org: `org_${"0f".repeat(16)}` })),
  ),
  invalidEntry(
    "an activation by another organization",
    rows((all) => changeDraft(all, "policy.activated", { org: `org_${"0f".repeat(16)}` })),
  ),
  invalidEntry(
    "an entry about a key that calls itself one of the request, of another organization",
    rows((all) =>
      changeDraft(all, "factor.enrolled", {
        org: `org_${"0f".repeat(16)}`,
        request: all.find(({ draft }) => draft.kind === "request.created")?.draft.request ?? null,
      }),
    ),
  ),
  invalidEntry(
    "an entry of another gate",
    rows((all) =>
      changeDraft(all, "request.stage_started", { resource: { digest: `sha256:${OTHER_HASH}`, gate: "connector" } }),
    ),
  ),
  invalidEntry(
    "an entry twice",
    text((it) => mapBundle(it, "entries", (list) => [...list, ...list.slice(-1)])),
  ),
  invalidEntry(
    "entries in another order",
    text((it) => mapBundle(it, "entries", (list) => [...list].reverse())),
  ),
  invalidEntry(
    "no entry that creates the request",
    parts((it) => without(it, "request.created")),
  ),
  notIncluded(
    "an entry that the ledger does not hold",
    entryText((it) => it.replace('"decision":"approve"', '"decision":"abstain"'), "decision.recorded"),
  ),
  notIncluded("a proof of another entry", parts(swapProofs)),
  notIncluded(
    "a proof with a hash less",
    parts((it) => withEntries(it, (entry) => ({ ...entry, proof: entry.proof.slice(1) }))),
  ),
  notIncluded(
    "a proof with a hash more",
    parts((it) => withEntries(it, (entry) => ({ ...entry, proof: [...entry.proof, OTHER_HASH] }))),
  ),

  otherPayload(
    "a payload with something changed",
    parts((it) => ({ ...it, payload: { ...it.payload, rack: "staging" } })),
  ),
  otherPayload(
    "a payload with another salt",
    parts((it) => ({ ...it, payload: { ...it.payload, salt: "AAAAAAAAAAAAAAAAAAAAAA" } })),
  ),
  otherPayload(
    "an entry about another payload",
    rows((all) => changeDraft(all, "grant.used", { resource: { digest: `sha256:${OTHER_HASH}`, gate: "deploy" } })),
  ),
  otherPayload(
    "a display that is another one",
    parts((it) => ({ ...it, displays: [{ digest: `sha256:${OTHER_HASH}`, document: { a: 1 } }] })),
  ),
  otherPolicy(
    "a policy with something changed",
    parts((it) => ({ ...it, policy: { ...it.policy, name: "Anything goes" } })),
  ),
  otherPolicy(
    "no activation",
    parts((it) => without(it, "policy.activated")),
  ),
  otherPolicy(
    "the activation of another version",
    rows((all) => changeData(all, "policy.activated", { digest: `sha256:${OTHER_HASH}` })),
  ),
  otherPolicy(
    "an activation under another key",
    rows((all) => changeData(all, "policy.activated", { key: "other.key" })),
  ),
  otherOpening(
    "another value",
    parts((it) => ({
      ...it,
      openings: it.openings.map((opening) => ({ ...opening, value: "words that nobody said" })),
    })),
  ),
  otherOpening(
    "another salt",
    parts((it) => ({
      ...it,
      openings: it.openings.map((opening) => ({ ...opening, salt: "AAAAAAAAAAAAAAAAAAAAAA" })),
    })),
  ),
  otherOpening(
    "an opening of nothing",
    parts((it) => ({ ...it, openings: it.openings.map((opening) => ({ ...opening, path: "/nothing" })) })),
  ),
  otherOpening(
    "an opening of an entry that is not there",
    parts((it) => ({ ...it, openings: it.openings.map((opening) => ({ ...opening, seq: 9_999 })) })),
  ),
  otherOpening(
    "erased where nothing was hidden",
    parts((it) => ({ ...it, openings: [{ seq: it.entries[0]?.seq ?? 0, path: "/vkey", erased: true }] })),
  ),

  invalidDecision(
    "another decision than was signed",
    rows((all) => changeData(all, "decision.recorded", { decision: "abstain" }, isSigned)),
  ),
  invalidDecision(
    "decided by somebody else",
    rows((all) => changeDraft(all, "decision.recorded", { actor: `usr_${"0f".repeat(16)}` }, isSigned)),
  ),
  invalidDecision(
    "a decision moved to another stage",
    rows((all) => changeData(all, "decision.recorded", { stage: 9 }, isSigned)),
  ),
  invalidDecision("a signature of another decision", rows(swapAssertions)),
  invalidDecision(
    "a signed decision without its signature",
    rows((all) => changeData(all, "decision.recorded", { assertion: null, statement: null }, isSigned)),
  ),
  invalidDecision(
    "no enrolment",
    parts((it) => without(it, "factor.enrolled")),
  ),
  invalidDecision("a key removed before use", rows(removeKeys)),
  invalidDecision("another key than is pinned", (approval) =>
    ask(sealApproval(approval), { keys: pinsOf(approval, () => SPARE_SPKI) }),
  ),
  invalidDecision(
    "no consistency with the checkpoint that was seen",
    parts((it) => ({ ...it, seen: [] })),
  ),
  invalidDecision(
    "a checkpoint seen with another proof",
    parts((it) => ({ ...it, seen: it.seen.map((seen) => ({ ...seen, proof: [...seen.proof, OTHER_HASH] })) })),
  ),
  invalidDecision("a nonce used twice", rows(repeatDecision)),

  unsupported(
    "another outcome",
    parts((it) => ({ ...it, request: { ...it.request, outcome: "rejected" } })),
  ),
  unsupported(
    "a decision left out",
    parts((it) => without(it, "decision.recorded")),
  ),
  unsupported(
    "the end left out",
    parts((it) => without(it, "request.approved")),
  ),
  unsupported(
    "fewer votes needed than the policy says",
    rows((all) => changeData(all, "request.stage_started", { needed: 99 })),
  ),
  unsupported(
    "nobody was asked",
    rows((all) => all.map((row) => (row.draft.kind === "request.resolved" ? withData(row, { tasks: [] }) : row))),
  ),
  unsupported("somebody was excluded who decided", rows(excludeDeciders)),
  unsupported(
    "an approval out of nothing",
    rows((all) => all.filter(({ draft }) => !/^(request\.(resolved|stage_)|decision\.)/.test(draft.kind))),
  ),
  unsupported(
    "other decisions are counted",
    rows((all) => changeData(all, "request.approved", { decisions: 99 })),
  ),

  badGrant(
    "more uses than permitted",
    rows((all) => changeData(all, "grant.issued", { uses: 1 }).concat(repeatUse(all))),
  ),
  badGrant(
    "uses that are not counted",
    rows((all) => changeData(all, "grant.used", { use: 7 })),
  ),
  badGrant(
    "used after it expired",
    rows((all) => changeData(all, "grant.issued", { expires_at: "2026-11-20T00:00:00.000Z" })),
  ),
  badGrant(
    "never issued",
    rows((all) => all.filter(({ draft }) => draft.kind !== "grant.issued")),
  ),
  badGrant("not in force at the time asked about", asked({ at: "2031-01-01T00:00:00.000Z" })),
  badGrant("not yet in force at the time asked about", asked({ at: "2021-01-01T00:00:00.000Z" })),
  otherUse("another payload is expected", asked({ expect_digest: `sha256:${OTHER_HASH}` })),
  otherUse("another commit is expected", asked({ expect_commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904" })),

  otherAttestation(
    "signed by another key",
    parts((it) => withAttestation(it, (body) => body, OTHER_SEED)),
  ),
  otherAttestation(
    "says that another commit was approved",
    parts((it) => withAttestation(it, (body) => body.replace(/"gitCommit":"[0-9a-f]/, '"gitCommit":"x'))),
  ),
  otherAttestation(
    "says that another outcome was reached",
    parts((it) => withAttestation(it, (body) => body.replace('"outcome":"approved"', '"outcome":"rejected"'))),
  ),
  otherAttestation(
    "leaves an approval out",
    parts((it) => withAttestation(it, (body) => body.replace(/"approvals":\[\{[^}]*\},?/, '"approvals":['))),
  ),
  otherAttestation(
    "another type",
    parts((it) => ({ ...it, ...(it.dsse === undefined ? {} : { dsse: { ...it.dsse, payloadType: "text/plain" } }) })),
  ),
];

const SPARE_SPKI = Buffer.concat([
  Buffer.from("302a300506032b6570032100", "hex"),
  ed25519.getPublicKey(OTHER_SEED),
]).toString("base64url");

/** The question about a bundle whose every part is right, asked as strictly as can be. */
export function strictQuestion(approval: SampleApproval): BundleQuestionText {
  const bundle = sealApproval(approval, (it) => ({ ...it, checkpoint: cosigned(it.checkpoint) }));
  const commit = deployedCommit(approval.payload);
  const witnesses = `witness w1 ${WITNESS_VKEY}\nwitness w2 ${otherWitness()}\ngroup some any w1 w2\n`;
  return ask(bundle, {
    trust: `log ${LOG_VKEY}\n${witnesses}quorum some\n`,
    keys: `${pinsOf(approval, (spki) => spki)}attestation ${attestationSpki()}\n`,
    expect_digest: approval.rows.find(({ draft }) => draft.kind === "request.created")?.draft.resource?.digest ?? null,
    expect_commit: approval.isErased ? null : commit,
  });
}

/** Something in the text of a bundle, changed at random by somebody who has nothing but the bundle. */
export function scratched(bundle: string, dice: Dice): string {
  const value: unknown = JSON.parse(bundle);
  const places = placesIn(value, []).slice(1);
  const place = dice.one(places) ?? [];
  return JSON.stringify(changeAt(value, place, (old) => otherValue(old, dice)));
}

/** The bundle as often as it has values, each time with another one of them changed. */
export function everyScratch(bundle: string): readonly { readonly place: string; readonly bundle: string }[] {
  const value: unknown = JSON.parse(bundle);
  const isLeaf = (place: Place): boolean => typeof valueAt(value, place) !== "object";
  return placesIn(value, [])
    .filter(isLeaf)
    .map((place) => ({ place: place.join("/"), bundle: JSON.stringify(changeAt(value, place, nextValue)) }));
}

function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inner, step) => memberOf(inner, step), value);
}

function memberOf(value: unknown, step: string | number): unknown {
  if (isList(value)) return value[Number(step)];
  return isRecord(value) ? value[step] : null;
}

function nextValue(old: unknown): unknown {
  if (typeof old === "number") return old + 1;
  if (typeof old !== "string") return old !== true;
  return old.startsWith("A") ? `B${old.slice(1)}` : `A${old.slice(1)}`;
}

/** Rows of the ledger, changed at random by a server that then signs what comes of it. */
export function rewritten(approval: SampleApproval, dice: Dice): SampleApproval {
  const { rows: all } = approval;
  const own = all.flatMap((row, index) => (row.draft.request === null ? [] : [index]));
  const index = dice.one(own) ?? 0;
  const row = all[index];
  const other = all[dice.one(own) ?? 0];
  if (row === undefined || other === undefined) return approval;
  const at = row.at;
  const change = dice.below(5);
  if (change === 0) return { ...approval, rows: all.toSpliced(index, 1) };
  if (change === 1) return { ...approval, rows: all.toSpliced(index, 0, row) };
  if (change === 2)
    return { ...approval, rows: all.with(index, { ...other, at }).with(all.indexOf(other), { ...row, at: other.at }) };
  if (change === 3)
    return { ...approval, rows: all.with(index, { ...row, draft: { ...row.draft, actor: other.draft.actor } }) };
  return {
    ...approval,
    rows: all.with(index, { ...row, draft: { ...row.draft, data: otherData(row.draft.data, other.draft.data, dice) } }),
  };
}

/** Members that both have are taken from the other; else an enumeration or a number becomes another one. */
function otherData(data: JsonObject, from: JsonObject, dice: Dice): JsonObject {
  const common = Object.keys(data).filter(
    (name) => name in from && JSON.stringify(from[name]) !== JSON.stringify(data[name]),
  );
  const name = dice.one(common);
  const value = name === undefined ? undefined : from[name];
  if (name !== undefined && value !== undefined && dice.chance(0.6)) return { ...data, [name]: value };
  const counted = Object.keys(data).filter((key) => typeof data[key] === "number");
  const number = dice.one(counted);
  if (number !== undefined && dice.chance(0.6)) return { ...data, [number]: 1 + dice.below(4) };
  const words: Readonly<Record<string, readonly string[]>> = {
    decision: ["approve", "reject", "abstain"],
    assurance: ["session", "mfa", "signed"],
    outcome: ["approved", "rejected"],
    mode: ["all", "any-n", "percentage"],
    reason_code: ["skip_if", "no_approvers", "quorum_unreachable", "no_approvers_resolved", "sla_breach"],
  };
  const word = dice.one(Object.keys(data).filter((key) => key in words));
  return word === undefined ? data : { ...data, [word]: dice.one(words[word] ?? []) ?? null };
}

function entryText(change: (text: string) => string, kind?: string): BundleDamage["make"] {
  return parts((it) => withEntries(it, (entry) => ({ ...entry, text: change(entry.text) }), kind));
}

type PartsEntry = BundleParts["entries"][number];

/** The last entry (of the kind), changed. */
function withEntries(it: BundleParts, change: (entry: PartsEntry) => PartsEntry, kind = ""): BundleParts {
  const index = it.entries.findLastIndex(({ text: entry }) => entry.includes(`"kind":"${kind}`));
  const entry = it.entries[index];
  return entry === undefined ? it : { ...it, entries: it.entries.with(index, change(entry)) };
}

/** The entries of a kind, and what was hidden in them, are left out. */
function without(it: BundleParts, kind: string): BundleParts {
  const entries = it.entries.filter(({ text: entry }) => !entry.includes(`"kind":"${kind}"`));
  const kept = new Set(entries.map(({ seq }) => seq));
  return { ...it, entries, openings: it.openings.filter(({ seq }) => kept.has(seq)) };
}

function swapProofs(it: BundleParts): BundleParts {
  const [first, second, ...rest] = it.entries;
  if (first === undefined || second === undefined) return it;
  return { ...it, entries: [{ ...first, proof: second.proof }, { ...second, proof: first.proof }, ...rest] };
}

/** The first row of the kind that `which` is true of, with another frame. */
function changeDraft(
  all: readonly SampleRow[],
  kind: string,
  change: Partial<EntryDraft>,
  which: (row: SampleRow) => boolean = () => true,
): readonly SampleRow[] {
  const row = all.find((one) => one.draft.kind === kind && which(one));
  return row === undefined ? all : all.with(all.indexOf(row), { ...row, draft: { ...row.draft, ...change } });
}

function changeData(
  all: readonly SampleRow[],
  kind: string,
  data: JsonObject,
  which: (row: SampleRow) => boolean = () => true,
): readonly SampleRow[] {
  const row = all.find((one) => one.draft.kind === kind && which(one));
  return row === undefined ? all : all.with(all.indexOf(row), withData(row, data));
}

function withData(row: SampleRow, data: JsonObject): SampleRow {
  return { ...row, draft: { ...row.draft, data: { ...row.draft.data, ...data } } };
}

function isSigned({ draft }: SampleRow): boolean {
  return isRecord(draft.data["assertion"]);
}

function swapAssertions(all: readonly SampleRow[]): readonly SampleRow[] {
  const [first, second] = all.filter(isSigned);
  if (first === undefined || second === undefined) return all;
  const { assertion = null } = second.draft.data;
  return all.with(all.indexOf(first), withData(first, { assertion }));
}

/** After the policy was activated, before anybody decides. */
function removeKeys(all: readonly SampleRow[]): readonly SampleRow[] {
  const at = all.findIndex(({ draft }) => draft.kind === "request.created");
  const removals = all
    .filter(({ draft }) => draft.kind === "factor.enrolled")
    .map((row): SampleRow => ({ ...row, at: all[at]?.at ?? row.at, draft: { ...row.draft, kind: "factor.removed" } }));
  return all.toSpliced(at, 0, ...removals);
}

function repeatDecision(all: readonly SampleRow[]): readonly SampleRow[] {
  const row = all.find(isSigned);
  return row === undefined ? all : all.toSpliced(all.indexOf(row) + 1, 0, row);
}

function repeatUse(all: readonly SampleRow[]): readonly SampleRow[] {
  const row = all.findLast(({ draft }) => draft.kind === "grant.used");
  const last = all.at(-1);
  if (row === undefined || last === undefined) return [];
  return [{ ...withData(row, { use: Number(row.draft.data["use"]) + 1 }), at: last.at }];
}

function excludeDeciders(all: readonly SampleRow[]): readonly SampleRow[] {
  const excluded = all
    .filter(({ draft }) => draft.kind === "decision.recorded")
    .map(({ draft }): JsonValue => ({ person: draft.actor, why: "requester" }));
  return all.map((row) => (row.draft.kind === "request.resolved" ? withData(row, { excluded }) : row));
}

function withAttestation(it: BundleParts, change: (body: string) => string, seed = ATTESTATION_SEED): BundleParts {
  const body = Buffer.from(it.dsse?.payload ?? "", "base64").toString();
  return { ...it, dsse: signEnvelope(seed, INTOTO_PAYLOAD_TYPE, change(body), nodeSha256) };
}

export function pinsOf({ rows: all }: SampleApproval, keyFor: (spki: string) => string): string {
  return all
    .filter(({ draft }) => draft.kind === "factor.enrolled")
    .map(({ draft: { data } }) => {
      const { person, spki } = data;
      return typeof person === "string" && typeof spki === "string" ? `person ${person} ${keyFor(spki)}\n` : "";
    })
    .join("");
}

export function attestationSpki(): string {
  const start = Buffer.from("302a300506032b6570032100", "hex");
  return Buffer.concat([start, ed25519.getPublicKey(ATTESTATION_SEED)]).toString("base64url");
}

function otherWitness(): string {
  return encodeVerifierKey("witness.example.net/w2", ed25519.getPublicKey(OTHER_SEED), "cosignature");
}

function resigned(note: string, seed: Uint8Array): string {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === null) throw new Error("the sample has no checkpoint");
  return signNote(seed, SAMPLE_ORIGIN, formatCheckpoint(checkpoint));
}

function extended(note: string): string {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === null) throw new Error("the sample has no checkpoint");
  return signNote(LOG_SEED, SAMPLE_ORIGIN, `${formatCheckpoint(checkpoint)}extension\n`);
}

function manySigned(note: string): string {
  const line = note.trimEnd().split("\n").at(-1) ?? "";
  return note + `${line}\n`.repeat(16);
}

/** A witness cosignature of C2SP tlog-cosignature. */
function cosigned(note: string): string {
  const [body = ""] = note.split("\n\n");
  const time = 1_795_165_800;
  const signature = ed25519.sign(Buffer.from(`cosignature/v1\ntime ${time}\n${body}\n`), WITNESS_SEED);
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(time));
  const [, id = ""] = WITNESS_VKEY.split("+");
  return `${note}— witness.example.net/w1 ${toBase64(Buffer.concat([Buffer.from(id, "hex"), stamp, signature]))}\n`;
}

function mapBundle(bundle: string, member: string, change: (list: readonly unknown[]) => readonly unknown[]): string {
  const value: unknown = JSON.parse(bundle);
  const list = isRecord(value) ? value[member] : null;
  return JSON.stringify({ ...(isRecord(value) ? value : {}), [member]: change(Array.isArray(list) ? list : []) });
}

type Place = readonly (string | number)[];

/** Every value in the tree. */
function placesIn(value: unknown, place: Place): readonly Place[] {
  if (Array.isArray(value)) return [place, ...value.flatMap((item, index) => placesIn(item, [...place, index]))];
  if (!isRecord(value)) return [place];
  return [place, ...Object.entries(value).flatMap(([name, item]) => placesIn(item, [...place, name]))];
}

const GONE = Symbol("the value is left out");

function changeAt(value: unknown, [step, ...rest]: Place, change: (old: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    return value
      .map((item: unknown, index) => (index === step ? changeAt(item, rest, change) : item))
      .filter((item) => item !== GONE);
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]): [string, unknown] => [name, name === step ? changeAt(item, rest, change) : item])
      .filter(([, item]) => item !== GONE),
  );
}

function otherValue(old: unknown, dice: Dice): unknown {
  const luck = dice.next();
  if (luck < 0.2) return GONE;
  if (luck < 0.3) return dice.one([null, true, 0, 1, -1, 0.5, "", "x", [], {}]);
  if (typeof old === "number") return dice.one([old + 1, old - 1, 0, 1]);
  if (typeof old === "string") return otherText(old, dice);
  if (isList(old)) return dice.chance(0.5) ? [...old].reverse() : old.slice(1);
  return isRecord(old) ? { ...old, extra: 1 } : !old;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function otherText(old: string, dice: Dice): string {
  const at = dice.below(Math.max(1, old.length));
  const letter = dice.one(["0", "a", "A", " ", "\n", "=", "}", "é"]) ?? "0";
  return (
    dice.one([old.slice(0, at) + letter + old.slice(at + 1), old.slice(0, at) + old.slice(at + 1), old + letter]) ?? ""
  );
}
