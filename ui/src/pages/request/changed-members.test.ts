import { describe, expect, it } from "vitest";

import { changedMembers } from "./changed-members.ts";

describe("a request that changed while it was read", () => {
  it("console section 2: names exactly the members that differ", () => {
    const before = {
      amount: 5,
      account: { iban: "A", bank: null },
      list: [1, 2],
      gone: true,
      same: { a: [1, { b: 2 }] },
    };
    const after = {
      amount: 6,
      account: { iban: "A", bank: "B" },
      list: [2, 1],
      same: { a: [1, { b: 2 }] },
      fresh: null,
    };
    expect(changedMembers(before, after)).toEqual(["amount", "account", "list", "gone", "fresh"]);
    expect(changedMembers(before, before)).toEqual([]);
  });

  it("console section 2: a list and an object with the same members are not the same", () => {
    expect(changedMembers({ value: ["a"] }, { value: { 0: "a" } })).toEqual(["value"]);
  });
});
