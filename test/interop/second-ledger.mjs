/**
 * A second implementation of the ledger's rules for machines without Python, from the documents alone: node:crypto and
 * nothing of src/ledger. Same question on standard input, same answer on standard output as ledger.py.
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (...parts) => parts.reduce((state, part) => state.update(part), createHash("sha256")).digest();
const hex = (bytes) => bytes.toString("hex");
const leafHash = (bytes) => sha256(Buffer.from([0]), bytes);

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

function splitOf(count) {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function rootOf(leaves) {
  if (leaves.length === 0) return sha256("");
  if (leaves.length === 1) return leaves[0];
  const split = splitOf(leaves.length);
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function inclusion(index, leaves) {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusion(index, left), rootOf(right)]
    : [...inclusion(index - split, right), rootOf(left)];
}

function consistency(size, leaves, isWhole) {
  if (size === leaves.length) return isWhole ? [] : [rootOf(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return size <= split
    ? [...consistency(size, left, isWhole), rootOf(right)]
    : [...consistency(size - split, right, false), rootOf(left)];
}

function isSignature(key, message, signature) {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  return verify(null, Buffer.from(message), createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

function verifyNote({ note, vkey }) {
  const [name, id, ...encoded] = vkey.split("+");
  const typedKey = Buffer.from(encoded.join("+"), "base64");
  if (hex(sha256(`${name}\n`, typedKey).subarray(0, 4)) !== id) return false;
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const own = note
    .slice(end + 2, -1)
    .split("\n")
    .map((line) => line.split(" "))
    .map(([dash, signer, signature]) => ({ dash, signer, bytes: Buffer.from(signature, "base64") }))
    .filter(({ dash, signer, bytes }) => dash === "—" && signer === name && hex(bytes.subarray(0, 4)) === id);
  return own.length > 0 && own.every(({ bytes }) => isNoteSignature(typedKey, text, bytes.subarray(4)));
}

function isNoteSignature(typedKey, text, bytes) {
  const key = typedKey.subarray(1);
  if (typedKey[0] !== 4) return isSignature(key, text, bytes);
  const message = `cosignature/v1\ntime ${bytes.readBigUInt64BE(0)}\n${text}`;
  return isSignature(key, message, bytes.subarray(8));
}

function chainProblem(texts, origin) {
  let prev = hex(sha256(`countersign/ledger/v1\n${origin}\n`));
  let lastAt = "";
  for (const [position, text] of texts.entries()) {
    const entry = JSON.parse(text);
    const fits = canonical(entry) === text && entry.seq === position && entry.prev === prev;
    if (!fits || entry.at < lastAt || Buffer.byteLength(text) > 65535) return position;
    prev = hex(sha256(text));
    lastAt = entry.at;
  }
  return null;
}

function sliceOf(org, texts) {
  const own = texts.filter((text) => JSON.parse(text).org === org);
  return hex(own.reduce((state, text) => sha256(state, leafHash(text)), sha256(`countersign/org/v1\n${org}\n`)));
}

const question = JSON.parse(readFileSync(0, "utf8"));
const { origin, texts } = question;
const leaves = texts.map(leafHash);
const answer = {
  genesis: hex(sha256(`countersign/ledger/v1\n${origin}\n`)),
  chain_problem: chainProblem(texts, origin),
  chains: texts.map((text) => hex(sha256(text))),
  leaves: leaves.map(hex),
  roots: question.sizes.map((size) => hex(rootOf(leaves.slice(0, size)))),
  inclusion: question.inclusion.map(([index, size]) => inclusion(index, leaves.slice(0, size)).map(hex)),
  consistency: question.consistency.map(([from, to]) => consistency(from, leaves.slice(0, to), true).map(hex)),
  commitments: question.commitments.map(
    ({ salt, value }) => `c1:${hex(sha256("countersign/commit/v1\n", Buffer.from(salt, "hex"), canonical(value)))}`,
  ),
  slices: question.orgs.map((org) => sliceOf(org, texts)),
  canonical: question.json.map((text) => canonical(JSON.parse(text))),
  notes: question.notes.map(verifyNote),
  hex_root: hex(rootOf(question.hex_leaves.map((data) => leafHash(Buffer.from(data, "hex"))))),
};
process.stdout.write(JSON.stringify(answer));
