/**
 * Signed decisions to verify: a statement, the entry that records it and the enrolment of its key, all real; and every way
 * in which one of them can be wrong that can be seen afterwards (docs/spec/evidence.md sections 2 to 4).
 */
import type { JsonObject } from "../../src/ledger/canonical-json.ts";
import { encodeEntry } from "../../src/ledger/entry.ts";
import type { EntryFields } from "../../src/ledger/entry.ts";
import { batchChallenge, batchPath, batchRoot } from "../../src/evidence/batch.ts";
import type { BatchPlace } from "../../src/evidence/batch.ts";
import { encodeStatement, statementChallenge } from "../../src/evidence/statement.ts";
import type { DecisionStatement } from "../../src/evidence/statement.ts";
import { Dice } from "./dice.ts";
import { nodeSha256, SAMPLE_ORIGIN, sampleHash } from "./sample-ledger.ts";
import { FLAGS, newKey, otherS, signCeremony, text64 } from "./software-authenticator.ts";
import type { Ceremony, Signed, SoftwareKey } from "./software-authenticator.ts";

/** What both implementations are asked. */
export interface DecisionQuestion {
  readonly statement: string;
  readonly recorded: string;
  readonly factors: readonly string[];
  readonly origin: string;
  readonly nonces: readonly string[];
  readonly touches: Readonly<Record<string, { readonly signature: string; readonly sign_count: number }>>;
}

export interface DecisionSample {
  readonly name: string;
  /** Null for a good one, else the check that it fails. */
  readonly check: string | null;
  readonly question: DecisionQuestion;
}

export const RP_ID = "approvals.example.com";
export const WEB_ORIGIN = `https://${RP_ID}`;

const NOW = Date.UTC(2026, 10, 20, 9);
const SECOND = 1_000;

/** Few keys of each algorithm: it is not the keys that vary. */
export function sampleKeys(count = 3): readonly SoftwareKey[] {
  return ([-7, -8, -257] as const).flatMap((algorithm) => Array.from({ length: count }, () => newKey(algorithm)));
}

function time(seconds: number): string {
  return new Date(NOW + seconds * SECOND).toISOString();
}

/** The parts of one decision before they are written down; a bad one is a good one with a part changed. */
interface Draft {
  readonly statement: DecisionStatement;
  readonly key: SoftwareKey;
  readonly ceremony: Partial<Ceremony>;
  /** Statements signed by the same touch; null for a statement signed alone. */
  readonly batch: { readonly others: readonly string[]; readonly index: number } | null;
  readonly enrolled: JsonObject;
  /** In which organization the key was enrolled. */
  readonly home: string;
  readonly recorded: Partial<EntryFields>;
  readonly data: JsonObject;
  readonly question: Partial<DecisionQuestion>;
  readonly signed?: (signed: Answer) => JsonObject;
}

interface Answer extends Signed {
  readonly batch?: BatchPlace;
}

const FACTOR = `fac_${"61".repeat(16)}`;
const CREDENTIAL = `sha256:${sampleHash("credential")}`;

function draftOf(dice: Dice, keys: readonly SoftwareKey[]): Draft {
  const key = dice.one(keys) ?? newKey(-7);
  const flags = FLAGS.present | FLAGS.verified | dice.pick([0, FLAGS.eligible, FLAGS.eligible | FLAGS.backedUp]);
  const size = dice.chance(0.5) ? 1 + dice.below(50) : 1;
  const statement = statementOf(dice);
  const others = Array.from({ length: size - 1 }, () => encodeStatement(statementOf(dice)));
  return {
    statement,
    key,
    ceremony: { flags, counter: dice.chance(0.5) ? 0 : 1 + dice.below(1_000_000) },
    batch: dice.chance(0.5) ? { others, index: dice.below(size) } : null,
    enrolled: { backup_eligible: (flags & FLAGS.eligible) !== 0 },
    home: dice.chance(0.2) ? `org_${dice.hex(16)}` : statement.org,
    recorded: {},
    data: {},
    question: {},
  };
}

function statementOf(dice: Dice): DecisionStatement {
  const id = (prefix: string): string => `${prefix}_${dice.hex(16)}`;
  const shown = dice.below(60);
  return {
    v: 1,
    type: "countersign/decision",
    org: id("org"),
    request: id("req"),
    revision: 1 + dice.below(5),
    stage: 1 + dice.below(4),
    task: id("task"),
    gate: dice.pick(["deploy", "certificate", "generic", "policy"]),
    decision: dice.pick(["approve", "approve", "reject", "abstain", "request_changes"]),
    approver: id("usr"),
    on_behalf_of: dice.chance(0.4) ? id("usr") : null,
    policy: { key: "deploy.production", version: 1 + dice.below(90), digest: `sha256:${dice.hex(32)}` },
    payload: `sha256:${dice.hex(32)}`,
    display: `sha256:${dice.hex(32)}`,
    reason: dice.chance(0.5) ? `c1:${dice.hex(32)}` : null,
    checkpoint: {
      origin: SAMPLE_ORIGIN,
      size: dice.below(1_000_000) + 1,
      root: Buffer.from(dice.bytes(32)).toString("base64"),
    },
    shown_at: time(shown),
    not_after: time(shown + 60 + dice.below(120)),
    nonce: text64(dice.bytes(32)),
  };
}

function write(draft: Draft, change: (text: string) => string = (text) => text): DecisionQuestion {
  const { statement, key, batch } = draft;
  const text = encodeStatement(statement);
  const texts = batch === null ? [text] : batch.others.toSpliced(batch.index, 0, text);
  const root = batchRoot(texts, nodeSha256);
  const challenge = batch === null ? statementChallenge(text, nodeSha256) : batchChallenge(root, nodeSha256);
  const signed: Signed = signCeremony(key, { challenge, origin: WEB_ORIGIN, rpId: RP_ID, ...draft.ceremony });
  const place =
    batch === null
      ? {}
      : { batch: { root, index: batch.index, size: texts.length, path: batchPath(texts, batch.index, nodeSha256) } };
  const assertion = {
    credential_digest: CREDENTIAL,
    ...(draft.signed ?? asserted)({ ...signed, ...place }),
  };
  return {
    statement: change(text),
    recorded: encodeEntry(recordedEntry(draft, { ...assertion })),
    factors: [encodeEntry(enrolledEntry(draft))],
    origin: SAMPLE_ORIGIN,
    nonces: [],
    touches: {},
    ...draft.question,
  };
}

function recordedEntry({ statement, recorded, data }: Draft, assertion: JsonObject): EntryFields {
  return {
    v: 1,
    seq: 2_000_000,
    at: new Date(Date.parse(statement.shown_at) + 30 * SECOND).toISOString(),
    org: statement.org,
    kind: "decision.recorded",
    actor: statement.approver,
    credential: `ses_${"51".repeat(16)}`,
    resource: { digest: statement.payload, gate: statement.gate },
    request: statement.request,
    prev: "0".repeat(64),
    ...recorded,
    data: {
      task: statement.task,
      stage: statement.stage,
      revision: statement.revision,
      decision: statement.decision,
      assurance: "signed",
      method: "passkey",
      factor: FACTOR,
      on_behalf_of: statement.on_behalf_of,
      policy: statement.policy.digest,
      reason: statement.reason,
      shown_at: statement.shown_at,
      statement: { ...statement, policy: { ...statement.policy }, checkpoint: { ...statement.checkpoint } },
      assertion,
      ...data,
    },
  };
}

function enrolledEntry({ statement, key, enrolled, home }: Draft): EntryFields {
  return {
    v: 1,
    seq: 1_000_000,
    at: time(-86_400),
    org: home,
    kind: "factor.enrolled",
    actor: statement.approver,
    credential: null,
    resource: null,
    request: null,
    prev: "0".repeat(64),
    data: {
      factor: FACTOR,
      person: statement.approver,
      type: "passkey",
      spki: key.spki,
      alg: key.algorithm,
      credential_digest: CREDENTIAL,
      aaguid: null,
      usable_at: time(-3_600),
      ...enrolled,
    },
  };
}

export function validDecisions(count: number, seed: number, keys: readonly SoftwareKey[]): readonly DecisionSample[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, index) => {
    const draft = draftOf(dice, keys);
    const isOther = draft.key.algorithm === -7 && dice.chance(0.3);
    const signed = (one: Answer): JsonObject => asserted({ ...one, signature: otherS(one.signature) });
    return { name: `valid ${index}`, check: null, question: write(isOther ? { ...draft, signed } : draft) };
  });
}

function asserted({ batch, ...rest }: Answer): JsonObject {
  return batch === undefined ? { ...rest } : { ...rest, batch: { ...batch } };
}

interface Damage {
  readonly name: string;
  readonly check: string;
  /** Only decisions that were signed alone, only those signed in a batch of two or more, or any. */
  readonly of?: "alone" | "batch";
  readonly algorithm?: number;
  readonly make: (draft: Draft, dice: Dice) => DecisionQuestion;
}

/** Client data that names the right challenge, and whatever else is asked for. */
function clientData(draft: Draft, form: (challenge: string) => string | Uint8Array): DecisionQuestion {
  const text = encodeStatement(draft.statement);
  const challenge = text64(statementChallenge(text, nodeSha256));
  return write({ ...draft, batch: null, ceremony: { ...draft.ceremony, clientData: form(challenge) } });
}

function plainClientData(challenge: string, change: JsonObject = {}): string {
  return JSON.stringify({ type: "webauthn.get", challenge, origin: WEB_ORIGIN, crossOrigin: false, ...change });
}

function withFlags(draft: Draft, change: (flags: number) => number): DecisionQuestion {
  return write({ ...draft, ceremony: { ...draft.ceremony, flags: change(draft.ceremony.flags ?? 0) } });
}

function withSignature(draft: Draft, change: (signature: Buffer) => Buffer): DecisionQuestion {
  const signed = (one: Answer): JsonObject =>
    asserted({ ...one, signature: change(Buffer.from(one.signature, "base64url")).toString("base64url") });
  return write({ ...draft, signed });
}

function withBatch(draft: Draft, change: (place: BatchPlace) => BatchPlace): DecisionQuestion {
  const signed = ({ batch, ...rest }: Answer): JsonObject =>
    asserted({ ...rest, ...(batch === undefined ? {} : { batch: change(batch) }) });
  return write({ ...draft, signed });
}

function mismatched(name: string, change: Partial<DecisionStatement>): Damage {
  return {
    name: `the statement has another ${name} than the entry`,
    check: "statement_mismatch",
    make: (draft) => {
      const statement = { ...draft.statement, ...change };
      const own = recordedEntry(draft, {});
      const { org, request, actor, resource } = own;
      const kept = ["task", "stage", "revision", "decision", "on_behalf_of", "policy", "reason", "shown_at"];
      const data = Object.fromEntries(Object.entries(own.data).filter(([member]) => kept.includes(member)));
      return write({ ...draft, statement, recorded: { org, request, actor, resource, at: own.at }, data });
    },
  };
}

function coseKey(bytes: (cose: Buffer) => Buffer): Damage["make"] {
  return (draft) => {
    const spki = bytes(Buffer.from(draft.key.cose, "base64url")).toString("base64url");
    return write({ ...draft, enrolled: { ...draft.enrolled, spki } });
  };
}

const flip = (bytes: Buffer, at: number): Buffer =>
  Buffer.concat([bytes.subarray(0, at), Buffer.of((bytes[at] ?? 0) ^ 1), bytes.subarray(at + 1)]);

const OTHER = `usr_${"0f".repeat(16)}`;

export const DAMAGES: readonly Damage[] = [
  // The statement as text
  ...[
    ["reordered members", (text: string) => `{"v":1,${text.slice(1).replace(',"v":1}', "}")}`],
    ["a member twice", (text: string) => text.replace('"v":1}', '"v":1,"v":1}')],
    ["white space", (text: string) => text.replace('"v":1', '"v": 1')],
    ["trailing bytes", (text: string) => `${text}\n`],
    ["another escape", (text: string) => text.replace("countersign/decision", "countersign\\/decision")],
    ["another number form", (text: string) => text.replace('"v":1}', '"v":1.0}')],
    ["an unknown member", (text: string) => text.replace('"v":1}', '"v":1,"w":1}')],
    ["a missing member", (text: string) => text.replace(/"nonce":"[^"]*",/, "")],
    ["an unknown version", (text: string) => text.replace('"v":1}', '"v":2}')],
    ["more than 4 KiB", (text: string) => text.replace('"v":1}', `"v":1${" ".repeat(4_096)}}`)],
    ["another text than the entry holds", (text: string) => text.replace(/"stage":\d/, '"stage":7')],
  ].map(([name, change]) => ({
    name: `statement with ${String(name)}`,
    check: "statement",
    make: (draft: Draft) => write(draft, typeof change === "function" ? change : undefined),
  })),
  // Row 2
  {
    name: "decided after not_after",
    check: "statement_expired",
    make: (draft) => write({ ...draft, recorded: { at: time(100_000) } }),
  },
  {
    name: "decided before it was shown",
    check: "statement_expired",
    make: (draft) => write({ ...draft, recorded: { at: time(-10) } }),
  },
  // Rows 1, 3 and 4
  mismatched("organization", { org: `org_${"0f".repeat(16)}` }),
  mismatched("request", { request: `req_${"0f".repeat(16)}` }),
  mismatched("task", { task: `task_${"0f".repeat(16)}` }),
  mismatched("stage", { stage: 9 }),
  mismatched("revision", { revision: 9 }),
  mismatched("payload", { payload: `sha256:${"0f".repeat(32)}` }),
  mismatched("gate", { gate: "connector" }),
  mismatched("person", { approver: OTHER }),
  mismatched("delegator", { on_behalf_of: OTHER }),
  mismatched("policy", { policy: { key: "deploy.production", version: 1, digest: `sha256:${"0f".repeat(32)}` } }),
  mismatched("reason", { reason: `c1:${"0f".repeat(32)}` }),
  mismatched("time of showing", { shown_at: time(-1) }),
  {
    name: "the entry records another decision",
    check: "statement_mismatch",
    make: (draft) =>
      write({ ...draft, data: { decision: draft.statement.decision === "reject" ? "approve" : "reject" } }),
  },
  {
    name: "a nonce is used again",
    check: "nonce_reused",
    make: (draft) => write({ ...draft, question: { nonces: [draft.statement.nonce] } }),
  },
  // Row 5
  { name: "no enrolment", check: "factor_unknown", make: (draft) => write({ ...draft, question: { factors: [] } }) },
  {
    name: "another factor",
    check: "factor_unknown",
    make: (draft) => write({ ...draft, data: { factor: `fac_${"0f".repeat(16)}` } }),
  },
  { name: "no factor", check: "factor_unknown", make: (draft) => write({ ...draft, data: { factor: null } }) },
  {
    name: "somebody else's factor",
    check: "factor_unknown",
    make: (draft) => write({ ...draft, enrolled: { ...draft.enrolled, person: OTHER } }),
  },
  {
    name: "another credential",
    check: "factor_unknown",
    make: (draft) =>
      write({ ...draft, enrolled: { ...draft.enrolled, credential_digest: `sha256:${"0f".repeat(32)}` } }),
  },
  {
    name: "enrolled afterwards",
    check: "factor_unknown",
    make: (draft) => withFactors(draft, (enrolled) => [{ ...enrolled, seq: 3_000_000 }]),
  },
  {
    name: "enrolled twice",
    check: "factor_unknown",
    make: (draft) => withFactors(draft, (enrolled) => [enrolled, { ...enrolled, seq: 1_000_001 }]),
  },
  {
    name: "removed before",
    check: "factor_disabled",
    make: (draft) =>
      withFactors(draft, (enrolled) => [enrolled, { ...enrolled, seq: 1_500_000, kind: "factor.removed" }]),
  },
  {
    name: "its counter went back before",
    check: "factor_disabled",
    make: (draft) =>
      withFactors(draft, (enrolled) => [enrolled, { ...enrolled, seq: 1_500_000, kind: "factor.counter_regressed" }]),
  },
  {
    name: "cooling down",
    check: "factor_cooling_down",
    make: (draft) => write({ ...draft, enrolled: { ...draft.enrolled, usable_at: time(90_000) } }),
  },
  // Row 7
  {
    name: "client data that is no JSON",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, () => "{"),
  },
  {
    name: "client data that is a list",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => `[${plainClientData(it)}]`),
  },
  {
    name: "client data with trailing bytes",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => `${plainClientData(it)} `),
  },
  {
    name: "client data with a byte order mark",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => `\ufeff${plainClientData(it)}`),
  },
  {
    name: "client data that is no UTF-8",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => Buffer.from(plainClientData(it, { extra: "\u00ff" }), "latin1")),
  },
  {
    name: "client data with a member twice",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it).replace("{", '{"origin":"https://evil.example",')),
  },
  {
    name: "client data with a member twice, once escaped",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it).replace("{", '{"\\u0074ype":"webauthn.get",')),
  },
  {
    name: "client data with a member twice further in",
    check: "client_data",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it).replace("}", ',"extra":{"a":1,"a":2}}')),
  },
  {
    name: "a registration",
    check: "client_data_type",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it, { type: "webauthn.create" })),
  },
  {
    name: "another challenge",
    check: "challenge",
    of: "alone",
    make: (draft) => clientData(draft, () => plainClientData(text64(Buffer.alloc(32)))),
  },
  {
    name: "a challenge with padding",
    check: "challenge",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(`${it}=`)),
  },
  {
    name: "a signature over a different statement",
    check: "challenge",
    of: "alone",
    make: (draft, dice) => {
      const other = statementChallenge(encodeStatement(statementOf(dice)), nodeSha256);
      return write({ ...draft, batch: null, ceremony: { ...draft.ceremony, challenge: other } });
    },
  },
  {
    name: "an http origin",
    check: "origin",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, origin: `http://${RP_ID}` } }),
  },
  {
    name: "another port",
    check: "origin",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, origin: `${WEB_ORIGIN}:8443` } }),
  },
  {
    name: "another host",
    check: "origin",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, origin: "https://evil.example" } }),
  },
  {
    name: "an origin with a slash",
    check: "origin",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, origin: `${WEB_ORIGIN}/` } }),
  },
  {
    name: "an origin in capitals",
    check: "origin",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, origin: WEB_ORIGIN.toUpperCase() } }),
  },
  {
    name: "a cross-origin frame",
    check: "cross_origin",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it, { crossOrigin: true })),
  },
  {
    name: "crossOrigin null",
    check: "cross_origin",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it, { crossOrigin: null })),
  },
  {
    name: "a top origin",
    check: "cross_origin",
    of: "alone",
    make: (draft) => clientData(draft, (it) => plainClientData(it, { topOrigin: WEB_ORIGIN })),
  },
  // Row 8
  {
    name: "another RP id",
    check: "rp_id",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, rpId: "evil.example" } }),
  },
  {
    name: "a top level domain as RP id",
    check: "rp_id",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, rpId: "com" } }),
  },
  {
    name: "nobody present",
    check: "user_presence",
    make: (draft) => withFlags(draft, (flags) => flags & ~FLAGS.present),
  },
  {
    name: "nobody verified",
    check: "user_verification",
    make: (draft) => withFlags(draft, (flags) => flags & ~FLAGS.verified),
  },
  {
    name: "backed up though it cannot be",
    check: "backup_state",
    make: (draft) => withFlags(draft, (flags) => (flags & ~FLAGS.eligible) | FLAGS.backedUp),
  },
  {
    name: "eligible for backup as it was not",
    check: "backup_state",
    make: (draft) => withFlags(draft, (flags) => (flags ^ FLAGS.eligible) & ~FLAGS.backedUp),
  },
  {
    name: "bytes after the counter",
    check: "authenticator_data",
    make: (draft) => write({ ...draft, ceremony: { ...draft.ceremony, extensions: Buffer.of(0) } }),
  },
  {
    name: "extensions announced and missing",
    check: "authenticator_data",
    make: (draft) => withFlags(draft, (flags) => flags | FLAGS.extensions),
  },
  {
    name: "a credential inside",
    check: "authenticator_data",
    make: (draft) => withFlags(draft, (flags) => flags | 0x40),
  },
  // Row 9
  {
    name: "a signature with a bit flipped",
    check: "signature",
    make: (draft) => withSignature(draft, (signature) => flip(signature, signature.length - 1)),
  },
  {
    name: "a signature cut short",
    check: "signature",
    make: (draft) => withSignature(draft, (signature) => signature.subarray(0, -1)),
  },
  {
    name: "a signature with a byte more",
    check: "signature",
    make: (draft) => withSignature(draft, (signature) => Buffer.concat([signature, Buffer.of(0)])),
  },
  {
    name: "a signature of zeros",
    check: "signature",
    make: (draft) => withSignature(draft, (signature) => Buffer.alloc(signature.length)),
  },
  {
    name: "an ECDSA signature of r = s = 0",
    check: "signature",
    algorithm: -7,
    make: (draft) => withSignature(draft, () => Buffer.from("3006020100020100", "hex")),
  },
  {
    name: "an ECDSA signature with a padded number",
    check: "signature",
    algorithm: -7,
    make: (draft) =>
      withSignature(draft, (signature) => {
        const rLength = signature[3] ?? 0;
        const body = Buffer.concat([Buffer.of(2, rLength + 1, 0), signature.subarray(4)]);
        return Buffer.concat([Buffer.of(0x30, body.length), body]);
      }),
  },
  {
    name: "another person's key",
    check: "signature",
    make: (draft) => write({ ...draft, enrolled: { ...draft.enrolled, spki: newKeyLike(draft.key).spki } }),
  },
  {
    name: "another algorithm than enrolled",
    check: "public_key",
    make: (draft) => write({ ...draft, enrolled: { ...draft.enrolled, alg: draft.key.algorithm === -7 ? -8 : -7 } }),
  },
  {
    name: "a COSE key with a number longer than needed",
    check: "public_key",
    algorithm: -7,
    make: coseKey((cose) => Buffer.concat([cose.subarray(0, 1), Buffer.from("180102", "hex"), cose.subarray(3)])),
  },
  {
    name: "a COSE key with a length longer than needed",
    check: "public_key",
    algorithm: -8,
    make: coseKey((cose) => Buffer.concat([cose.subarray(0, 8), Buffer.from("590020", "hex"), cose.subarray(10)])),
  },
  {
    name: "a COSE key with bytes after it",
    check: "public_key",
    make: coseKey((cose) => Buffer.concat([cose, Buffer.of(0)])),
  },
  {
    name: "a COSE key in another order",
    check: "public_key",
    algorithm: -7,
    make: coseKey((cose) =>
      Buffer.concat([cose.subarray(0, 1), cose.subarray(3, 5), cose.subarray(1, 3), cose.subarray(5)]),
    ),
  },
  {
    name: "a point that is not on the curve",
    check: "public_key",
    algorithm: -7,
    make: coseKey((cose) => flip(cose, cose.length - 1)),
  },
  {
    name: "a key that is none",
    check: "public_key",
    make: (draft) => write({ ...draft, enrolled: { ...draft.enrolled, spki: "MFkw" } }),
  },
  // Row 10
  {
    name: "a counter that went back",
    check: "sign_count",
    make: (draft) =>
      write({
        ...draft,
        ceremony: { ...draft.ceremony, counter: 5 },
        question: { touches: { [FACTOR]: { signature: "AAAA", sign_count: 5 } } },
      }),
  },
  {
    name: "a counter that became zero",
    check: "sign_count",
    make: (draft) =>
      write({
        ...draft,
        ceremony: { ...draft.ceremony, counter: 0 },
        question: { touches: { [FACTOR]: { signature: "AAAA", sign_count: 1 } } },
      }),
  },
  // R-SIGN-5
  {
    name: "another root of the batch",
    check: "batch",
    of: "batch",
    make: (draft) => withBatch(draft, (place) => ({ ...place, root: sampleHash("root") })),
  },
  {
    name: "another place in the batch",
    check: "batch",
    of: "batch",
    make: (draft) => withBatch(draft, (place) => ({ ...place, index: place.index === 0 ? 1 : place.index - 1 })),
  },
  {
    name: "a place behind the batch",
    check: "batch",
    of: "batch",
    make: (draft) => withBatch(draft, (place) => ({ ...place, index: place.size })),
  },
  {
    name: "a hash less on the way",
    check: "batch",
    of: "batch",
    make: (draft) => withBatch(draft, (place) => ({ ...place, path: place.path.slice(1) })),
  },
  {
    name: "a hash more on the way",
    check: "batch",
    of: "batch",
    make: (draft) => withBatch(draft, (place) => ({ ...place, path: [...place.path, sampleHash("more")] })),
  },
  { name: "a batch of 51", check: "batch", make: (draft, dice) => largeBatch(draft, dice) },
  {
    name: "a batch that is not mentioned",
    check: "challenge",
    of: "batch",
    make: (draft) =>
      write({
        ...draft,
        signed: ({ authenticator_data, client_data, signature }) => ({ authenticator_data, client_data, signature }),
      }),
  },
];

/** Signed at these places of this machine, for ledgers of these origins; null where both belong together. */
const PLACES: readonly (readonly [string, string, string | null])[] = [
  ["localhost/dev/0123456789abcdef", "http://localhost:8123", null],
  ["localhost/0123456789abcdef", "http://localhost", null],
  ["localhost/0123456789abcdef", "https://localhost:443", null],
  ["localhost:8123/v1/ledger", "http://localhost:8123", null],
  ["localhost:8123/v1/ledger", "http://localhost:8124", "origin"],
  ["localhost/v1/ledger", "http://localhost:8123", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:8123/", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:08123", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:812345", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:80:80", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost:8123\n", "origin"],
  ["localhost/dev/0123456789abcdef", "http://localhost.example.com:8123", "origin"],
  ["localhost/dev/0123456789abcdef", "http://127.0.0.1:8123", "origin"],
  ["approvals.example.com/dev/0123456789abcdef", "https://approvals.example.com:8123", "origin"],
];

export function placedDecisions(seed: number, keys: readonly SoftwareKey[]): readonly DecisionSample[] {
  const dice = new Dice(seed);
  return PLACES.map(([ledger, web, check]) => {
    const draft = draftOf(dice, keys);
    const rpId = ledger.startsWith("localhost") ? "localhost" : RP_ID;
    const ceremony = { ...draft.ceremony, origin: web, rpId };
    const question = write({ ...draft, ceremony, question: { origin: ledger } });
    return { name: `${web} for ${ledger}`, check, question };
  });
}

/** Decisions of which every one is wrong in one way. */
export function invalidDecisions(
  rounds: number,
  seed: number,
  keys: readonly SoftwareKey[],
): readonly DecisionSample[] {
  const dice = new Dice(seed);
  return Array.from({ length: rounds }, () => DAMAGES)
    .flat()
    .map((damage) => {
      const { name, check } = damage;
      return { name, check, question: damage.make(suitable(damage, dice, keys), dice) };
    });
}

function suitable(damage: Damage, dice: Dice, keys: readonly SoftwareKey[]): Draft {
  const fitting = keys.filter((key) => damage.algorithm === undefined || key.algorithm === damage.algorithm);
  const draft = draftOf(dice, fitting);
  if (damage.of === "alone") return { ...draft, batch: null };
  if (damage.of !== "batch" || (draft.batch !== null && draft.batch.others.length > 0)) return draft;
  return { ...draft, batch: { others: [encodeStatement(statementOf(dice))], index: 0 } };
}

function withFactors(draft: Draft, change: (enrolled: EntryFields) => readonly EntryFields[]): DecisionQuestion {
  return write({ ...draft, question: { factors: change(enrolledEntry(draft)).map((entry) => encodeEntry(entry)) } });
}

/** 51 statements under one root: the tree is right, the number is not. */
function largeBatch(draft: Draft, dice: Dice): DecisionQuestion {
  const others = Array.from({ length: 49 }, () => encodeStatement(statementOf(dice)));
  return withBatch({ ...draft, batch: { others, index: 0 } }, (place) => ({ ...place, size: 51 }));
}

function newKeyLike({ algorithm }: SoftwareKey): SoftwareKey {
  const known = SPARE.get(algorithm) ?? newKey(algorithm);
  SPARE.set(algorithm, known);
  return known;
}

const SPARE = new Map<number, SoftwareKey>();
