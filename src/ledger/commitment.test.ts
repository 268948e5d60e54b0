import fc from "fast-check";
import { describe, expect, it } from "vitest";
import ledger from "../../test/interop/ledger-v1.json" with { type: "json" };
import { nodeSha256 } from "../../test/interop/sample-ledger.ts";
import { commit, openingMatches } from "./commitment.ts";
import type { Opening } from "./commitment.ts";
import { fromHex } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";

const saltBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const values = fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.constant(null), fc.array(fc.string()));

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

describe("commitment", () => {
  it("ledger section 3: the published commitments come out", () => {
    for (const { salt, value, commitment } of ledger.commitments) {
      expect(commit(value, fromHex(salt), nodeSha256)).toBe(commitment);
    }
  });

  it("ledger R-PRIV-2: an opening opens its own commitment, at its own path, and no other", () => {
    fc.assert(
      fc.property(values, saltBytes, saltBytes, (value, salt, otherSalt) => {
        const commitment = commit(value, salt, nodeSha256);
        const data = {
          reason: commitment,
          "a/b~c": [{ deep: commitment }],
          other: commit(value, otherSalt, nodeSha256),
        };
        const opening: Opening = { path: "/reason", salt: base64url(salt), value };
        expect(openingMatches(opening, data, nodeSha256)).toBe(true);
        expect(openingMatches({ ...opening, path: "/a~1b~0c/0/deep" }, data, nodeSha256)).toBe(true);
        expect(openingMatches({ ...opening, path: "/other" }, data, nodeSha256)).toBe(
          Buffer.from(salt).equals(otherSalt),
        );
        expect(openingMatches({ ...opening, value: [value] }, data, nodeSha256)).toBe(false);
      }),
    );
  });

  it("ledger R-PRIV-2: a path that leads nowhere or a salt that is none opens nothing", () => {
    const salt = new Uint8Array(16).fill(7);
    const data = { reason: commit("x", salt, nodeSha256), list: [] };
    const opening: Opening = { path: "/reason", salt: base64url(salt), value: "x" };
    for (const path of ["", "reason", "/", "/reason/0", "/list/0", "/list/length", "/__proto__", "/nothing/there"]) {
      expect(openingMatches({ ...opening, path }, data, nodeSha256), path).toBe(false);
    }
    for (const wrong of ["", base64url(salt.slice(1)), `${base64url(salt)}==`, `${base64url(salt).slice(0, -1)}x`]) {
      expect(openingMatches({ ...opening, salt: wrong }, data, nodeSha256), wrong).toBe(false);
    }
  });

  it("ledger section 2: a salt of another length is a bug", () => {
    expect(() => commit("x", new Uint8Array(15), nodeSha256)).toThrow(LedgerBug);
    expect(() => commit("x", new Uint8Array(17), nodeSha256)).toThrow(LedgerBug);
  });
});
