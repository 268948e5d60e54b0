import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import vectors from "../../test/interop/decision-v1.json" with { type: "json" };
import { pureSha256 } from "../ledger/sha256.ts";
import { encodeSpki, parsePublicKey, verifySignature } from "./public-key.ts";

const { cose, spki } = vectors.vector;

/** A modulus of so many bytes; whether it is a product of primes is nobody's to see. */
function rsaKeyOf(bytes: number, exponent: readonly number[] = [1, 0, 1]): string {
  const modulus = new Uint8Array(bytes);
  modulus.set([0x80]);
  modulus.set([1], bytes - 1);
  return encodeSpki({ algorithm: -257, rsa: { modulus, exponent: Uint8Array.from(exponent) } });
}

function changed(text: string, change: (bytes: Buffer) => Buffer): string {
  return change(Buffer.from(text, "base64url")).toString("base64url");
}

const flipped = (bytes: Buffer, at: number): Buffer =>
  Buffer.concat([bytes.subarray(0, at), Buffer.of((bytes.at(at) ?? 0) ^ 1), bytes.subarray(at + 1)]);

describe("public keys", () => {
  it("identity R-FACT-1: the COSE key of an authenticator and the SubjectPublicKeyInfo of the ledger are one key", () => {
    const key = parsePublicKey(cose);
    expect(key).toEqual(parsePublicKey(spki));
    expect(key === null ? "" : encodeSpki(key)).toBe(spki);
  });

  it.each(["ed25519", "ec", "rsa"] as const)(
    "identity R-FACT-1: a key of %s is written as node:crypto writes it",
    (type) => {
      const { publicKey } =
        type === "ed25519"
          ? generateKeyPairSync("ed25519")
          : type === "ec"
            ? generateKeyPairSync("ec", { namedCurve: "P-256" })
            : generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
      const text = publicKey.export({ type: "spki", format: "der" }).toString("base64url");
      const key = parsePublicKey(text);
      expect(key === null ? "" : encodeSpki(key)).toBe(text);
    },
  );

  it("identity R-FACT-1: RSA keys have 2,048 to 4,096 bits and an odd exponent from 3 up", () => {
    const isKey = (text: string): boolean => parsePublicKey(text) !== null;
    expect([255, 256, 512, 513].map((bytes) => isKey(rsaKeyOf(bytes)))).toEqual([false, true, true, false]);
    const exponents = [[1], [2], [3], [1, 0, 1], [1, 0, 0], [1, 0, 0, 0, 1]];
    expect(exponents.map((exponent) => isKey(rsaKeyOf(256, exponent)))).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it("identity R-SIGN-1: an RSA signature with another padding or another exponent does not verify", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = parsePublicKey(publicKey.export({ type: "spki", format: "der" }).toString("base64url"));
    if (key === null) throw new Error("the key cannot be read");
    const message = Buffer.from("message");
    const good = sign("sha256", message, privateKey);
    expect(verifySignature(key, { message, signature: good }, pureSha256)).toBe(true);
    const others = [
      sign("sha512", message, privateKey),
      sign("sha256", message, { key: privateKey, padding: 6, saltLength: 32 }),
      Buffer.concat([Buffer.of(0), good]),
      Buffer.alloc(256, 0xff),
    ];
    expect(others.map((signature) => verifySignature(key, { message, signature }, pureSha256))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each<[string, string]>([
    [
      "a compressed point",
      pointOf((bytes) => Buffer.concat([Buffer.of(2 + ((bytes.at(-1) ?? 0) & 1)), bytes.subarray(1, 33)])),
    ],
    ["a point off the curve", changed(spki, (bytes) => flipped(bytes, bytes.length - 1))],
    ["bytes after the key", changed(spki, (bytes) => Buffer.concat([bytes, Buffer.of(0)]))],
    ["a key cut short", changed(spki, (bytes) => bytes.subarray(0, -1))],
    ["another curve", otherCurve()],
    ["unused bits", changed(spki, (bytes) => flipped(bytes, 25))],
    [
      "a COSE key with a label that is not the shortest",
      changed(cose, (bytes) => Buffer.concat([bytes.subarray(0, 1), Buffer.of(0x18), bytes.subarray(1)])),
    ],
    ["a COSE key of another algorithm", changed(cose, (bytes) => flipped(bytes, 4))],
    [
      "a COSE key with a member more",
      changed(cose, (bytes) => Buffer.concat([Buffer.of(0xa6), bytes.subarray(1), Buffer.of(0x23, 0x00)])),
    ],
    ["an Ed25519 key that is no point", `MCowBQYDK2VwAyEA${Buffer.alloc(32, 0xff).toString("base64url")}`],
    ["base64 with padding", `${spki}=`],
    ["nothing", ""],
  ])("identity R-FACT-1: %s is no key", (_, text) => {
    expect(parsePublicKey(text)).toBeNull();
  });
});

function pointOf(change: (point: Buffer) => Buffer): string {
  const point = Buffer.from(spki, "base64url").subarray(26);
  const bits = Buffer.concat([Buffer.of(0), change(point)]);
  const start = Buffer.from("301306072a8648ce3d020106082a8648ce3d030107", "hex");
  const body = Buffer.concat([start, Buffer.of(3, bits.length), bits]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]).toString("base64url");
}

function otherCurve(): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  return createPublicKey(publicKey.export({ type: "spki", format: "pem" }))
    .export({ type: "spki", format: "der" })
    .toString("base64url");
}
