import { describe, expect, it } from "vitest";

import { LEDGER_KINDS } from "../../../../src/ledger/kinds.ts";
import { entryWords } from "./entry-words.ts";

/** Those that the history of a deploy request can hold. */
const families = ["access", "decision", "deploy", "effect", "gate", "grant", "request", "task"];
const kinds = LEDGER_KINDS.filter((kind) => families.includes(kind.split(".")[0] ?? "")).filter(
  (kind) => kind !== "access.refused_summary",
);

describe("the words of the timeline", () => {
  it("deploy R-UI-3: every kind of entry that a deploy request can have is told in words, never by its code", () => {
    expect(kinds.length).toBeGreaterThan(40);
    const coded = kinds.filter((kind) => entryWords({ kind, action: "" }) === kind.replaceAll(/[._]/g, " "));
    expect(coded).toEqual([]);
  });

  it("deploy R-STATE-1: what was taken back because somebody said no reads as that", () => {
    const action = "deploy_approval_request.reject";
    expect(entryWords({ kind: "grant.revoked", action })).toBe("rejected");
    expect(entryWords({ kind: "request.rejected", action })).toBe("Rejected");
  });
});
