import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "./json.ts";
import { logicDepthMax, logicNodesMax } from "./logic-budget.ts";
import { checkLogic, evaluateLogic, isTruthy } from "./logic.ts";

function valueOf(rule: JsonValue, data: JsonObject = {}): JsonValue {
  const result = evaluateLogic(rule, data);
  if (!result.ok) throw new Error(`fault: ${result.fault}`);
  return result.value;
}

function faultOf(rule: JsonValue, data: JsonObject = {}): string {
  const result = evaluateLogic(rule, data);
  return result.ok ? `no fault but ${JSON.stringify(result.value).slice(0, 80)}` : result.fault;
}

/** What a hostile member name must not reach. */
function parsed(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("not an object");
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const context: JsonObject = {
  n: 5,
  zero: 0,
  text: "Frankfurt",
  digits: "42",
  empty: "",
  nothing: null,
  yes: true,
  no: false,
  list: [3, 1, 2],
  none: [],
  people: [
    { name: "ada", age: 36 },
    { name: "bob", age: 17 },
  ],
  deep: { a: { b: { c: "found" } } },
};

/** Rule, expected result over `context`; grouped by operator. */
const standard: Record<string, [JsonValue, JsonValue][]> = {
  literals: [
    [7, 7],
    ["x", "x"],
    [null, null],
    [
      [1, { var: "n" }],
      [1, 5],
    ],
  ],
  var: [
    [{ var: "n" }, 5],
    [{ var: ["n"] }, 5],
    [{ var: "deep.a.b.c" }, "found"],
    [{ var: "list.1" }, 1],
    [{ var: "people.0.name" }, "ada"],
    [{ var: "list.length" }, 3],
    [{ var: "missing" }, null],
    [{ var: ["missing", "otherwise"] }, "otherwise"],
    [{ var: ["nothing", "otherwise"] }, null],
    [{ var: ["nothing.more", "otherwise"] }, "otherwise"],
    [{ var: ["deep.x.y", { var: "n" }] }, 5],
    [{ var: { if: [true, "n", "zero"] } }, 5],
    [{ map: [[1, 2], { var: "" }] }, [1, 2]],
    [{ map: [[[4], [5]], { var: 0 }] }, [4, 5]],
  ],
  missing: [
    [{ missing: ["n", "a"] }, ["a"]],
    [{ missing: "a" }, ["a"]],
    [{ missing: [["n", "a", "b"]] }, ["a", "b"]],
    [{ missing: ["nothing", "empty"] }, ["nothing", "empty"]],
    [{ missing: ["zero", "no"] }, []],
    [{ missing: [] }, []],
    [{ missing: { merge: ["n", { if: [true, "a", []] }] } }, ["a"]],
  ],
  missing_some: [
    [{ missing_some: [1, ["n", "a"]] }, []],
    [{ missing_some: [2, ["n", "a", "b"]] }, ["a", "b"]],
    [{ missing_some: [0, ["a"]] }, []],
  ],
  "if and ?:": [
    [{ if: [true, "yes", "no"] }, "yes"],
    [{ if: [false, "yes", "no"] }, "no"],
    [{ if: [false, "a", true, "b", "c"] }, "b"],
    [{ if: [false, "a", false, "b", "c"] }, "c"],
    [{ if: [false, "a"] }, null],
    [{ if: ["only"] }, "only"],
    [{ if: [] }, null],
    [{ if: [{ var: "none" }, 1, 2] }, 2],
    [{ if: ["0", 1, 2] }, 1],
    [{ "?:": [{ var: "n" }, "a", "b"] }, "a"],
  ],
  equality: [
    [{ "==": [1, "1"] }, true],
    [{ "==": [0, false] }, true],
    [{ "==": [0, ""] }, true],
    [{ "==": ["", false] }, true],
    [{ "==": [null, 0] }, false],
    [{ "==": [null, false] }, false],
    [{ "==": [{ var: "missing" }, null] }, true],
    [{ "==": [["1"], 1] }, true],
    [{ "==": [[1, 2], "1,2"] }, true],
    [{ "==": [{ var: "deep" }, { var: "deep" }] }, true],
    [{ "==": [{ var: "deep" }, "[object Object]"] }, true],
    [{ "==": [[1], [1]] }, false],
    [{ "==": ["a", "a"] }, true],
    [{ "==": ["a", 0] }, false],
    [{ "!=": [1, "1"] }, false],
    [{ "!=": [1, 2] }, true],
    [{ "===": [1, 1] }, true],
    [{ "===": [1, "1"] }, false],
    [{ "===": [null, { var: "missing" }] }, true],
    [{ "!==": [1, "1"] }, true],
    [{ "!==": ["a", "a"] }, false],
  ],
  truth: [
    [{ "!": [true] }, false],
    [{ "!": true }, false],
    [{ "!": [[]] }, true],
    [{ "!": [0] }, true],
    [{ "!": [] }, true],
    [{ "!!": [[]] }, false],
    [{ "!!": ["0"] }, true],
    [{ "!!": [""] }, false],
    [{ "!!": [{ var: "deep" }] }, true],
    [{ or: [false, 0, "a", "b"] }, "a"],
    [{ or: [false, 0, []] }, []],
    [{ or: [] }, null],
    [{ and: [true, 1, "a"] }, "a"],
    [{ and: [true, "", 3] }, ""],
    [{ and: [] }, null],
    [{ and: [false, { "*": [] }] }, false],
    [{ or: [true, { "*": [] }] }, true],
  ],
  order: [
    [{ "<": [1, 2] }, true],
    [{ "<": [2, 2] }, false],
    [{ "<=": [2, 2] }, true],
    [{ ">": [2, 1] }, true],
    [{ ">=": [1, 2] }, false],
    [{ "<": [1, 2, 3] }, true],
    [{ "<": [1, 1, 3] }, false],
    [{ "<": [1, 4, 3] }, false],
    [{ "<=": [1, 1, 3] }, true],
    [{ "<=": [1, 4, 3] }, false],
    [{ "<": [1, { var: "digits" }] }, true],
    [{ ">": ["-0.5", -1] }, true],
    [{ "<": ["10", "9"] }, true],
    [{ "<": ["a", "b"] }, true],
    [{ ">=": ["b", "a"] }, true],
  ],
  arithmetic: [
    [{ "+": [1, 2, 3] }, 6],
    [{ "+": ["3.14"] }, 3.14],
    [{ "+": ["2 apples", 1] }, 3],
    [{ "+": [] }, 0],
    [{ "-": [5, 2] }, 3],
    [{ "-": [5] }, -5],
    [{ "-": ["5", 2] }, 3],
    [{ "-": [null, 2] }, -2],
    [{ "*": [2, 3, 4] }, 24],
    [{ "*": ["2"] }, "2"],
    [{ "*": ["2", "3"] }, 6],
    [{ "/": [6, 4] }, 1.5],
    [{ "%": [101, 2] }, 1],
    [{ "%": [-7, 3] }, -1],
    [{ max: [1, 3, 2] }, 3],
    [{ max: ["3", 2] }, 3],
    [{ min: [1, -3, 2] }, -3],
    [{ min: [[4], 5] }, 4],
  ],
  lists: [
    [{ map: [{ var: "list" }, { "*": [{ var: "" }, 2] }] }, [6, 2, 4]],
    [{ map: [{ var: "people" }, { var: "name" }] }, ["ada", "bob"]],
    [{ map: [{ var: "missing" }, 1] }, []],
    [{ map: [{ var: "text" }, 1] }, []],
    [{ filter: [{ var: "list" }, { ">": [{ var: "" }, 1] }] }, [3, 2]],
    [{ filter: [{ var: "nothing" }, true] }, []],
    [{ reduce: [{ var: "list" }, { "+": [{ var: "current" }, { var: "accumulator" }] }, 10] }, 16],
    [{ reduce: [{ var: "missing" }, 1, 7] }, 7],
    [{ reduce: [{ var: "missing" }, 1] }, null],
    [{ reduce: [[], 1, "start"] }, "start"],
    [{ all: [{ var: "list" }, { ">": [{ var: "" }, 0] }] }, true],
    [{ all: [{ var: "list" }, { ">": [{ var: "" }, 1] }] }, false],
    [{ all: [[], true] }, false],
    [{ some: [{ var: "people" }, { "<": [{ var: "age" }, 18] }] }, true],
    [{ some: [[], true] }, false],
    [{ none: [{ var: "list" }, { ">": [{ var: "" }, 9] }] }, true],
    [{ none: [[], true] }, true],
    [{ none: [{ var: "list" }, { "==": [{ var: "" }, 1] }] }, false],
    [{ merge: [1, [2, [3]], []] }, [1, 2, [3]]],
    [{ merge: 1 }, [1]],
    [{ merge: [] }, []],
    [{ in: [2, { var: "list" }] }, true],
    [{ in: ["2", { var: "list" }] }, false],
    [{ in: ["furt", { var: "text" }] }, true],
    [{ in: [4, "042"] }, true],
    [{ in: ["", ""] }, false],
    [{ in: ["", "a"] }, true],
    [{ in: ["a", null] }, false],
    [{ in: ["a", 5] }, false],
  ],
  text: [
    [{ cat: ["a", 1, true, [1, 2]] }, "a1true1,2"],
    [{ cat: ["a", null, "b"] }, "ab"],
    [{ cat: "a" }, "a"],
    [{ cat: [] }, ""],
    [{ cat: [{ var: "deep" }] }, "[object Object]"],
    [{ substr: ["jsonlogic", 4] }, "logic"],
    [{ substr: ["jsonlogic", -5] }, "logic"],
    [{ substr: ["jsonlogic", -50] }, "jsonlogic"],
    [{ substr: ["jsonlogic", 1, 3] }, "son"],
    [{ substr: ["jsonlogic", 4, -2] }, "log"],
    [{ substr: ["jsonlogic", 4, -50] }, ""],
    [{ substr: ["jsonlogic", 0, 0] }, ""],
    [{ substr: [12345, 1, 2] }, "23"],
    [{ log: "kept" }, "kept"],
    [{ log: [{ var: "n" }] }, 5],
  ],
  "count, AWE's own": [
    [{ count: [true, 0, "a", [], null] }, 2],
    [{ count: [] }, 0],
    [{ count: true }, 1],
  ],
};

describe("engine R-RULE-4: every operator of the standard gives the standard's result", () => {
  for (const [group, cases] of Object.entries(standard)) {
    it.each(cases)(`${group}: %j is %j`, (rule, expected) => {
      expect(valueOf(rule, context)).toEqual(expected);
    });
  }
});

describe("engine R-RULE-4: nothing but the standard set and count is an operator", () => {
  it.each([
    ...["method", "preserve", "??", "try", "throw", "pipe", "keys", "val", "get", "exists", "length", "eachKey", "not"],
    ...["constructor", "toString", "hasOwnProperty", "valueOf", "__proto__", "VAR", "If", "", " var", "var.x"],
  ])("the operator %j is unknown, on any path through the expression", (operator) => {
    const rule = parsed(`{"and": [false, {${JSON.stringify(operator)}: [1]}]}`);
    expect(checkLogic(rule)).toBe(`unknown operator '${operator}'`);
    expect(faultOf(rule)).toBe(`unknown operator '${operator}'`);
  });

  it.each([[{}], [{ "<": [1, 2], and: [true] }], [{ in: [1, { a: 1, b: 2 }] }]])(
    "the object %j, which the standard takes for a true constant, is a fault",
    (rule: JsonObject) => {
      expect(checkLogic(rule)).toBe("an object in an expression must have exactly one operator");
      expect(faultOf(rule)).toBe("an object in an expression must have exactly one operator");
    },
  );

  it("log prints nothing: the interpreter has no way out", () => {
    const sources = ["logic.ts", "logic-operators.ts", "logic-coercion.ts", "logic-budget.ts"].map((file) =>
      readFileSync(new URL(file, import.meta.url), "utf8"),
    );
    expect(sources.join("\n")).not.toMatch(/\bconsole\b|\beval\b|\bnew Function\b|\bimport\(|from "(?!\.\/)/);
  });
});

/** What may stand where an amount is expected; only the last two are comparable with a number. */
const notNumbers: [string, JsonObject][] = [
  ["missing", {}],
  ["null", { amount: null }],
  ["true", { amount: true }],
  ["false", { amount: false }],
  ["text", { amount: "a lot" }],
  ["empty text", { amount: "" }],
  ["blank text", { amount: " " }],
  ["padded digits", { amount: " 5 " }],
  ["hexadecimal", { amount: "0x5" }],
  ["exponent", { amount: "5e0" }],
  ["signed text", { amount: "+5" }],
  ["infinity", { amount: "Infinity" }],
  ["other digits", { amount: "٥" }],
  ["empty list", { amount: [] }],
  ["list of a number", { amount: [5] }],
  ["object", { amount: { value: 5 } }],
];
const comparisons = ["<", "<=", ">", ">="] as const;

describe("engine R-RULE-5: no comparison skips a stage by accident (acceptance case 17)", () => {
  const cases = notNumbers.flatMap(([what, data]) => comparisons.map((operator) => ({ what, data, operator })));

  it.each(cases)("$what $operator a number is false, on either side and between", ({ data, operator }) => {
    const amount = { var: "amount" };
    for (const limit of [-1, 0, 5, 10]) {
      expect(valueOf({ [operator]: [amount, limit] }, data)).toBe(false);
      expect(valueOf({ [operator]: [limit, amount] }, data)).toBe(false);
      expect(valueOf({ [operator]: [limit, amount, limit + 1] }, data)).toBe(false);
    }
    expect(valueOf({ [operator]: [amount] }, data)).toBe(false);
    expect(valueOf({ [operator]: [] }, data)).toBe(false);
  });

  it.each(comparisons)("%s between missing, null, booleans, lists and objects is false too", (operator) => {
    const values: JsonValue[] = [null, true, false, [], [1], { var: "missing" }, { var: "object" }];
    for (const left of values) {
      for (const right of values) expect(valueOf({ [operator]: [left, right] }, { object: {} })).toBe(false);
    }
  });

  it.each([
    ["<", "9.5", 10, true],
    ["<", 9, "10", true],
    [">", "-3", -4, true],
    [">=", "007", 7, true],
    ["<", "10", 9, false],
  ])("decimal text compares as the number it spells: %s of %j and %j is %j", (operator, left, right, expected) => {
    expect(valueOf({ [operator]: [left, right] })).toBe(expected);
  });

  it("two texts compare by code unit, also when both are digits", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(valueOf({ "<": [left, right] })).toBe(left < right);
        expect(valueOf({ ">=": [left, right] })).toBe(left >= right);
      }),
    );
  });

  it("a fault inside a comparison is a fault of the whole, never true", () => {
    for (const operator of comparisons) {
      expect(evaluateLogic({ [operator]: [{ nonsense: 1 }, 10] }, {}).ok).toBe(false);
      expect(evaluateLogic({ [operator]: [{ "*": [] }, 10] }, {}).ok).toBe(false);
    }
  });
});

describe("engine R-RULE-6", () => {
  it.each([{}, { xs: null }, { xs: "abc" }, { xs: 5 }, { xs: true }, { xs: { length: 2 } }])(
    "none, all and some over %j are false, whatever they test",
    (data: JsonObject) => {
      for (const operator of ["none", "all", "some"]) {
        expect(valueOf({ [operator]: [{ var: "xs" }, true] }, data)).toBe(false);
        expect(valueOf({ [operator]: [{ var: "xs" }, false] }, data)).toBe(false);
      }
    },
  );

  it.each([
    ...["__proto__", "constructor", "toString", "hasOwnProperty", "__proto__.polluted", "constructor.prototype"],
    ...[
      "a.constructor",
      "list.push",
      "list.__proto__",
      "text.constructor",
      "text.at",
      "n.toFixed",
      "list.-1",
      "list.01",
    ],
  ])("var reads own members only: %s is missing", (path) => {
    const data = { a: {}, list: [1], text: "x", n: 5 };
    expect(valueOf({ var: path }, data)).toBeNull();
    expect(valueOf({ var: [path, "default"] }, data)).toBe("default");
    expect(valueOf({ missing: [path] }, data)).toEqual([path]);
  });

  it("a member of the context that is called __proto__ is data like any other", () => {
    expect(valueOf({ var: "__proto__.x" }, parsed('{"__proto__": {"x": 1}}'))).toBe(1);
  });

  it("nothing an expression or a context says reaches Object.prototype", () => {
    const hostile = parsed('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}');
    const rules: JsonObject[] = [
      { merge: [{ var: "" }, { var: "__proto__" }] },
      { reduce: [[1, 2], { var: "accumulator" }, { var: "__proto__" }] },
      { map: [[{ var: "__proto__" }], { var: "__proto__.polluted" }] },
    ];
    for (const rule of rules) evaluateLogic(rule, hostile);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});

describe("engine R-RULE-9: every evaluation ends, and soon", () => {
  const manySteps = "the evaluation takes more than 10000 steps";
  const items = (length: number, item: JsonValue): JsonObject => ({ xs: Array.from({ length }, () => item) });
  const nested = (levels: number): JsonValue =>
    Array.from({ length: levels }).reduce<JsonValue>((rule) => ({ "!": rule }), true);

  it("2,000 values pass, one more does not", () => {
    const list = (length: number): JsonValue => Array.from({ length }, () => 1);
    expect(checkLogic(list(logicNodesMax - 1))).toBeNull();
    expect(faultOf(list(logicNodesMax))).toBe("the expression has more than 2000 values");
  });

  it("64 levels pass, one more does not, and a million end in a fault too", () => {
    expect(evaluateLogic(nested(logicDepthMax), {}).ok).toBe(true);
    expect(faultOf(nested(logicDepthMax + 1))).toBe("the expression is nested deeper than 64 levels");
    expect(faultOf(nested(1_000_000))).toBe("the expression is nested deeper than 64 levels");
  });

  it("an evaluation takes at most 10,000 steps", () => {
    const square = { map: [{ var: "xs" }, 1] };
    expect(evaluateLogic(square, items(9_900, 0)).ok).toBe(true);
    expect(faultOf(square, items(10_000, 0))).toBe(manySteps);
  });

  it("a result has at most 64 KiB", () => {
    for (const text of ["x".repeat(65_534), "é".repeat(32_767), "漢".repeat(21_844), "😀".repeat(16_383)]) {
      expect(evaluateLogic({ var: "t" }, { t: text }).ok).toBe(true);
    }
    for (const text of [
      "x".repeat(65_535),
      "x".repeat(70_000),
      "é".repeat(32_768),
      "漢".repeat(21_845),
      "😀".repeat(16_384),
      "\n".repeat(32_768),
    ]) {
      expect(faultOf({ var: "t" }, { t: text })).toBe("the result is larger than 64 KiB");
    }
  });

  it.each([
    ["a text that doubles", { cat: [{ var: "accumulator" }, { var: "accumulator" }] }, "x"],
    ["a list that doubles", { merge: [{ var: "accumulator" }, { var: "accumulator" }] }, [1]],
    ["a list of itself twice", [{ var: "accumulator" }, { var: "accumulator" }], 1],
    ["a list in a list", [{ var: "accumulator" }], 1],
  ])("%s in a reduce is a fault, not the end of the process", (_what, step, start) => {
    const rule = { reduce: [{ var: "xs" }, step, start] };
    const data = { xs: Array.from({ length: 500 }, () => 0) };
    expect(evaluateLogic(rule, data).ok).toBe(false);
    expect(evaluateLogic({ cat: rule }, data).ok).toBe(false);
    expect(evaluateLogic({ "==": [rule, "x"] }, data).ok).toBe(false);
  });

  it.each([
    ["looking for 10,001 keys", { missing: [{ var: "xs" }] }, items(10_001, "a"), manySteps],
    ["splitting long keys", { missing: [{ var: "xs" }] }, items(20, "k".repeat(256 * 600)), manySteps],
    ["merging 10,001 items", { merge: [{ var: "xs" }] }, items(10_001, 0), manySteps],
    ["turning 10,001 items into text", { cat: [{ var: "xs" }] }, items(10_001, null), manySteps],
    ["a text of 64 KiB and one", { cat: { var: "xs" } }, { xs: "x".repeat(65_537) }, "a text is longer than 64 KiB"],
    [
      "two texts of 33,000",
      { cat: [{ var: "t" }, { var: "t" }] },
      { t: "x".repeat(33_000) },
      "a text is longer than 64 KiB",
    ],
  ])("%s is too much, even where only its truth is asked for", (_what, rule, data, fault) => {
    expect(faultOf({ "!": [rule] }, data)).toBe(fault);
  });

  it("objects that a reduce hands on are measured like any other result", () => {
    const nestedScopes = { reduce: [{ var: "xs" }, { var: "" }, 0] };
    expect(valueOf(nestedScopes, items(2, 1))).toEqual({ current: 1, accumulator: { current: 1, accumulator: 0 } });
    expect(faultOf(nestedScopes, items(100, 1))).toBe("the result is nested deeper than 64 levels");
    const wide = { map: [{ var: "xs" }, { reduce: [["x".repeat(80)], { var: "" }, 0] }] };
    expect(faultOf(wide, items(700, 1))).toBe("the result is larger than 64 KiB");
  });

  it("long texts cost steps, so that no comparison or conversion can be repeated for long", () => {
    const data = { t: `${"1".repeat(250_000)}x`, xs: Array.from({ length: 2_000 }, () => 0) };
    const costly: JsonValue[] = [
      { "<": [{ var: "accumulator" }, 1] },
      { "+": [{ var: "accumulator" }] },
      { "==": [{ var: "accumulator" }, 1] },
      { var: { var: "accumulator" } },
      { in: ["y", { var: "accumulator" }] },
    ];
    for (const step of costly) {
      const rule = { reduce: [{ var: "xs" }, { if: [step, "", { var: "accumulator" }] }, { var: "t" }] };
      expect(faultOf(rule, data)).toBe(manySteps);
    }
  });

  it.each([[{ "/": [1, 0] }], [{ "+": ["a"] }], [{ max: [] }], [[1, { "%": [1, 0] }]]])(
    "%j is not JSON, hence a fault; inside an expression it compares as nothing",
    (rule) => {
      expect(faultOf(rule)).toBe("the result is not a finite number");
    },
  );

  it("a number that is none compares as nothing", () => {
    expect(valueOf({ "<": [{ "+": ["a"] }, 1] })).toBe(false);
    expect(valueOf({ "!": { "+": ["a"] } })).toBe(true);
  });
});

it("engine R-RULE-7: only what the expression does is a fault; a bug is not swallowed as one", () => {
  const broken: JsonObject = {
    get amount(): JsonValue {
      throw new Error("broken getter");
    },
  };
  expect(() => evaluateLogic({ var: "amount" }, broken)).toThrow("broken getter");
});

describe("engine R-RULE-7: truth is JSONLogic's", () => {
  it.each([null, false, 0, "", []])("%j is false", (value) => {
    expect(isTruthy(value)).toBe(false);
  });

  it.each([true, 1, -1, "0", "false", [0], [[]], {}])("%j is true", (value) => {
    expect(isTruthy(value)).toBe(true);
  });
});

describe("laws", () => {
  const operators = [
    ...["var", "missing", "missing_some", "if", "?:", "==", "===", "!=", "!==", "!", "!!", "or", "and", ">", ">=", "<"],
    ...["<=", "max", "min", "+", "-", "*", "/", "%", "map", "reduce", "filter", "all", "none", "some", "merge", "in"],
    ...["cat", "substr", "log", "count"],
  ];
  const { rule: anyRule } = fc.letrec<{ rule: JsonValue }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(
        fc.constantFrom<JsonValue>(null, true, false, "", "a", "xs", "o.a", "accumulator", "current", "12", "-1.5"),
        fc.integer(),
        fc.double(),
      ),
      fc.array(tie("rule"), { maxLength: 4 }),
      fc
        .tuple(fc.constantFrom(...operators), fc.oneof(tie("rule"), fc.array(tie("rule"), { maxLength: 4 })))
        .map(([operator, operands]) => ({ [operator]: operands })),
    ),
  }));
  const data: JsonObject = { a: 1, xs: [1, "2", null, [3]], o: { a: "text" } };

  it("engine R-RULE-7: any expression of known operators gives a value or a fault, twice the same, and changes nothing", () => {
    const before = JSON.stringify(data);
    fc.assert(
      fc.property(anyRule, (rule) => {
        const ruleBefore = JSON.stringify(rule);
        const result = evaluateLogic(rule, data);
        expect(checkLogic(rule)).toBeNull();
        expect(evaluateLogic(rule, data)).toEqual(result);
        expect([JSON.stringify(rule), JSON.stringify(data)]).toEqual([ruleBefore, before]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("engine R-RULE-7: any JSON at all gives a value or a fault", () => {
    const dictionary = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.jsonValue(), dictionary, (rule, anyData) => {
        const anyJson: unknown = JSON.parse(JSON.stringify(rule));
        const object: unknown = JSON.parse(JSON.stringify(anyData));
        if (!isJson(anyJson) || !isObject(object)) throw new Error("not JSON");
        const result = evaluateLogic(anyJson, object);
        expect(result.ok && checkLogic(anyJson) !== null).toBe(false);
      }),
    );
  });
});

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}
