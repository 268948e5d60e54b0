import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWK, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { Unavailable } from "../../ports/unavailable.ts";
import { definedMembers } from "../defined-members.ts";
import { createJwksVerifier, type IssuerSettings } from "./jwks-verifier.ts";
import type { TokenVerifier } from "./token-verifier.ts";

const ISSUER = "https://idp.example/realms/staff";
const JWKS_URL = "https://idp.example/keys";
const START = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;

interface KeyPair {
  readonly kid: string;
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
}

async function keyPair(kid: string, algorithm = "ES256"): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" } };
}

/** An identity provider that can be changed and taken down while a verifier watches. */
class FakeIssuer {
  keys: JWK[] = [];
  down = false;
  readonly asked: string[] = [];
  discovery: unknown = { issuer: ISSUER, jwks_uri: JWKS_URL };
  now = START;

  verifier(settings: Partial<IssuerSettings> = {}): TokenVerifier {
    return createJwksVerifier(
      {
        issuer: ISSUER,
        additionalIssuers: [],
        jwksUrl: JWKS_URL,
        audience: null,
        algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
        ...settings,
      },
      {
        clock: () => this.now,
        warn: () => undefined,
        fetchJson: (url) => {
          this.asked.push(url);
          if (this.down) return Promise.reject(new Error("down"));
          return Promise.resolve(url === JWKS_URL ? { keys: this.keys } : this.discovery);
        },
      },
    );
  }
}

let key: KeyPair;
let other: KeyPair;
beforeAll(async () => {
  key = await keyPair("one");
  other = await keyPair("two");
});

function seconds(offsetMs = 0): number {
  return Math.floor((START + offsetMs) / 1000);
}

/** A claim that is undefined is left out. */
type Claims = { readonly [Name in keyof JWTPayload]: JWTPayload[Name] | undefined };

function sign(claims: Claims = {}, pair = key, algorithm = "ES256"): Promise<string> {
  return new SignJWT(definedMembers({ iss: ISSUER, sub: "s", exp: seconds(5 * MINUTE), ...claims }))
    .setProtectedHeader({ alg: algorithm, kid: pair.kid })
    .sign(pair.privateKey);
}

function issuer(...keys: KeyPair[]): FakeIssuer {
  const made = new FakeIssuer();
  made.keys = (keys.length === 0 ? [key] : keys).map((pair) => pair.jwk);
  return made;
}

describe("a token in production", () => {
  it("engine R-AUTH-21: signed by the issuer's key and in time, its claims are read", async () => {
    const verified = await issuer()
      .verifier()
      .verify(await sign({ preferred_username: "ana" }));
    expect(verified).toMatchObject({ issuer: ISSUER, claims: { sub: "s", preferred_username: "ana" } });
  });

  it.each([
    ["expired", { exp: seconds(-31_000) }, "it has expired"],
    ["not yet valid", { nbf: seconds(32_000) }, "it is not valid yet"],
    ["issued in the future", { iat: seconds(32_000) }, "it was issued in the future"],
    ["without expiry", { exp: undefined }, "`exp` is missing or not a number"],
    ["of another issuer", { iss: "https://evil.example" }, "it was issued by somebody else"],
    ["without issuer", { iss: undefined }, "it was issued by somebody else"],
  ])("engine R-AUTH-21: a token that is %s is refused", async (_name, claims, fault) => {
    const token = await sign(claims);
    expect(await issuer().verifier().verify(token)).toEqual({ fault });
  });

  it.each([{ exp: seconds(-29_000) }, { nbf: seconds(29_000) }, { iat: seconds(29_000) }])(
    "engine R-AUTH-21: clocks may differ by 30 s: %j",
    async (claims) => {
      expect(
        await issuer()
          .verifier()
          .verify(await sign(claims)),
      ).toHaveProperty("claims");
    },
  );

  it("engine R-AUTH-21, identity R-IDP-12: the audience must contain ours, when one is set", async () => {
    const verifier = issuer().verifier({ audience: "countersign" });
    expect(await verifier.verify(await sign({ aud: ["x", "countersign"] }))).toHaveProperty("claims");
    const refused = { fault: "it is not meant for this service", code: "audience_not_allowed" };
    for (const aud of ["x", "", "Countersign", [], ["x"], undefined]) {
      expect(await verifier.verify(await sign({ aud }))).toEqual(refused);
    }
    const forged = await sign({ aud: "x" }, await keyPair("one"));
    expect(await verifier.verify(forged)).toEqual({ fault: "the signature does not verify" });
  });

  it("engine R-AUTH-21: another name of the issuer is the same issuer", async () => {
    const verifier = issuer().verifier({ additionalIssuers: ["https://inside.example"] });
    expect(await verifier.verify(await sign({ iss: "https://inside.example" }))).toMatchObject({ issuer: ISSUER });
  });

  it("engine R-AUTH-21: unsigned, HMAC-signed and wrongly signed tokens are refused", async () => {
    const claims = { iss: ISSUER, sub: "s", exp: seconds(5 * MINUTE) };
    const verifier = issuer().verifier();
    const unsigned = new UnsecuredJWT(claims).encode();
    // The classic confusion: the public key's text as an HMAC secret.
    const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(secret);
    const stranger = await keyPair("one");
    expect(await verifier.verify(unsigned)).toHaveProperty("fault");
    expect(await verifier.verify(hmac)).toEqual({ fault: "the algorithm is not allowed" });
    expect(await verifier.verify(await sign({}, stranger))).toEqual({ fault: "the signature does not verify" });
    expect(await verifier.verify((await sign()).slice(0, -3))).toHaveProperty("fault");
  });

  it("engine R-AUTH-21: an algorithm that was not configured is refused even with a fitting key", async () => {
    const verifier = issuer().verifier({ algorithms: ["RS256"] });
    expect(await verifier.verify(await sign())).toEqual({ fault: "the algorithm is not allowed" });
  });

  it.each([["none"], ["HS256"], ["RS1"]])("engine R-AUTH-21: the setting cannot allow %s", (algorithm) => {
    expect(() => issuer().verifier({ algorithms: ["RS256", algorithm] })).toThrow(algorithm);
  });

  it.each(["", "x", "a.b.c", "...", "e30.e30.", "\u0000", "ä.ö.ü", "x".repeat(16 * 1024 + 1)])(
    "engine R-API-6: what is no token is refused, not an error: %#",
    async (token) => {
      expect(await issuer().verifier().verify(token)).toHaveProperty("fault");
    },
  );
});

describe("the issuer's keys", () => {
  it("engine R-AUTH-22: many tokens at once cost one fetch", async () => {
    const idp = issuer();
    const verifier = idp.verifier();
    const token = await sign();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    expect(idp.asked).toEqual([JWKS_URL]);
  });

  it("engine R-AUTH-22: after ten minutes they are fetched again, and nobody waits for it", async () => {
    const idp = issuer();
    const verifier = idp.verifier();
    await verifier.verify(await sign());
    idp.now += 10 * MINUTE;
    const token = await sign({ exp: seconds(60 * MINUTE) });
    expect(await verifier.verify(token)).toHaveProperty("claims");
    expect(idp.asked).toHaveLength(2);
  });

  it("engine R-AUTH-22: an unknown key is looked for once in 30 s, so that a flood of bad tokens is no flood of fetches", async () => {
    const idp = issuer();
    const verifier = idp.verifier();
    const token = await sign({ exp: seconds(60 * MINUTE) }, other);
    const refused = { fault: "no key of the issuer fits" };
    expect(await verifier.verify(token)).toEqual(refused);
    idp.now += 29_000;
    expect(await verifier.verify(token)).toEqual(refused);
    expect(idp.asked).toHaveLength(1);
    idp.keys.push(other.jwk);
    idp.now += 1_000;
    expect(await verifier.verify(token)).toHaveProperty("claims");
    expect(idp.asked).toHaveLength(2);
  });

  it("engine R-AUTH-22: while the issuer is down they serve for a day, then nobody is recognised", async () => {
    const idp = issuer();
    const verifier = idp.verifier();
    const token = await sign({ exp: seconds(48 * 60 * MINUTE) });
    await verifier.verify(token);
    idp.down = true;
    idp.now += 23 * 60 * MINUTE;
    expect(await verifier.verify(token)).toHaveProperty("claims");
    idp.now += 60 * MINUTE;
    await expect(verifier.verify(token)).rejects.toThrow(Unavailable);
    idp.down = false;
    expect(await verifier.verify(token)).toHaveProperty("claims");
  });

  it("engine R-AUTH-22: without any keys the world failed, not the token", async () => {
    const idp = issuer();
    idp.down = true;
    await expect(idp.verifier().verify(await sign())).rejects.toMatchObject({
      code: "idp_unavailable",
      message: "Could not reach the identity provider's keys",
    });
  });

  it("engine R-AUTH-21: without a configured address the discovery document names it", async () => {
    const idp = issuer();
    expect(await idp.verifier({ jwksUrl: null }).verify(await sign())).toHaveProperty("claims");
    expect(idp.asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, JWKS_URL]);
  });

  it.each([{ issuer: "https://evil.example", jwks_uri: JWKS_URL }, { issuer: ISSUER }, null, "x"])(
    "engine R-AUTH-21: a discovery document of somebody else is not believed: %j",
    async (document) => {
      const idp = issuer();
      idp.discovery = document;
      await expect(idp.verifier({ jwksUrl: null }).verify(await sign())).rejects.toThrow(Unavailable);
    },
  );
});
