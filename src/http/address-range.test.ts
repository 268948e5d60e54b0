import { describe, expect, it } from "vitest";
import { isInRange } from "./address-range.ts";

describe("an address in a range", () => {
  it.each([
    ["192.0.2.7", "192.0.2.0/24", true],
    ["192.0.3.7", "192.0.2.0/24", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.8", "192.0.2.7", false],
    ["192.0.2.7", "0.0.0.0/0", true],
    ["::ffff:192.0.2.7", "192.0.2.0/24", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["2001:db8::1", "0.0.0.0/0", false],
    ["192.0.2.7", "::/0", false],
    ["", "192.0.2.0/24", false],
    ["localhost", "0.0.0.0/0", false],
    ["192.0.2.7", "192.0.2.0/33", false],
    ["192.0.2.7", "everything", false],
  ])("identity R-TOK-7: %s in %s: %s", (address, range, inside) => {
    expect(isInRange(address, range)).toBe(inside);
  });
});
