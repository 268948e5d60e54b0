/**
 * The interpreter against an independent implementation, over expressions whose meaning both give alike: typed operands
 * (numbers with numbers, text with text, lists of numbers), no missing members, no division by zero.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { JsonObject, JsonValue } from "./json.ts";
import { evaluateLogic } from "./logic.ts";

interface OtherEngine {
  run(rule: JsonValue, data: JsonObject): unknown;
}

/** By a computed name, because the package's type declarations cannot be found through its export map. */
async function loadOtherEngine(): Promise<OtherEngine> {
  const packageName = ["json", "logic", "engine"].join("-");
  const loaded: unknown = await import(packageName);
  if (typeof loaded === "object" && loaded !== null && "LogicEngine" in loaded && isEngineClass(loaded.LogicEngine)) {
    return new loaded.LogicEngine();
  }
  throw new Error("json-logic-engine exports no LogicEngine");
}

function isEngineClass(value: unknown): value is new () => OtherEngine {
  return typeof value === "function";
}

type Tie = (sort: "amount" | "words" | "truth" | "amounts") => fc.Arbitrary<JsonValue>;

const call = (operator: string, ...operands: fc.Arbitrary<JsonValue>[]): fc.Arbitrary<JsonValue> =>
  fc.tuple(...operands).map((values) => ({ [operator]: values }));

const oneOfCalls = (operators: readonly string[], ...operands: fc.Arbitrary<JsonValue>[]): fc.Arbitrary<JsonValue> =>
  fc.oneof(...operators.map((operator) => call(operator, ...operands)));

const smallNumber = fc.integer({ min: -9, max: 9 });
const word = fc.string({ unit: fc.constantFrom("a", "b", "z", "é"), maxLength: 4 });
const item = fc.constant({ var: "" });

const amount = (tie: Tie): fc.Arbitrary<JsonValue>[] => [
  fc.oneof(smallNumber, fc.constantFrom<JsonValue>({ var: "n" }, { var: "o.m" }, { var: ["none", 4] })),
  oneOfCalls(["+", "-", "*", "max", "min"], tie("amount"), tie("amount")),
  oneOfCalls(["/", "%"], tie("amount"), fc.integer({ min: 1, max: 9 })),
  call("if", tie("truth"), tie("amount"), tie("amount")),
  tie("amounts").map((list) => ({ reduce: [list, { "+": [{ var: "accumulator" }, { var: "current" }] }, 0] })),
];
const words = (tie: Tie): fc.Arbitrary<JsonValue>[] => [
  fc.oneof(word, fc.constant({ var: "t" })),
  call("cat", tie("words"), tie("words"), smallNumber),
  call("substr", tie("words"), fc.nat(3), fc.nat(3)),
  call("if", tie("truth"), tie("words"), tie("words")),
];
const truth = (tie: Tie): fc.Arbitrary<JsonValue>[] => [
  fc.boolean(),
  oneOfCalls(["==", "!=", "===", "!==", "<", "<=", ">", ">="], tie("amount"), tie("amount")),
  oneOfCalls(["<", "<="], tie("amount"), tie("amount"), tie("amount")),
  oneOfCalls(["==", "===", "!==", "<", ">="], tie("words"), tie("words")),
  oneOfCalls(["and", "or"], tie("truth"), tie("truth")),
  // Not over lists: there the other engine takes `{"!!": [list]}` for `{"!!": list}`.
  oneOfCalls(["!", "!!"], fc.oneof(tie("truth"), tie("amount"), tie("words"))),
  call("in", tie("amount"), tie("amounts")),
  call("in", tie("words"), tie("words")),
  oneOfCalls(["all", "some", "none"], tie("amounts"), call("<", item, smallNumber)),
];
const amounts = (tie: Tie): fc.Arbitrary<JsonValue>[] => [
  fc.oneof(fc.array(smallNumber, { maxLength: 3 }), fc.constant({ var: "xs" })),
  call("merge", tie("amounts"), tie("amount")),
  call("map", tie("amounts"), call("*", item, smallNumber)),
  call("filter", tie("amounts"), call(">", item, smallNumber)),
];

const expressions = fc.letrec<{ amount: JsonValue; words: JsonValue; truth: JsonValue; amounts: JsonValue }>((tie) => ({
  amount: fc.oneof({ maxDepth: 4 }, ...amount(tie)),
  words: fc.oneof({ maxDepth: 4 }, ...words(tie)),
  truth: fc.oneof({ maxDepth: 4 }, ...truth(tie)),
  amounts: fc.oneof({ maxDepth: 4 }, ...amounts(tie)),
}));
const anyExpression = fc.oneof(expressions.amount, expressions.words, expressions.truth, expressions.amounts);
const anyData = fc.record({
  n: smallNumber,
  o: fc.record({ m: smallNumber }),
  t: word,
  xs: fc.array(smallNumber, { maxLength: 4 }),
});

it("engine R-RULE-4: over well-typed expressions the interpreter and an independent engine agree", async () => {
  const other = await loadOtherEngine();
  fc.assert(
    fc.property(anyExpression, anyData, (rule, data) => {
      const result = evaluateLogic(rule, data);
      expect(asJson(result)).toEqual({ ok: true, value: asJson(other.run(rule, data)) });
    }),
    { numRuns: 3_000 },
  );
});

/** As it would be written: JSON has one zero. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
