/**
 * `countersign verify <file>`: a bundle or an attestation, checked without network and without clock. 0 every check passed,
 * 1 the evidence is wrong, 2 could not check. Implements docs/spec/evidence.md R-OFF-1, R-OFF-2 and R-OFF-4.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { BUNDLE_BYTES_MAX, parseBundle, type Bundle } from "../evidence/bundle.ts";
import { reportBundle } from "../evidence/bundle-report.ts";
import type { BundleReport } from "../evidence/bundle-report.ts";
import { parseEnvelope } from "../evidence/dsse.ts";
import { NO_PINS, parsePins, parseTrust } from "../evidence/trust.ts";
import type { PinnedKeys, TrustPolicy } from "../evidence/trust.ts";
import { verifyAttestation } from "../evidence/verify-attestation.ts";
import type { VerifiedAttestation } from "../evidence/verify-attestation.ts";
import { verifyBundle } from "../evidence/verify-bundle.ts";
import type { BundleFailure } from "../evidence/verify-bundle.ts";
import { parseEntry } from "../ledger/entry.ts";
import { isLedgerTime } from "../ledger/member-form.ts";
import { parseNote, verifyNote } from "../ledger/note.ts";

export interface VerifyFileFlags {
  readonly trust?: string;
  readonly keys?: string;
  readonly expectDigest?: string;
  readonly expectCommit?: string;
  readonly at?: string;
  readonly json?: true;
}

/** Why nothing was checked; the message says what to do. */
export class CannotCheck extends Error {
  override readonly name = "CannotCheck";
}

/** Null where the bundle is about what was asked for. */
export type BundleAbout = (bundle: Bundle) => BundleFailure | null;

const SOUND = 0;
const WRONG = 1;
const UNCHECKED = 2;

const sha256 = (data: Uint8Array): Uint8Array => createHash("sha256").update(data).digest();

/** The exit status, here as below. */
export function runVerifyBundle(file: string, flags: VerifyFileFlags): number {
  return checked(flags, () => {
    const text = readText(file, "bundle");
    return parseEnvelope(text) === null ? bundle(text, flags) : attestation(text, flags);
  });
}

/** Of a bundle that was just handed out; `about` says what it must be besides. */
export function verifyBundleText(text: string, flags: VerifyFileFlags, about: BundleAbout): number {
  return checked(flags, () => bundle(text, flags, about));
}

function checked(flags: VerifyFileFlags, work: () => number): number {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CannotCheck)) throw error;
    if (flags.json === true)
      console.log(JSON.stringify({ sound: null, code: "unchecked", detail: error.message }, null, 2));
    else console.error(error.message);
    return UNCHECKED;
  }
}

function bundle(text: string, flags: VerifyFileFlags, about: BundleAbout = () => null): number {
  const parsed = parseBundle(text);
  if (!parsed.ok) throw new CannotCheck(`unreadable: ${parsed.finding}.`);
  if (flags.trust === undefined) {
    throw new CannotCheck(
      `Say which ledger you trust: --trust <file>, with these two lines if you know the key to be right.\n\n${suggestTrust(text)}`,
    );
  }
  const proven = verifyBundle(
    text,
    {
      trust: readTrust(flags.trust),
      pins: readPins(flags.keys),
      expectDigest: flags.expectDigest ?? null,
      expectCommit: flags.expectCommit ?? null,
      at: timeOf(flags.at),
    },
    sha256,
  );
  const verified = proven.ok ? (about(proven.bundle) ?? proven) : proven;
  if (!verified.ok) {
    console.log(
      flags.json === true
        ? JSON.stringify({ sound: false, ...failureMembers(verified) }, null, 2)
        : toldFailure(verified),
    );
    return verified.code === "unreadable" ? UNCHECKED : WRONG;
  }
  const report = reportBundle(verified);
  console.log(flags.json === true ? JSON.stringify({ sound: true, ...report }, null, 2) : toldReport(report));
  return SOUND;
}

function attestation(text: string, flags: VerifyFileFlags): number {
  const { attestations } = readPins(flags.keys);
  if (attestations.length === 0) {
    throw new CannotCheck("Say whose attestation you trust: --keys <file>, with a line attestation <key>.");
  }
  const { expectDigest = null, expectCommit = null } = flags;
  const verified = verifyAttestation(text, { keys: attestations, expectDigest, expectCommit }, sha256);
  console.log(
    flags.json === true ? JSON.stringify({ sound: verified.ok, ...verified }, null, 2) : toldAttestation(verified),
  );
  return verified.ok ? SOUND : WRONG;
}

function toldFailure(failure: BundleFailure): string {
  const { step, code, detail, seq, person, check } = failure;
  const where = seq === null ? "" : ` at entry ${String(seq)}`;
  const whose = person === null ? "" : `\nperson  ${person}\ncheck   ${String(check)}`;
  return `Not sound: ${code} (step ${String(step)})${where}: ${detail}.${whose}`;
}

function failureMembers({ step, code, detail, seq, person, check }: BundleFailure): object {
  return { step, code, detail, seq, person, check };
}

function toldReport(report: BundleReport): string {
  const { request, outcome, ledger, decisions, proven, not_proven: unproven } = report;
  const lines = (items: readonly string[]): readonly string[] => items.map((item) => `  ${item}`);
  return [
    `request     ${request}`,
    `outcome     ${outcome}`,
    `ledger      ${ledger.origin}, ${String(ledger.size)} entries`,
    ...["", ...decisions.map(({ text }) => text)],
    ...["", "Proven:", ...lines(proven), "", "Not proven:", ...lines(unproven)],
    ...["", "Sound: every check passed."],
  ].join("\n");
}

function toldAttestation(verified: VerifiedAttestation): string {
  if (!verified.ok) return `Not sound: ${verified.code}: ${verified.detail}.`;
  const subjects = verified.subjects.map((subject) => `subject     ${subject}`);
  return [
    `outcome     ${verified.outcome}`,
    ...subjects,
    ...["", "Proven:", "  the attestation is signed by a key that you pinned"],
    ...[
      "",
      "Not proven:",
      "  that the ledger holds the entries that the attestation names: verify the bundle for that",
    ],
    ...["", "Sound: every check passed."],
  ].join("\n");
}

/** The key that the bundle's own entries name, if it signed the checkpoint; else what the signature lines say. */
function suggestTrust(text: string): string {
  const parsed = parseBundle(text);
  if (!parsed.ok) return "";
  const { entries, checkpoint, origin } = parsed.bundle;
  const vkey = entries
    .map(({ bytes }) => parseEntry(bytes))
    .flatMap((read) => (read.ok ? [read.entry.data["vkey"]] : []))
    .find((key) => typeof key === "string" && key.startsWith(`${origin}+`) && verifyNote(checkpoint, key));
  if (typeof vkey === "string") return `log ${vkey}\nquorum none`;
  const signers = parseNote(checkpoint)?.signatures.map(({ name, id }) => `${name}+${id}`) ?? [];
  return `log <the key whose name and id are ${signers.join(" or ")}>\nquorum none`;
}

function readTrust(file: string): TrustPolicy {
  const parsed = parseTrust(readText(file, "trust file"));
  if (!parsed.ok) throw new CannotCheck(`The trust file cannot be used: ${parsed.finding}.`);
  return parsed.trust;
}

function readPins(file: string | undefined): PinnedKeys {
  if (file === undefined) return NO_PINS;
  const parsed = parsePins(readText(file, "file of keys"));
  if (!parsed.ok) throw new CannotCheck(`The file of keys cannot be used: ${parsed.finding}.`);
  return parsed.pins;
}

/** `2026-11-20T09:00:00Z` or with milliseconds, as entries write it. */
function timeOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const time = text.replace(/(:\d{2})Z$/, "$1.000Z");
  if (!isLedgerTime(time)) throw new CannotCheck("--at is a UTC time such as 2026-11-20T09:00:00Z.");
  return time;
}

function readText(file: string, what: string): string {
  try {
    if (statSync(file).size > BUNDLE_BYTES_MAX) throw new CannotCheck(`unreadable: the ${what} is larger than 5 MiB.`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof CannotCheck) throw error;
    throw new CannotCheck(`unreadable: the ${what} ${file} cannot be read as text.`);
  }
}
