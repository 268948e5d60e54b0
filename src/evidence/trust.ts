/**
 * Whom does the verifier believe? A C2SP tlog-policy file (logs, witnesses, groups, one quorum), and a file that pins
 * people's keys. Implements docs/spec/evidence.md section 6 (ledger R-OFF-4, R-WIT-3).
 */
import { toHex } from "../ledger/hex.ts";
import { openCheckpoint, parseVerifierKey, verifyNote } from "../ledger/note.ts";
import type { Checkpoint, KeyType } from "../ledger/note.ts";
import { MEMBER_FORMS } from "../ledger/member-form.ts";
import { encodeSpki, parsePublicKey } from "./public-key.ts";

export interface TrustPolicy {
  readonly logs: readonly string[];
  /** Witness name to verifier key. */
  readonly witnesses: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, TrustGroup>;
  /** Name of a witness or a group; null where none is asked for. */
  readonly quorum: string | null;
}

export interface TrustGroup {
  readonly threshold: number;
  readonly members: readonly string[];
}

export interface PinnedKeys {
  /** Person to the keys (SubjectPublicKeyInfo in base64url) that are known to be theirs. */
  readonly people: ReadonlyMap<string, readonly string[]>;
  /** Keys that sign attestations. */
  readonly attestations: readonly string[];
}

export type ParsedTrust =
  { readonly ok: true; readonly trust: TrustPolicy } | { readonly ok: false; readonly finding: string };

export type ParsedPins =
  { readonly ok: true; readonly pins: PinnedKeys } | { readonly ok: false; readonly finding: string };

export const NO_PINS: PinnedKeys = { people: new Map(), attestations: [] };

/** What tlog-policy asks every reader to accept is 32 of each. */
const LINES_MAX = 1_000;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const NONE = "none";

interface Draft {
  readonly logs: Map<string, string>;
  readonly witnesses: Map<string, string>;
  readonly witnessKeys: Set<string>;
  readonly groups: Map<string, TrustGroup>;
  readonly taken: Set<string>;
  quorum: string | undefined;
}

/** Null, or what is wrong with a line. */
type LineReader = (draft: Draft, words: readonly string[]) => string | null;

const LINE_READERS: ReadonlyMap<string, LineReader> = new Map([
  ["log", readLog],
  ["witness", readWitness],
  ["group", readGroup],
  ["quorum", readQuorum],
]);

export function parseTrust(text: string): ParsedTrust {
  const draft: Draft = {
    ...{ logs: new Map(), witnesses: new Map(), witnessKeys: new Set(), groups: new Map(), taken: new Set() },
    quorum: undefined,
  };
  const finding = readLines(text, ([word = "", ...rest]) => {
    const read = LINE_READERS.get(word);
    return read === undefined ? `${word} is not a word of a trust file` : read(draft, rest);
  });
  if (finding !== null) return { ok: false, finding };
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === undefined) return { ok: false, finding: "there is no quorum line; write quorum none to ask for none" };
  return { ok: true, trust: { logs: [...logs.values()], witnesses, groups, quorum: quorum === NONE ? null : quorum } };
}

/** Lines `person <usr_…> <spki>` and `attestation <spki>`; comments as in a trust file. */
export function parsePins(text: string): ParsedPins {
  const people = new Map<string, readonly string[]>();
  const attestations: string[] = [];
  const finding = readLines(text, (words) => {
    const [word = "", ...rest] = words;
    const spki = canonicalKey(rest.at(-1) ?? "");
    if (spki === null) return "the key cannot be read";
    const [person = ""] = rest;
    if (word === "attestation" && rest.length === 1) attestations.push(spki);
    else if (word === "person" && rest.length === 2 && MEMBER_FORMS.person.is(person)) {
      people.set(person, [...(people.get(person) ?? []), spki]);
    } else return "a line is person <usr_…> <key>, or attestation <key>";
    return null;
  });
  return finding === null ? { ok: true, pins: { people, attestations } } : { ok: false, finding };
}

/** What the note says, when a log of the trust file signed it and it speaks of `origin`. */
export function openTrusted(trust: TrustPolicy, note: string, origin: string): Checkpoint | null {
  for (const vkey of trust.logs) {
    const checkpoint = parseVerifierKey(vkey)?.name === origin ? openCheckpoint(note, origin, vkey) : null;
    if (checkpoint !== null) return checkpoint;
  }
  return null;
}

/** The witnesses of the trust file that cosigned this note. */
export function witnessesOf(trust: TrustPolicy, note: string): readonly string[] {
  return [...trust.witnesses].filter(([, vkey]) => verifyNote(note, vkey)).map(([name]) => name);
}

export function isQuorumMet(trust: TrustPolicy, witnesses: readonly string[]): boolean {
  const holds = (name: string): boolean => {
    const group = trust.groups.get(name);
    if (group === undefined) return witnesses.includes(name);
    return group.members.filter(holds).length >= group.threshold;
  };
  return trust.quorum === null || holds(trust.quorum);
}

function readLines(text: string, read: (words: readonly string[]) => string | null): string | null {
  const lines = text.split("\n");
  if (lines.length > LINES_MAX || CONTROL.test(text)) return "it is not lines of text";
  for (const [index, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    const problem = words.length === 0 || words[0]?.startsWith("#") === true ? null : read(words);
    if (problem !== null) return `line ${index + 1}: ${problem}`;
  }
  return null;
}

function readLog(draft: Draft, words: readonly string[]): string | null {
  const [vkey = "", , ...rest] = words;
  const key = keyOf(vkey, "ed25519");
  if (key === null || rest.length > 0) return "a log is log <vkey> [<url>], with an Ed25519 key";
  if (draft.logs.has(key)) return "this log is there twice";
  draft.logs.set(key, vkey);
  return null;
}

function readWitness(draft: Draft, words: readonly string[]): string | null {
  const [name = "", vkey = "", , ...rest] = words;
  const key = keyOf(vkey, "cosignature");
  if (key === null || rest.length > 0) return "a witness is witness <name> <vkey> [<url>], with a cosignature key";
  if (isDefined(draft, name)) return `the name ${name} is taken`;
  if (draft.witnessKeys.has(key)) return "this witness is there twice";
  draft.witnesses.set(name, vkey);
  draft.witnessKeys.add(key);
  return null;
}

function readGroup(draft: Draft, words: readonly string[]): string | null {
  const [name = "", needed = "", ...members] = words;
  const threshold = thresholdOf(needed, members.length);
  if (threshold === null) return "a group is group <name> <all, any or a number> <members>";
  if (isDefined(draft, name)) return `the name ${name} is taken`;
  for (const member of members) {
    if (member === NONE || !isDefined(draft, member)) return `${member} is not defined above`;
    if (draft.taken.has(member)) return `${member} is in a group already`;
    draft.taken.add(member);
  }
  draft.groups.set(name, { threshold, members });
  return null;
}

function readQuorum(draft: Draft, words: readonly string[]): string | null {
  const [name = "", ...rest] = words;
  if (rest.length > 0 || !isDefined(draft, name)) return "a quorum is quorum <a name defined above, or none>";
  if (draft.quorum !== undefined) return "there is a second quorum line";
  draft.quorum = name;
  return null;
}

function thresholdOf(needed: string, count: number): number | null {
  if (count === 0) return null;
  if (needed === "all") return count;
  if (needed === "any") return 1;
  const threshold = /^[1-9]\d{0,3}$/.test(needed) ? Number(needed) : 0;
  return threshold >= 1 && threshold <= count ? threshold : null;
}

function isDefined(draft: Draft, name: string): boolean {
  return name === NONE || draft.witnesses.has(name) || draft.groups.has(name);
}

/** The key itself: two verifier keys around one key are the same log or witness. */
function keyOf(vkey: string, type: KeyType): string | null {
  const key = parseVerifierKey(vkey);
  return key?.type === type ? toHex(key.publicKey) : null;
}

function canonicalKey(text: string): string | null {
  const key = parsePublicKey(text);
  return key === null ? null : encodeSpki(key);
}
