import { describe, expect, it } from "vitest";
import { ed25519 } from "@noble/curves/ed25519.js";
import ledger from "../../test/interop/ledger-v1.json" with { type: "json" };
import vectors from "../../test/interop/decision-v1.json" with { type: "json" };
import { encodeVerifierKey } from "../ledger/note.ts";
import { isQuorumMet, openTrusted, parsePins, parseTrust, witnessesOf } from "./trust.ts";
import type { TrustPolicy } from "./trust.ts";

const { log_vkey: log, witness_vkey: witness, checkpoint, origin } = ledger;

const witnessKey = (number: number): string =>
  encodeVerifierKey(`w${number}.example`, ed25519.getPublicKey(new Uint8Array(32).fill(number)), "cosignature");

function trusted(text: string): TrustPolicy {
  const parsed = parseTrust(text);
  if (!parsed.ok) throw new Error(parsed.finding);
  return parsed.trust;
}

/** The example of the C2SP page, with keys. */
const EXAMPLE = [
  "# two organizations",
  `log ${log}  https://log.example/`,
  ...[1, 2, 3].map((number) => `\twitness X${number} ${witnessKey(number)}`),
  "group X-witnesses 2 X1 X2 X3",
  "",
  ...[4, 5, 6].map((number) => `witness Y${number} ${witnessKey(number)} https://w.example/`),
  "group Y-witnesses any Y4 Y5 Y6",
  "group X-and-Y all X-witnesses Y-witnesses",
  "quorum X-and-Y",
  "",
].join("\n");

describe("a trust file", () => {
  it("ledger R-WIT-3: asks for as many witnesses as its groups say", () => {
    const trust = trusted(EXAMPLE);
    const met = (...names: readonly string[]): boolean => isQuorumMet(trust, names);
    expect([met("X1", "X3", "Y4"), met("X1", "X2", "X3", "Y4", "Y5", "Y6")]).toEqual([true, true]);
    expect([met("X1", "Y4", "Y5"), met("X1", "X2", "X3"), met()]).toEqual([false, false, false]);
    expect(isQuorumMet(trusted(`log ${log}\nquorum none\n`), [])).toBe(true);
  });

  it("ledger R-OFF-4: the published checkpoint is believed for its log and its witness, and for no other", () => {
    const trust = trusted(`log ${log}\nwitness w ${witness}\nwitness x ${witnessKey(1)}\nquorum w\n`);
    expect(openTrusted(trust, checkpoint, origin)).toMatchObject({ size: 8 });
    expect(witnessesOf(trust, checkpoint)).toEqual(["w"]);
    expect(openTrusted(trust, checkpoint, "other.example/v1/ledger")).toBeNull();
    expect(openTrusted(trusted("quorum none\n"), checkpoint, origin)).toBeNull();
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["no quorum", `log ${log}\n`],
    ["two quorums", "quorum none\nquorum none\n"],
    ["a quorum that is not defined", "quorum w\n"],
    ["a quorum that is defined below", `quorum w\nwitness w ${witness}\n`],
    ["an unknown word", "believe everybody\nquorum none\n"],
    ["a log with a witness key", `log ${witness}\nquorum none\n`],
    ["a witness with a log key", `witness w ${log}\nquorum none\n`],
    ["a key that is none", "log a+b+c\nquorum none\n"],
    ["a log twice", `log ${log}\nlog ${log}\nquorum none\n`],
    ["a witness twice", `witness a ${witness}\nwitness b ${witness}\nquorum none\n`],
    ["a name twice", `witness a ${witness}\nwitness a ${witnessKey(1)}\nquorum none\n`],
    ["a witness called none", `witness none ${witness}\nquorum none\n`],
    ["a group without members", `witness a ${witness}\ngroup g any\nquorum g\n`],
    ["a group that asks for nobody", `witness a ${witness}\ngroup g 0 a\nquorum g\n`],
    ["a group that asks for more than it has", `witness a ${witness}\ngroup g 2 a\nquorum g\n`],
    ["a group with a stranger", `witness a ${witness}\ngroup g any b\nquorum g\n`],
    ["a group with none in it", `witness a ${witness}\ngroup g any none\nquorum g\n`],
    ["a witness in two groups", `witness a ${witness}\ngroup g any a\ngroup h any a\nquorum g\n`],
    ["a word too many", `log ${log} https://log.example more\nquorum none\n`],
    ["a carriage return", "quorum none\r\n"],
  ])("ledger R-OFF-4: cannot be used with %s", (_, text) => {
    expect(parseTrust(text)).toMatchObject({ ok: false });
  });
});

describe("pinned keys", () => {
  const { spki, cose } = vectors.vector;
  const person = `usr_${"a1".repeat(16)}`;

  it("ledger R-OFF-4: a person may have several, each in either form", () => {
    const parsed = parsePins(`# keys\nperson ${person} ${cose}\nperson ${person} ${spki}\nattestation ${spki}\n\n`);
    expect(parsed).toEqual({ ok: true, pins: { people: new Map([[person, [spki, spki]]]), attestations: [spki] } });
  });

  it.each([
    `person ${person}`,
    `person ann ${spki}`,
    `person ${person} MFkw`,
    `attestation`,
    `key ${spki}`,
    `attestation ${spki} x`,
  ])("ledger R-OFF-4: cannot be used with the line %s", (line) => {
    const parsed = parsePins(`${line}\n`);
    expect(parsed.ok ? "" : parsed.finding).toContain("line 1");
  });
});
