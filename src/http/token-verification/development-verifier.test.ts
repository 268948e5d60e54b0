import { describe, expect, it } from "vitest";
import { createDevelopmentVerifier } from "./development-verifier.ts";

const NOW = Date.UTC(2026, 10, 20);
const verifier = createDevelopmentVerifier(() => NOW);

function token(claims: object, header: object = { alg: "none" }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(claims)}.`;
}

describe("a token in development mode", () => {
  it.each([{ alg: "none" }, { alg: "HS256" }, { alg: "RS256", kid: "unknown" }])(
    "engine R-AUTH-40: any algorithm is read: %j",
    async (header) => {
      expect(await verifier.verify(token({ sub: "s", iss: "https://a" }, header))).toEqual({
        claims: { sub: "s", iss: "https://a" },
        issuer: "development",
      });
    },
  );

  it("engine R-AUTH-40: an expiry is honoured where there is one", async () => {
    const at = (offsetSeconds: number): object => ({ sub: "s", exp: NOW / 1000 + offsetSeconds });
    expect(await verifier.verify(token(at(60)))).toHaveProperty("claims");
    expect(await verifier.verify(token(at(-31)))).toEqual({ fault: "it has expired" });
    expect(await verifier.verify(token({ sub: "s", exp: "soon" }))).toHaveProperty("fault");
  });

  it.each(["", "x", "a.b.c", "..", `${"x".repeat(20_000)}.e30.`])(
    "engine R-API-6: what is no token is refused: %#",
    async (text) => {
      expect(await verifier.verify(text)).toHaveProperty("fault");
    },
  );
});
