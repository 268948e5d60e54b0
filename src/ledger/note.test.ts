import fc from "fast-check";
import { describe, expect, it } from "vitest";
import ledger from "../../test/interop/ledger-v1.json" with { type: "json" };
import signedNote from "../../test/interop/signed-note.json" with { type: "json" };
import { sampleHash } from "../../test/interop/sample-ledger.ts";
import { toBase64 } from "./base64.ts";
import { EMPTY_ROOT } from "./hash.ts";
import { fromHex } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";
import {
  encodeVerifierKey,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
  signNote,
  verifierKeyOf,
  verifyNote,
} from "./note.ts";

const { origin, checkpoint: published, log_vkey: logKey, witness_vkey: witnessKey } = ledger;
const seed = fromHex(ledger.log_seed);
const [logLine = "", witnessLine = ""] = published.split("\n").slice(4);
const text = published.slice(0, published.indexOf("\n\n") + 1);

/** The published checkpoint with other signature lines. */
function noteWith(...lines: readonly string[]): string {
  return `${text}\n${lines.map((line) => `${line}\n`).join("")}`;
}

function signed(checkpointText: string): string {
  return signNote(seed, origin, checkpointText);
}

describe("note", () => {
  it("ledger R-CP-1: signing gives the published checkpoint to the byte", () => {
    const root = ledger.roots[7]?.root ?? "";
    const note = signCheckpoint(seed, origin, formatCheckpoint({ origin, size: 8, root }));
    expect(note).toBe(noteWith(logLine));
    expect(parseCheckpoint(note)).toEqual({ origin, size: 8, root });
    expect(verifierKeyOf(seed, origin)).toBe(logKey);
    expect(verifierKeyOf(fromHex(ledger.witness_seed), "witness.example.net/w1")).not.toBe(witnessKey);
  });

  it("ledger R-CP-1: log and witness keys verify the published checkpoint; other keys do not", () => {
    expect(verifyNote(published, logKey)).toBe(true);
    expect(verifyNote(published, witnessKey)).toBe(true);
    expect(verifyNote(published, verifierKeyOf(new Uint8Array(32), origin))).toBe(false);
    expect(verifyNote(noteWith(logLine), witnessKey)).toBe(false);
    expect(verifyNote(noteWith(witnessLine), logKey)).toBe(false);
  });

  it("ledger R-VEC-1: the examples of signed-note and of its first implementation verify and parse", () => {
    for (const { note, vkey, text: expected } of signedNote.examples) {
      expect(verifyNote(note, vkey)).toBe(true);
      expect(parseNote(note)?.text).toBe(expected);
      const key = parseVerifierKey(vkey);
      expect(key !== null && encodeVerifierKey(key.name, key.publicKey, key.type)).toBe(vkey);
    }
  });

  it("ledger R-CP-1: a checkpoint in which any one character differs is not signed", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: published.length - 1 }),
        fc.constantFrom("\n", " ", "a", "0", "Z", "+", "—"),
        (place, letter) => {
          fc.pre(published.charAt(place) !== letter);
          const note = published.slice(0, place) + letter + published.slice(place + 1);
          expect(verifyNote(note, logKey) && verifyNote(note, witnessKey)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("ledger R-CP-1: lines of unknown keys are ignored; a wrong line of the known key spoils the note", () => {
    const stranger = signNote(new Uint8Array(32), "stranger.example", text).split("\n").at(-2) ?? "";
    expect(verifyNote(noteWith(stranger, logLine, witnessLine), logKey)).toBe(true);
    expect(verifyNote(noteWith(stranger), logKey)).toBe(false);
    const forged = signNote(seed, origin, `${text}extension\n`).split("\n").at(-2) ?? "";
    expect(verifyNote(noteWith(logLine, forged), logKey)).toBe(false);
    const short = `— ${origin} ${toBase64(Uint8Array.of(0xaa, 0xe4, 0x5e, 0xb8, 1, 2, 3))}`;
    expect(verifyNote(noteWith(short), logKey)).toBe(false);
  });

  it("ledger R-CP-1: a witness line of another length or with a time beyond 2^53 is not its signature", () => {
    const bytes = Buffer.from(witnessLine.split(" ")[2] ?? "", "base64");
    const name = "witness.example.net/w1";
    expect(verifyNote(noteWith(`— ${name} ${bytes.subarray(0, -1).toString("base64")}`), witnessKey)).toBe(false);
    bytes.fill(0xff, 4, 12);
    expect(verifyNote(noteWith(`— ${name} ${bytes.toString("base64")}`), witnessKey)).toBe(false);
  });

  it("ledger R-CP-1: a public key that is no point of the curve verifies nothing", () => {
    const impossible = encodeVerifierKey(origin, new Uint8Array(32).fill(0xff));
    const id = parseVerifierKey(impossible)?.id ?? "";
    const line = `— ${origin} ${Buffer.concat([Buffer.from(id, "hex"), new Uint8Array(64)]).toString("base64")}`;
    expect(verifyNote(noteWith(line), impossible)).toBe(false);
  });

  it("ledger R-CP-1: no key and no signature, however malformed, is more than a false answer", () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), bytes(64), fc.constantFrom("ed25519", "cosignature"), (publicKey, signature, type) => {
        const vkey = encodeVerifierKey(origin, publicKey, type);
        const id = fromHex(parseVerifierKey(vkey)?.id ?? "");
        const time = new Uint8Array(type === "cosignature" ? 8 : 0);
        const line = `— ${origin} ${toBase64(Uint8Array.of(...id, ...time, ...signature))}`;
        expect(verifyNote(noteWith(line), vkey)).toBe(false);
      }),
    );
  });

  it("ledger R-CP-1: up to 16 signature lines are read, 17 are refused", () => {
    const lines = (count: number): string[] => Array.from({ length: count }, () => logLine);
    expect(verifyNote(noteWith(...lines(16)), logKey)).toBe(true);
    expect(verifyNote(noteWith(...lines(17)), logKey)).toBe(false);
  });

  it("ledger R-CP-1: what is not exactly a signed note is none", () => {
    const broken = [
      "",
      "\n",
      text,
      published.slice(0, -1),
      `\n\n${logLine}\n`,
      noteWith("not a signature line"),
      noteWith(logLine.replace("—", "-")),
      noteWith(logLine.replace(origin, "")),
      noteWith(logLine.replace(origin, "a+b")),
      noteWith(`${logLine} `),
      noteWith(logLine.slice(0, -1)),
      noteWith(`— ${origin} ${toBase64(Uint8Array.of(1, 2, 3, 4))}`),
      noteWith(`— \ud800 ${toBase64(new Uint8Array(68))}`),
      noteWith(logLine, ""),
      published.replace("\n8\n", "\r\n8\n"),
      published.replace("\n8\n", "\n\ud8008\n"),
      `${"a".repeat(70_000)}\n\n${logLine}\n`,
    ];
    for (const note of broken) {
      expect(parseNote(note), JSON.stringify(note.slice(0, 120))).toBeNull();
      expect(parseCheckpoint(note)).toBeNull();
    }
  });

  it("ledger R-CP-1: text with empty lines is split from its signatures at the last one", () => {
    const note = signNote(seed, origin, "one\n\ntwo\n");
    expect(parseNote(note)?.text).toBe("one\n\ntwo\n");
    expect(verifyNote(note, logKey)).toBe(true);
  });

  it("ledger R-CP-1: a checkpoint has three lines, a plain size and a whole root", () => {
    const root = toBase64(fromHex(sampleHash("root")));
    const wrong = [
      `${origin}\n8\n${root}\nextension\n`,
      `${origin}\n8\n`,
      `${origin}\n08\n${root}\n`,
      `${origin}\n-8\n${root}\n`,
      `${origin}\n8 \n${root}\n`,
      `${origin}\n9007199254740992\n${root}\n`,
      `${origin}\n8\n${root.slice(0, -4)}\n`,
      `${origin}\n8\n${root.slice(0, -1)}\n`,
      `${origin}\n0\n${root}\n`,
      `\n8\n${root}\n`,
    ];
    for (const one of wrong) expect(parseCheckpoint(signed(one)), one).toBeNull();
    const emptyTree = { origin, size: 0, root: EMPTY_ROOT };
    expect(parseCheckpoint(signed(formatCheckpoint(emptyTree)))).toEqual(emptyTree);
  });

  it("ledger R-CP-1: a checkpoint is opened only with its origin and its key", () => {
    expect(openCheckpoint(published, origin, logKey)).toMatchObject({ size: 8 });
    expect(openCheckpoint(published, "other.example/log", logKey)).toBeNull();
    expect(openCheckpoint(published, origin, verifierKeyOf(new Uint8Array(32), origin))).toBeNull();
    expect(openCheckpoint(signed("no checkpoint\n"), origin, logKey)).toBeNull();
  });

  it("ledger R-CP-1: what is no checkpoint is not signed as one, and no text that is none", () => {
    const root = sampleHash("root");
    expect(() => formatCheckpoint({ origin, size: -1, root })).toThrow(LedgerBug);
    expect(() => formatCheckpoint({ origin, size: 2 ** 53, root })).toThrow(LedgerBug);
    expect(() => formatCheckpoint({ origin, size: 8, root: "x" })).toThrow(LedgerBug);
    const other = formatCheckpoint({ origin: "other.example/log", size: 8, root });
    expect(() => signCheckpoint(seed, origin, other)).toThrow(LedgerBug);
    expect(() => signCheckpoint(seed, origin, "text\n")).toThrow(LedgerBug);
    for (const bad of ["", "\n", "no end", "tab\there\n"]) expect(() => signNote(seed, origin, bad)).toThrow(LedgerBug);
    expect(() => signNote(seed, "a name", text)).toThrow(LedgerBug);
    expect(() => encodeVerifierKey(origin, new Uint8Array(31))).toThrow(LedgerBug);
  });

  it("ledger R-CP-1: a verifier key whose name, id, type or length is not right is none", () => {
    const other = logKey.replace("+aae45eb8+", "+aae45eb9+");
    const renamed = logKey.replace("approvals", "approval5");
    const unknownType = `${origin}+aae45eb8+${toBase64(new Uint8Array(33).fill(2))}`;
    const short = `${origin}+aae45eb8+${toBase64(new Uint8Array(32).fill(1))}`;
    for (const vkey of ["", "name", "name+aae45eb8", other, renamed, unknownType, short, `${logKey}+`, ` ${logKey}`]) {
      expect(parseVerifierKey(vkey), vkey).toBeNull();
      expect(verifyNote(published, vkey), vkey).toBe(false);
    }
    expect(parseVerifierKey(witnessKey)?.type).toBe("cosignature");
  });
});
