import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeToken, readToken, TOKEN_PREFIXES } from "./token-format.ts";

const VECTOR = "cst_8DmP776H5NFHu5RNNfnc2pqxu3sTJ93b356zA0gcj0A11OddW";
const VECTOR_BYTES = Buffer.from("22ac8a481ae7d24666240db352e5a3ba9684418f5e8598c773f829e2b1ccab2e", "hex");

/** The pattern that R-TOK-1 gives to secret scanners. */
const SCANNER = /\b(?:cst|rgw|cc|ct)_[0-9A-Za-z]{49}\b/g;

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const prefix = fc.constantFrom(...TOKEN_PREFIXES);
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("the form of a token", () => {
  it("identity R-TOK-1: is the one of the vector", () => {
    expect(makeToken("cst_", VECTOR_BYTES)).toBe(VECTOR);
    expect(readToken(VECTOR)).toEqual({ prefix: "cst_", legacy: false });
  });

  it.each([
    [new Uint8Array(32), "0".repeat(43)],
    [new Uint8Array(32).fill(255), expect.stringMatching(/^[0-9A-Za-z]{43}$/)],
  ])("identity R-TOK-1: always has 43 digits and 6 of the checksum", (given, digits) => {
    const token = makeToken("ct_", given);
    expect(token.slice(3, -6)).toEqual(digits);
    expect(readToken(token)).toEqual({ prefix: "ct_", legacy: false });
  });

  it("identity R-TOK-1: the checksum is CRC-32 (IEEE) of everything before it, in base 62", () => {
    fc.assert(
      fc.property(prefix, bytes, (family, random) => {
        const token = makeToken(family, random);
        const digits = Array.from(token.slice(-6), (digit) => ALPHABET.indexOf(digit));
        expect(digits.reduce((number, digit) => number * 62 + digit, 0)).toBe(crc32(token.slice(0, -6)));
      }),
    );
  });

  it("identity R-TOK-1: one changed, added or missing character is noticed", () => {
    fc.assert(
      fc.property(
        prefix,
        bytes,
        fc.nat(48),
        fc.constantFrom(...Array.from(ALPHABET)),
        (family, random, place, other) => {
          const token = makeToken(family, random);
          const at = family.length + place;
          if (token.charAt(at) !== other)
            expect(readToken(`${token.slice(0, at)}${other}${token.slice(at + 1)}`)).toBeNull();
          expect(readToken(`${token}${other}`)).toBeNull();
          expect(readToken(token.slice(0, -1))).toBeNull();
        },
      ),
    );
  });

  it.each([
    ["", "nothing"],
    ["cst_", "a prefix alone"],
    [VECTOR.toUpperCase(), "another prefix"],
    [`x${VECTOR}`, "text before"],
    [`${VECTOR}\n`, "a line end"],
    [VECTOR.replace("8", "-"), "another alphabet"],
    [VECTOR.replace("cst_", "ct_"), "the checksum of another family"],
    ["eyJhbGciOiJub25lIn0.e30.", "a JWT"],
  ])("identity R-TOK-1: %j is no token (%s)", (text) => {
    expect(readToken(text)).toBeNull();
  });

  it("identity R-TOK-2, deploy R-TOKEN-1: knows the older form, padded or not, which has no checksum, by its length", () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const legacy = `rgw_${Buffer.from(random).toString("base64url")}`;
        expect(readToken(legacy)).toEqual({ prefix: "rgw_", legacy: true });
        expect(readToken(legacy.replace("rgw_", "cst_"))).toBeNull();
        // As rack-gateway wrote it (deploy R-TOKEN-1).
        expect(readToken(`${legacy}=`)).toEqual({ prefix: "rgw_", legacy: true });
        expect(readToken(`${legacy}==`)).toBeNull();
      }),
    );
    expect(readToken(`rgw_${"A".repeat(42)}B`)).toBeNull();
  });

  it("identity R-TOK-1: the scanner's pattern finds every family and nothing else that looks random", () => {
    const tokens = TOKEN_PREFIXES.map((family) => makeToken(family, randomBytes(32)));
    expect(`leak: "${tokens.join('", "')}".`.match(SCANNER)).toEqual(tokens);
    const harmless = [
      "0b39ac87-7b63-4c0c-9f2c-5ad6f9a1f6b0",
      "sha256:c7ad09191aaf982c92864a705612aa511a70a2297ea56936c07bf38fc6b948fb",
      "usr_a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
      `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.${randomBytes(64).toString("base64url")}`,
      `ct_${randomBytes(32).toString("hex")}`,
    ];
    expect(harmless.join("\n").match(SCANNER)).toBeNull();
  });

  it("identity R-TOK-1: is made of 32 bytes and nothing shorter", () => {
    expect(() => makeToken("cst_", new Uint8Array(31))).toThrow("32 random bytes");
  });
});
