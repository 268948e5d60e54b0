/** The verification on its own, without what the code flow's library checks before it. */
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { readIdToken, type Expected } from "./read-tokens.ts";

const NOW = 1_700_000_000;
const CLAIMS = { iss: "https://i.example", aud: "c", sub: "s", nonce: "n", iat: NOW, exp: NOW + 60 };
const SECRET = new Uint8Array(64).fill(7);

describe("an ID token", () => {
  let privateKey: CryptoKey;
  let expected: Expected;
  beforeAll(async () => {
    const pair = await generateKeyPair("ES384", { extractable: true });
    privateKey = pair.privateKey;
    const find = createLocalJWKSet({ keys: [await exportJWK(pair.publicKey)] });
    expected = { issuer: CLAIMS.iss, clientId: "c", keys: { find }, now: NOW * 1_000 };
  });

  async function outcome(token: string, keys = expected.keys): Promise<string> {
    const read = await readIdToken(token, "n", { ...expected, keys });
    return "fault" in read ? read.fault : read.subject;
  }

  it("identity R-IDP-4: of another algorithm is refused although the issuer's own key signed it", async () => {
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "ES384" }).sign(privateKey);
    expect(await outcome(token)).toBe("id_token_invalid");
  });

  it("identity R-IDP-4: signed with a shared secret is refused although the secret is right", async () => {
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256" }).sign(SECRET);
    expect(await outcome(token, { find: () => SECRET })).toBe("id_token_invalid");
  });

  it.each<[string, JWTPayload, string]>([
    ["as it should be", {}, "s"],
    ["another nonce", { nonce: "m" }, "id_token_invalid"],
    ["another audience", { aud: "d" }, "id_token_invalid"],
    ["several audiences, this one authorized", { aud: ["c", "d"], azp: "c" }, "s"],
    ["several audiences, none authorized", { aud: ["c", "d"] }, "id_token_invalid"],
    ["another client authorized", { azp: "d" }, "id_token_invalid"],
    ["another issuer", { iss: "https://i.example/" }, "id_token_invalid"],
    ["an end 60 s ago", { exp: NOW - 60 }, "id_token_invalid"],
    ["an end 59 s ago", { exp: NOW - 59 }, "s"],
    ["an issue in 60 s", { iat: NOW + 60 }, "s"],
    ["an issue in 61 s", { iat: NOW + 61 }, "id_token_invalid"],
    ["an empty subject", { sub: "" }, "id_token_invalid"],
    ["a subject too long to keep", { sub: "s".repeat(256) }, "id_token_invalid"],
  ])("identity R-IDP-4: %s", async (_name, about, answer) => {
    const pair = await generateKeyPair("ES256", { extractable: true });
    const find = createLocalJWKSet({ keys: [await exportJWK(pair.publicKey)] });
    const token = await new SignJWT({ ...CLAIMS, ...about }).setProtectedHeader({ alg: "ES256" }).sign(pair.privateKey);
    expect(await outcome(token, { find })).toBe(answer);
  });
});
