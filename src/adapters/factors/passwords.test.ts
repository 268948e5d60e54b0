import { describe, expect, it } from "vitest";
import { createPasswords } from "./passwords.ts";

const passwords = createPasswords();
const GOOD = "violet harbour 7 lantern";

describe("passwords", () => {
  it("identity R-LOCAL-2: are kept as scrypt with N = 2^17, r = 8, p = 1 and a salt of 16 bytes", async () => {
    const [one, other] = await Promise.all([passwords.hash(GOOD), passwords.hash(GOOD)]);
    expect(one).toMatch(/^scrypt\$17\$8\$1\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$/);
    expect(other).not.toBe(one);
    expect(await passwords.matches(GOOD, one)).toBe(true);
  }, 20_000);

  it("identity R-LOCAL-2: are compared as received: case, spaces and forms of letters count", async () => {
    const hash = await passwords.hash("Ångström Ångström");
    const others = ["ångström ångström", "Ångström Ångström ", "Ångström Ångström".normalize("NFD")];
    for (const other of others) expect(await passwords.matches(other, hash)).toBe(false);
  }, 20_000);

  it("identity R-LOCAL-3: nobody's password never matches, after the same work", async () => {
    const hash = await passwords.hash(GOOD);
    const timed = async (stored: string | null): Promise<number> => {
      const start = performance.now();
      expect(await passwords.matches("another password altogether", stored)).toBe(false);
      return performance.now() - start;
    };
    await timed(hash);
    const [known, unknown, damaged] = [await timed(hash), await timed(null), await timed("scrypt$1$1$1$x$y")];
    expect(unknown).toBeGreaterThan(known / 4);
    expect(damaged).toBeGreaterThan(known / 4);
  }, 20_000);
});
