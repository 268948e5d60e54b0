/**
 * The JSONLogic operators whose operands are evaluated first, one function each (docs/spec/policies.md R-RULE-4).
 * Operators that choose what to evaluate (`if`, `and`, `or`, and those over lists) are in `logic.ts`.
 */
import { isJsonObject, type JsonValue } from "./json.ts";
import { LogicFault, type LogicBudget } from "./logic-budget.ts";
import {
  compareOperands,
  isList,
  isLooselyEqual,
  isTruthy,
  joinTexts,
  toNumber,
  toText,
  type Operand,
} from "./logic-coercion.ts";

/** What expressions see: the context, or inside a list operator the item. */
export interface LogicScope {
  readonly data: JsonValue;
  readonly budget: LogicBudget;
}

export type EagerOperator = (operands: readonly JsonValue[], scope: LogicScope) => JsonValue;

/** An operator of two operands; a missing one is undefined. */
function ofTwo(result: (left: Operand, right: Operand, budget: LogicBudget) => JsonValue): EagerOperator {
  return ([left, right], { budget }) => result(left, right, budget);
}

/** `<` and `<=` also take three operands, as "between". */
function ascending(holds: (order: number) => boolean): EagerOperator {
  return ([low, middle, high]) => {
    const inOrder = (left: Operand, right: Operand): boolean => {
      const order = compareOperands(left, right);
      return order !== null && holds(order);
    };
    return inOrder(low, middle) && (high === undefined || inOrder(middle, high));
  };
}

function descending(holds: (order: number) => boolean): EagerOperator {
  return ([left, right]) => {
    const order = compareOperands(left, right);
    return order !== null && holds(order);
  };
}

/** The member at a path like `a.b.0`, or undefined. Own members only: nothing of `Object.prototype` is data. */
function memberAt(data: JsonValue, path: string): Operand {
  let value: Operand = data;
  for (const name of path.split(".")) {
    value = ownMember(value, name);
    if (value === undefined) return undefined;
  }
  return value;
}

function ownMember(value: Operand, name: string): Operand {
  if (isJsonObject(value)) return Object.hasOwn(value, name) ? value[name] : undefined;
  if (!isList(value) && typeof value !== "string") return undefined;
  if (name === "length") return value.length;
  return /^(?:0|[1-9][0-9]{0,8})$/.test(name) ? value[Number(name)] : undefined;
}

function variable(key: Operand, scope: LogicScope): Operand {
  if (key === undefined || key === null || key === "") return scope.data;
  const path = toText(key, scope.budget);
  scope.budget.spendOnMembers(path.length);
  return memberAt(scope.data, path);
}

function missingOf(keys: readonly JsonValue[], scope: LogicScope): JsonValue[] {
  return keys.filter((key) => {
    scope.budget.spend(1);
    const value = variable(key, scope) ?? null;
    return value === null || value === "";
  });
}

function contains(item: Operand, container: Operand, budget: LogicBudget): boolean {
  // Nothing is in an empty text, to the standard not even the empty text.
  if (typeof container === "string") return container !== "" && container.includes(toText(item, budget));
  return isList(container) && item !== undefined && container.includes(item);
}

/** JavaScript's `substr`; a negative length leaves that many characters off the end. */
function partOfText([source, start, length]: readonly JsonValue[], { budget }: LogicScope): string {
  const text = toText(source, budget);
  const from = wholePart(toNumber(start ?? 0, budget));
  const begin = from < 0 ? Math.max(0, text.length + from) : from;
  if (length === undefined) return text.slice(begin);
  const count = wholePart(toNumber(length, budget));
  if (count < 0) return text.slice(begin, Math.max(begin, text.length + count));
  return text.slice(begin, begin + count);
}

function wholePart(value: number): number {
  return Number.isNaN(value) ? 0 : Math.trunc(value);
}

function leadingNumber(value: Operand, budget: LogicBudget): number {
  return typeof value === "number" ? value : Number.parseFloat(toText(value, budget));
}

function product(operands: readonly JsonValue[], { budget }: LogicScope): JsonValue {
  const [first, ...others] = operands;
  if (first === undefined) throw new LogicFault("'*' needs an operand");
  return others.reduce<JsonValue>((result, operand) => {
    return leadingNumber(result, budget) * leadingNumber(operand, budget);
  }, first);
}

function merged(operands: readonly JsonValue[], { budget }: LogicScope): JsonValue[] {
  return operands.flatMap((operand) => {
    budget.spend(isList(operand) ? operand.length : 1);
    return operand;
  });
}

const numbersOf = (operands: readonly JsonValue[], { budget }: LogicScope): number[] =>
  operands.map((operand) => toNumber(operand, budget));

export const eagerOperators = new Map<string, EagerOperator>([
  ["var", ([key, otherwise], scope) => variable(key, scope) ?? absentVariable(key, otherwise, scope)],
  ["missing", (operands, scope) => missingOf(isList(operands[0]) ? operands[0] : operands, scope)],
  ["missing_some", missingSome],
  ["==", ofTwo(isLooselyEqual)],
  ["!=", ofTwo((left, right, budget) => !isLooselyEqual(left, right, budget))],
  ["===", ofTwo((left, right) => left === right)],
  ["!==", ofTwo((left, right) => left !== right)],
  ["!", ([operand]) => !isTruthy(operand)],
  ["!!", ([operand]) => isTruthy(operand)],
  ["<", ascending((order) => order < 0)],
  ["<=", ascending((order) => order <= 0)],
  [">", descending((order) => order > 0)],
  [">=", descending((order) => order >= 0)],
  ["max", (operands, scope) => Math.max(...numbersOf(operands, scope))],
  ["min", (operands, scope) => Math.min(...numbersOf(operands, scope))],
  ["+", (operands, { budget }) => operands.reduce<number>((sum, operand) => sum + leadingNumber(operand, budget), 0)],
  ["-", ofTwo(difference)],
  ["*", product],
  ["/", ofTwo((left, right, budget) => toNumber(left, budget) / toNumber(right, budget))],
  ["%", ofTwo((left, right, budget) => toNumber(left, budget) % toNumber(right, budget))],
  ["merge", merged],
  ["in", ofTwo(contains)],
  [
    "cat",
    (operands, { budget }) =>
      joinTexts(
        operands.map((part) => (part === null ? "" : toText(part, budget))),
        "",
      ),
  ],
  ["substr", partOfText],
  // R-RULE-4: `log` returns its operand and prints nothing.
  ["log", ([operand]) => operand ?? null],
  // AWE's own: how many operands are true.
  ["count", (operands) => operands.filter(isTruthy).length],
]);

/** A member that is there and null is null; the default is for what is not there. */
function absentVariable(key: Operand, otherwise: Operand, scope: LogicScope): JsonValue {
  return variable(key, scope) === null ? null : (otherwise ?? null);
}

function difference(left: Operand, right: Operand, budget: LogicBudget): number {
  return right === undefined ? -toNumber(left, budget) : toNumber(left, budget) - toNumber(right, budget);
}

function missingSome([needed, options]: readonly JsonValue[], scope: LogicScope): JsonValue {
  if (!isList(options)) throw new LogicFault("'missing_some' needs a number and a list");
  const missing = missingOf(options, scope);
  return options.length - missing.length >= toNumber(needed, scope.budget) ? [] : missing;
}
