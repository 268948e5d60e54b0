import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SecretUnreadable, type SealedPlace } from "../../ports/sealing.ts";
import type { Keyring } from "./keyring.ts";
import { createSealing } from "./sealing.ts";

const place: SealedPlace = { table: "factors", column: "secret", row: "row-1", orgId: "org-1" };

function ring(...ids: readonly string[]): Keyring {
  const keys = new Map(ids.map((id) => [id, new Uint8Array(randomBytes(32))]));
  return { sealing: ids[0] ?? "", keys };
}

describe("sealing", () => {
  const keys = ring("k1", "k0");
  const seals = createSealing(keys);

  it("identity R-SEAL-1: is s1, key id, nonce of 96 bits and ciphertext, and never the same twice", () => {
    const [one, other] = [seals.seal("a secret", place), seals.seal("a secret", place)];
    expect(one).toMatch(/^s1\.k1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(one).not.toBe(other);
    expect(seals.open(one, place)).toBe("a secret");
  });

  it.each(["", "ä🦊\n\u0000", "x".repeat(10_000)])("identity R-SEAL-1: gives back exactly what was sealed", (text) => {
    expect(seals.open(seals.seal(text, place), place)).toBe(text);
  });

  it.each<Partial<SealedPlace>>([
    { row: "row-2" },
    { orgId: "org-2" },
    { orgId: null },
    { column: "client_secret" },
    { table: "identity_providers" },
    { table: "factors\nsecret", column: "row-1", row: "org-1", orgId: null },
  ])("identity R-SEAL-1: a value copied to another place does not open (%j)", (other) => {
    const sealed = seals.seal("a secret", place);
    expect(() => seals.open(sealed, { ...place, ...other })).toThrow(SecretUnreadable);
  });

  it("identity R-SEAL-1: no changed, cut or foreign character opens", () => {
    const sealed = seals.seal("a secret", place);
    for (let at = 0; at < sealed.length; at += 1) {
      const letter = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
      // The last letter may hold bits that no byte has.
      if (at < sealed.length - 1) expect(() => seals.open(changed, place)).toThrow(SecretUnreadable);
      expect(() => seals.open(sealed.slice(0, at), place)).toThrow(SecretUnreadable);
    }
    for (const nonsense of ["", "a secret", "s1...", "s2.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"]) {
      expect(() => seals.open(nonsense, place)).toThrow(SecretUnreadable);
    }
  });

  it("identity R-SEAL-4: a missing key says which one, and never what was sealed", () => {
    const sealed = createSealing(ring("k9")).seal("a secret", place);
    expect(() => seals.open(sealed, place)).toThrow(expect.objectContaining({ keyId: "k9" }));
    expect(() => seals.open(sealed, place)).not.toThrow(/a secret/);
  });

  it("identity R-SEAL-4: what was opened in vain is told until it opens, is sealed anew, or an hour has passed", () => {
    let now = 0;
    const told = createSealing(keys, () => now);
    const other = { ...place, row: "row-2" };
    const sealed = told.seal("a secret", place);
    expect(told.unreadable()).toEqual([]);
    for (const at of [place, other]) expect(() => told.open("s1.k9.x", at)).toThrow(SecretUnreadable);
    expect(told.unreadable()).toEqual([place, other]);
    told.open(sealed, place);
    expect(told.unreadable()).toEqual([other]);
    told.seal("anew", other);
    expect(told.unreadable()).toEqual([]);
    expect(() => told.open("", other)).toThrow(SecretUnreadable);
    now += 3_599_999;
    expect(told.unreadable()).toEqual([other]);
    now += 1;
    expect(told.unreadable()).toEqual([]);
  });

  it("identity R-SEAL-2: the first key seals, the others still open", () => {
    const old = createSealing({ sealing: "k0", keys: keys.keys });
    expect(seals.open(old.seal("older", place), place)).toBe("older");
    expect(seals.seal("newer", place)).toMatch(/^s1\.k1\./);
  });
});
