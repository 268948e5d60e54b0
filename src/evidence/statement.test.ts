import { describe, expect, it } from "vitest";
import vectors from "../../test/interop/decision-v1.json" with { type: "json" };
import { LedgerBug } from "../ledger/ledger-bug.ts";
import { encodeStatement, parseStatement, STATEMENT_BYTES_MAX } from "./statement.ts";
import type { DecisionStatement } from "./statement.ts";

const { statement: text } = vectors.vector;

function published(): DecisionStatement {
  const parsed = parseStatement(text);
  if (!parsed.ok) throw new Error(parsed.finding);
  return parsed.statement;
}

describe("a statement", () => {
  it.each<[string, (text: string) => string]>([
    ["members in another order", (it) => `{"v":1,${it.slice(1).replace(',"v":1}', "}")}`],
    ["white space", (it) => it.replace('"v":1', '"v": 1')],
    ["an unknown member", (it) => it.replace('"v":1}', '"v":1,"w":1}')],
    ["an unknown member of the policy", (it) => it.replace('"version":4', '"version":4,"w":1')],
    ["a missing member", (it) => it.replace(/"nonce":"[^"]*",/, "")],
    ["an unknown decision", (it) => it.replace('"decision":"approve"', '"decision":"ship"')],
    ["a version that is not known", (it) => it.replace('"v":1}', '"v":2}')],
    ["a nonce of 31 bytes", (it) => it.replace(/"nonce":"../, '"nonce":"')],
    ["a nonce with stray bits", (it) => it.replace("FIhJc", "FIhJd")],
    ["a root that is none", (it) => it.replace("y7b7UeajE6d1ugeKWVAFasM1wWW6jHyWS3C1Zn2chgk=", "y7b7")],
    ["a time without milliseconds", (it) => it.replace("09:04:20.000Z", "09:04:20Z")],
    ["nothing", () => ""],
    ["a list", () => "[]"],
  ])("identity R-SIGN-1: is refused with %s", (_, change) => {
    expect(parseStatement(text).ok).toBe(true);
    expect(parseStatement(change(text))).toMatchObject({ ok: false });
  });

  it("identity R-SIGN-1: has at most 4 KiB", () => {
    const origin = (length: number): DecisionStatement => {
      const { checkpoint } = published();
      return { ...published(), checkpoint: { ...checkpoint, origin: `a.example/${"a".repeat(length)}` } };
    };
    const spare = STATEMENT_BYTES_MAX - encodeStatement(origin(1)).length;
    expect(encodeStatement(origin(1 + spare)).length).toBe(STATEMENT_BYTES_MAX);
    expect(() => encodeStatement(origin(2 + spare))).toThrow(LedgerBug);
    const larger = parseStatement(text.replace('"v":1}', `"v":1${" ".repeat(4_096)}}`));
    expect(larger.ok ? "" : larger.finding).toContain("larger");
  });

  it("identity R-SIGN-1: is never written with something in it that no statement has", () => {
    expect(() => encodeStatement({ ...published(), gate: "No Gate" })).toThrow(LedgerBug);
    const extra = { ...published(), comment: "LGTM" };
    expect(() => encodeStatement(extra)).toThrow(LedgerBug);
  });
});
