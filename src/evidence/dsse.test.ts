import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "../ledger/base64.ts";
import { fromHex } from "../ledger/hex.ts";
import { pureSha256 } from "../ledger/sha256.ts";
import { utf8Bytes } from "../ledger/utf8.ts";
import {
  envelopeKeyId,
  INTOTO_PAYLOAD_TYPE,
  parseEnvelope,
  preAuthEncoding,
  signEnvelope,
  verifyEnvelope,
} from "./dsse.ts";
import { encodeSpki } from "./public-key.ts";
import { ed25519 } from "@noble/curves/ed25519.js";

const seed = fromHex("404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f");
const body =
  '{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"urn:countersign:human-approval:v1","subject":[{"digest":{"gitCommit":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"name":"commit"}]}';
const spki = encodeSpki({ algorithm: -8, bytes: ed25519.getPublicKey(seed) });
const other = encodeSpki({ algorithm: -8, bytes: ed25519.getPublicKey(fromHex("11".repeat(32))) });
const envelope = signEnvelope(seed, INTOTO_PAYLOAD_TYPE, body, pureSha256);

describe("a DSSE envelope", () => {
  it("ledger section 11.2: key id and signature are the published ones", () => {
    expect(utf8Bytes(body).length).toBe(206);
    expect(envelope).toEqual({
      payloadType: "application/vnd.in-toto+json",
      payload: toBase64(utf8Bytes(body)),
      signatures: [
        {
          keyid: "788de5096f8b530eef97a4015cffb7cfeb260c23795b846bf8112682a93b1101",
          sig: "R3LtGayJpKTKVtEd+InjEvWi7UR/ocyzGVUaWysllVPqsqcVo/eZeiDLDiSQm9Lr4gHHc4t4XOCJC9zHX6r7DA==",
        },
      ],
    });
    expect(envelopeKeyId(spki, pureSha256)).toBe(envelope.signatures[0]?.keyid);
  });

  it("ledger section 11.2: signs lengths in bytes, as the example of DSSE 1.0.2", () => {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
    expect(text(preAuthEncoding("http://example.com/HelloWorld", utf8Bytes("hello world")))).toBe(
      "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
    );
    expect(text(preAuthEncoding("ö", utf8Bytes("€")))).toBe("DSSEv1 2 ö 3 €");
  });

  it("ledger R-OFF-1: opens with the key that signed it, among others, and with no other", () => {
    expect(verifyEnvelope(envelope, [other, spki], pureSha256)).toBe(body);
    expect(verifyEnvelope(envelope, [other], pureSha256)).toBeNull();
    expect(verifyEnvelope(envelope, ["MFkw"], pureSha256)).toBeNull();
    expect(verifyEnvelope(envelope, [], pureSha256)).toBeNull();
  });

  it("ledger R-OFF-1: does not open with anything changed", () => {
    const [line] = envelope.signatures;
    if (line === undefined) throw new Error("there is no signature");
    const flipped = fromBase64(line.sig) ?? new Uint8Array();
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const bad = { ...line, sig: toBase64(flipped) };
    const changes = [
      { ...envelope, payloadType: "application/json" },
      { ...envelope, payload: toBase64(utf8Bytes(`${body} `)) },
      { ...envelope, signatures: [bad] },
      { ...envelope, signatures: [line, bad] },
      { ...envelope, signatures: [{ ...line, keyid: "00" }] },
    ];
    expect(changes.map((changed) => verifyEnvelope(changed, [spki], pureSha256))).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  it("ledger R-OFF-1: is read from its file and from nothing else", () => {
    expect(parseEnvelope(`${JSON.stringify(envelope)}\n`)).toEqual(envelope);
    expect(parseEnvelope(JSON.stringify({ ...envelope, extra: 1 }))).toBeNull();
    expect(parseEnvelope(JSON.stringify({ ...envelope, payload: "%" }))).toBeNull();
    expect(parseEnvelope(JSON.stringify({ ...envelope, signatures: [] }))).toBeNull();
    expect(parseEnvelope("{")).toBeNull();
  });
});
