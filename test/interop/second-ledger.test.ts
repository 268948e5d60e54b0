/**
 * Our code against implementations that share nothing with it: one in Python (standard library), where there is a Python,
 * and one on node:crypto alone. Each gets the same question as JSON and must give the same answer (ledger R-VEC-1).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, isWellFormed } from "../../src/ledger/canonical-json.ts";
import type { JsonValue } from "../../src/ledger/canonical-json.ts";
import { commit } from "../../src/ledger/commitment.ts";
import { emptySlice, extendSlice, genesis } from "../../src/ledger/hash.ts";
import { fromHex, toHex } from "../../src/ledger/hex.ts";
import { formatCheckpoint, signCheckpoint, verifierKeyOf } from "../../src/ledger/note.ts";
import { consistencyProof, inclusionProof, subtreesOf } from "../../src/ledger/proof.ts";
import { rootOf } from "../../src/ledger/tree.ts";
import ledger from "./ledger-v1.json" with { type: "json" };
import rfc6962 from "./rfc6962.json" with { type: "json" };
import rfc8785 from "./rfc8785.json" with { type: "json" };
import { nodeSha256, SAMPLE_ORIGIN, sampleHash, sampleLedger } from "./sample-ledger.ts";
import signedNote from "./signed-note.json" with { type: "json" };

interface Question {
  readonly origin: string;
  readonly texts: readonly string[];
  readonly sizes: readonly number[];
  readonly inclusion: readonly (readonly [index: number, size: number])[];
  readonly consistency: readonly (readonly [from: number, to: number])[];
  readonly commitments: readonly { readonly salt: string; readonly value: JsonValue }[];
  readonly orgs: readonly string[];
  readonly json: readonly string[];
  readonly notes: readonly { readonly note: string; readonly vkey: string }[];
  readonly hex_leaves: readonly string[];
}

interface SecondLanguage {
  readonly name: string;
  readonly command: string;
  readonly script: string;
}

function fileBeside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

const node: SecondLanguage = {
  name: "node:crypto",
  command: process.execPath,
  script: fileBeside("second-ledger.mjs"),
};
const python: SecondLanguage = { name: "Python", command: "python3", script: fileBeside("ledger.py") };

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const languages = hasPython ? [python, node] : [node];

function ask(language: SecondLanguage, question: Question): unknown {
  const run = spawnSync(language.command, [language.script], {
    input: JSON.stringify(question),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`${language.name} could not answer: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

function base64ToHex(text: string): string {
  return Buffer.from(text, "base64").toString("hex");
}

/** Everything the published vectors fix. */
const published: Question = {
  origin: ledger.origin,
  texts: ledger.entries.map(({ text }) => text),
  sizes: [0, ...ledger.roots.map(({ size }) => size)],
  inclusion: ledger.inclusion.map(({ index, size }) => [index, size]),
  consistency: ledger.consistency.map(({ from, to }) => [from, to]),
  commitments: ledger.commitments,
  orgs: [ledger.org],
  json: rfc8785.samples.map(({ input }) => input).concat(rfc8785.numbers.map(({ text }) => text)),
  notes: [
    { note: ledger.checkpoint, vkey: ledger.log_vkey },
    { note: ledger.checkpoint, vkey: ledger.witness_vkey },
    ...signedNote.examples.map(({ note, vkey }) => ({ note, vkey })),
    { note: ledger.checkpoint.replace("\n8\n", "\n9\n"), vkey: ledger.log_vkey },
  ],
  hex_leaves: rfc6962.leaves_hex,
};

const publishedAnswer = {
  genesis: ledger.genesis,
  chain_problem: null,
  chains: ledger.entries.map(({ chain }) => chain),
  leaves: ledger.entries.map(({ leaf }) => leaf),
  roots: [ledger.empty_root, ...ledger.roots.map(({ root }) => root)],
  inclusion: ledger.inclusion.map(({ proof }) => proof.map(base64ToHex)),
  consistency: ledger.consistency.map(({ proof }) => proof.map(base64ToHex)),
  commitments: ledger.commitments.map(({ commitment }) => commitment),
  slices: [ledger.org_slice],
  canonical: rfc8785.samples.map(({ canonical }) => canonical).concat(rfc8785.numbers.map(({ text }) => text)),
  notes: [true, true, true, true, false],
  hex_root: rfc6962.roots.at(-1),
};

const wellFormed = fc.string({ unit: "binary", maxLength: 12 }).filter(isWellFormed);
const jsonValues = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    wellFormed,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(wellFormed, tie("value"), { maxKeys: 6 }),
  ),
})).value;

describe.each(languages)("ledger R-VEC-1: a second implementation, $name", (language) => {
  it("ledger R-VEC-1: gives the published vectors", () => {
    expect(ask(language, published)).toEqual(publishedAnswer);
  });

  it("ledger R-VEC-1: agrees with ours on ledgers, proofs, commitments and notes that nobody published", () => {
    const size = 150;
    const { entries, head } = sampleLedger(size, 42);
    const leaves = entries.map((entry) => entry.leaf);
    const subtrees = subtreesOf((seq) => leaves[seq] ?? "", nodeSha256);
    const sizes = Array.from({ length: size }, (_, index) => index + 1);
    const orgs = [...new Set(entries.flatMap((entry) => entry.org ?? []))];
    const values = fc.sample(jsonValues, { numRuns: 1_500, seed: 7 });
    const commitments = values.slice(0, 200).map((value, index) => ({ salt: sampleHash(`${index}`).slice(32), value }));
    const seed = fromHex(sampleHash("seed"));
    const checkpoint = formatCheckpoint({ origin: SAMPLE_ORIGIN, size, root: head.root });
    const question: Question = {
      origin: SAMPLE_ORIGIN,
      texts: entries.map((entry) => entry.text),
      sizes,
      inclusion: sizes.map((one) => [(one * 7) % one, one]),
      consistency: sizes.map((one) => [1 + ((one * 11) % one), one]),
      commitments,
      orgs,
      json: values.map((value) => JSON.stringify(value)),
      notes: [{ note: signCheckpoint(seed, SAMPLE_ORIGIN, checkpoint), vkey: verifierKeyOf(seed, SAMPLE_ORIGIN) }],
      hex_leaves: [],
    };
    expect(ask(language, question)).toEqual({
      genesis: genesis(SAMPLE_ORIGIN, nodeSha256),
      chain_problem: null,
      chains: entries.map((entry) => entry.chain),
      leaves,
      roots: sizes.map((one) => rootOf(leaves.slice(0, one), nodeSha256)),
      inclusion: question.inclusion.map(([index, one]) => inclusionProof(subtrees, index, one, nodeSha256)),
      consistency: question.consistency.map(([from, to]) => consistencyProof(subtrees, from, to, nodeSha256)),
      commitments: commitments.map(({ salt, value }) => commit(value, fromHex(salt), nodeSha256)),
      slices: orgs.map((org) =>
        entries
          .filter((entry) => entry.org === org)
          .reduce((slice, entry) => extendSlice(slice, entry.leaf, nodeSha256), emptySlice(org, nodeSha256)),
      ),
      canonical: values.map((value) => canonicalJson(value)),
      notes: [true],
      hex_root: toHex(nodeSha256(new Uint8Array())),
    });
  });

  it("ledger R-LED-4: sees the same damage as ours", () => {
    const texts = sampleLedger(10).entries.map((entry) => entry.text);
    const edited = texts.with(6, (texts[6] ?? "").replace('"v":1', '"v": 1'));
    expect(ask(language, { ...published, origin: SAMPLE_ORIGIN, texts: edited })).toMatchObject({ chain_problem: 6 });
    const shortened = texts.toSpliced(3, 1);
    expect(ask(language, { ...published, origin: SAMPLE_ORIGIN, texts: shortened })).toMatchObject({
      chain_problem: 3,
    });
  });
});
