/** Our code against the published vectors (docs/spec/ledger.md section 3, RFC 6962, C2SP), byte for byte. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { appendEntries } from "../../src/ledger/append.ts";
import { fromBase64, toBase64 } from "../../src/ledger/base64.ts";
import { parseEntry } from "../../src/ledger/entry.ts";
import { chainHash, emptySlice, extendSlice, genesis, leafHash } from "../../src/ledger/hash.ts";
import { emptyHead } from "../../src/ledger/head.ts";
import { fromHex, toHex } from "../../src/ledger/hex.ts";
import { parseCheckpoint, verifyNote } from "../../src/ledger/note.ts";
import {
  consistencyProof,
  inclusionProof,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
} from "../../src/ledger/proof.ts";
import { pureSha256 } from "../../src/ledger/sha256.ts";
import { rangeRoot, rootOf } from "../../src/ledger/tree.ts";
import { startVerification } from "../../src/ledger/verify.ts";
import ledger from "./ledger-v1.json" with { type: "json" };
import rfc6962 from "./rfc6962.json" with { type: "json" };
import { nodeSha256 } from "./sample-ledger.ts";

const leaves = ledger.entries.map((entry) => entry.leaf);

function base64Hash(text: string): string {
  const bytes = fromBase64(text);
  if (bytes === null) throw new Error(`not base64: ${text}`);
  return toHex(bytes);
}

function rootAt(size: number): string {
  return ledger.roots.find((root) => root.size === size)?.root ?? "";
}

describe.each([
  ["the pure SHA-256", pureSha256],
  ["the SHA-256 of Node", nodeSha256],
])("ledger R-VEC-1: the published vectors with %s", (_, sha256) => {
  it("ledger R-VEC-1: the eight entries, appended one by one, give the published bytes, hashes and roots", () => {
    let head = emptyHead(ledger.origin, sha256);
    expect(head).toMatchObject({ chain: ledger.genesis, root: ledger.empty_root });
    for (const [seq, expected] of ledger.entries.entries()) {
      const parsed = parseEntry(expected.text);
      expect(parsed.ok).toBe(true);
      if (!parsed.ok) return;
      const appended = appendEntries(head, [parsed.entry], parsed.entry.at, sha256);
      head = appended.head;
      expect(appended.entries).toMatchObject([
        { seq, text: expected.text, chain: expected.chain, leaf: expected.leaf },
      ]);
      expect(Buffer.byteLength(expected.text)).toBe(expected.bytes);
      expect(head.root).toBe(rootAt(seq + 1));
    }
  });

  it("ledger R-VEC-1: chain, leaf, root and genesis hashes are the published ones", () => {
    expect(genesis(ledger.origin, sha256)).toBe(ledger.genesis);
    expect(rangeRoot({ size: 0, roots: [] }, sha256)).toBe(ledger.empty_root);
    for (const { text, chain, leaf } of ledger.entries) {
      expect([chainHash(text, sha256), leafHash(text, sha256)]).toEqual([chain, leaf]);
    }
    for (const { size, root, base64 } of ledger.roots) {
      expect(rootOf(leaves.slice(0, size), sha256)).toBe(root);
      expect(toBase64(fromHex(root))).toBe(base64);
    }
  });

  it("ledger R-VEC-1: the published proofs are made, and verify", () => {
    const subtrees = subtreesOf((seq) => leaves[seq] ?? "", sha256);
    for (const { index, size, proof } of ledger.inclusion) {
      const hashes = proof.map(base64Hash);
      expect(inclusionProof(subtrees, index, size, sha256)).toEqual(hashes);
      const claim = { leaf: leaves[index] ?? "", index, size, root: rootAt(size), proof: hashes };
      expect(verifyInclusion(claim, sha256)).toBe(true);
    }
    for (const { from, to, proof } of ledger.consistency) {
      const hashes = proof.map(base64Hash);
      expect(consistencyProof(subtrees, from, to, sha256)).toEqual(hashes);
      const claim = { from, to, fromRoot: rootAt(from), toRoot: rootAt(to), proof: hashes };
      expect(verifyConsistency(claim, sha256)).toBe(true);
    }
  });

  it("ledger R-VEC-1: the organization slice is the published one", () => {
    const own = ledger.entries.filter(({ text }) => text.includes(`"org":"${ledger.org}"`));
    expect(own).toHaveLength(7);
    const slice = own.reduce((state, { leaf }) => extendSlice(state, leaf, sha256), emptySlice(ledger.org, sha256));
    expect(slice).toBe(ledger.org_slice);
  });

  it("ledger R-VEC-1: the payload of entries 3 to 7 has the digest that they name", () => {
    expect(`sha256:${chainHash(ledger.payload.text, sha256)}`).toBe(ledger.payload.digest);
    for (const { text } of ledger.entries.slice(3)) expect(text).toContain(ledger.payload.digest);
  });

  it("ledger R-VEC-1: the reference leaves of RFC 6962 give the reference roots", () => {
    const hashes = rfc6962.leaves_hex.map((data) => leafHash(Buffer.from(data, "hex").toString("latin1"), sha256));
    for (const [index, root] of rfc6962.roots.entries()) {
      expect(rootOf(hashes.slice(0, index + 1), sha256)).toBe(root);
    }
  });

  it("ledger R-VEC-1: the published ledger verifies against its published checkpoint", () => {
    const checkpoint = parseCheckpoint(ledger.checkpoint);
    expect(checkpoint).toEqual({ origin: ledger.origin, size: 8, root: rootAt(8) });
    const verification = startVerification(ledger.origin, "genesis", sha256);
    verification.expectCheckpoint(8, checkpoint?.root ?? "");
    let head = emptyHead(ledger.origin, sha256);
    for (const { text } of ledger.entries) {
      const parsed = parseEntry(text);
      if (!parsed.ok) throw new Error(parsed.finding);
      const appended = appendEntries(head, [parsed.entry], parsed.entry.at, sha256);
      head = appended.head;
      for (const row of appended.entries) verification.check(row);
    }
    expect(verification.finish(head)).toEqual([]);
  });
});

describe("published vectors", () => {
  it.each([
    ["ledger-v1.json", "7f1623e06ba46b0954d4a55718787bf29cb246e86ac3de30e24d590cdb3c9821"],
    ["rfc6962.json", "d25895b9ead0e286b956f0c16406884d96ef7d16c3ff5d783956816d5661f348"],
    ["rfc8785.json", "e4cae7d4be6cca34592cf0564fa55e667a92bf8611acb18f9e4885b17eb040e6"],
    ["signed-note.json", "321dd1f13e33c7cc4775ef39b8f5ef58687eefd40fd91e25eaad14b7f1284168"],
  ])("ledger R-VEC-1: %s is read-only: a change of format needs a new file, not another old one", (name, digest) => {
    expect(toHex(nodeSha256(readFileSync(new URL(name, import.meta.url))))).toBe(digest);
  });

  it("ledger R-VEC-1: the checkpoint inside the published tlog-proof is signed, and its proof verifies", () => {
    const [header, index, ...rest] = ledger.tlog_proof.split("\n");
    const end = rest.indexOf("");
    const note = rest.slice(end + 1).join("\n");
    const checkpoint = parseCheckpoint(note);
    expect([header, index]).toEqual(["c2sp.org/tlog-proof@v1", "index 4"]);
    expect(verifyNote(note, ledger.log_vkey)).toBe(true);
    expect(checkpoint).toEqual({ origin: ledger.origin, size: 7, root: rootAt(7) });
    const proof = rest.slice(0, end).map(base64Hash);
    const claim = { leaf: leaves[4] ?? "", index: 4, size: 7, root: checkpoint?.root ?? "", proof };
    expect(verifyInclusion(claim, nodeSha256)).toBe(true);
  });
});
