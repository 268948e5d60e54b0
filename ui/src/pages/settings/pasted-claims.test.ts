import { describe, expect, it } from "vitest";

import { pastedClaims } from "./pasted-claims.ts";

describe("claims that somebody pastes", () => {
  it("deploy R-UI-6: they are read as JSON, and out of a whole token", () => {
    const claims = { sub: "repo:MyOrg/myapp:ref:refs/heads/größer", repository_id: "1234" };
    const part = (value: unknown): string => {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      return btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace(/=+$/, "");
    };
    expect(pastedClaims(` ${JSON.stringify(claims, null, 2)}\n`)).toEqual(claims);
    expect(pastedClaims(`${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`)).toEqual(claims);
  });

  it.each(["", "{", "[1]", "a.b.c", "1.2", '"text"'])("deploy R-UI-6: %j is no claims", (pasted) => {
    expect(pastedClaims(pasted)).toBeNull();
  });
});
