/**
 * How JSONLogic reads one type as another: truth, number, text, equality and order (docs/spec/policies.md R-RULE-4 to 6).
 * Everything is JavaScript's own conversion, which the standard leans on, except the order of R-RULE-5.
 */
import { isJsonObject, type JsonValue } from "./json.ts";
import { LogicFault, logicDepthMax, logicResultBytesMax, type LogicBudget } from "./logic-budget.ts";

/** A value, or undefined for an operand that the expression leaves out. */
export type Operand = JsonValue | undefined;

export function isList(value: Operand): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** JSONLogic's truth: as JavaScript's, but the empty list is false. */
export function isTruthy(value: Operand): boolean {
  return isList(value) ? value.length > 0 : Boolean(value);
}

/** JavaScript's ToNumber; NaN where there is none. */
export function toNumber(value: Operand, budget: LogicBudget): number {
  if (value === undefined || isJsonObject(value)) return Number.NaN;
  return isList(value) ? Number(toText(value, budget)) : Number(value);
}

/** JavaScript's ToString, with an end to how long or deep it may get: lists can be shared, so that text grows 2^n. */
export function toText(value: Operand, budget: LogicBudget, depth = 0): string {
  if (!isList(value)) return isJsonObject(value) ? "[object Object]" : String(value);
  if (depth > logicDepthMax) throw new LogicFault(`a list is nested deeper than ${logicDepthMax} levels`);
  budget.spend(value.length);
  return joinTexts(
    value.map((item) => (item === null ? "" : toText(item, budget, depth + 1))),
    ",",
  );
}

export function joinTexts(texts: readonly string[], separator: string): string {
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  if (length > logicResultBytesMax) throw new LogicFault("a text is longer than 64 KiB");
  return texts.join(separator);
}

/** JavaScript's `==` over JSON values. */
export function isLooselyEqual(left: Operand, right: Operand, budget: LogicBudget): boolean {
  if (isAbsent(left) || isAbsent(right)) return isAbsent(left) && isAbsent(right);
  if (isContainer(left) && isContainer(right)) return left === right;
  if (isContainer(left)) return isLooselyEqual(toText(left, budget), right, budget);
  if (isContainer(right)) return isLooselyEqual(left, toText(right, budget), budget);
  return typeof left === typeof right ? left === right : Number(left) === Number(right);
}

function isAbsent(value: Operand): value is null | undefined {
  return value === undefined || value === null;
}

function isContainer(value: Operand): value is Exclude<JsonValue, null | boolean | number | string> {
  return typeof value === "object" && value !== null;
}

/** Digits with an optional sign and fraction: what a person would call a decimal number. */
const decimalNumber = /^-?[0-9]+(?:\.[0-9]+)?$/;

/**
 * The order of two operands, or null where they have none: R-RULE-5. A missing amount is neither below nor above a
 * limit, so that no comparison with it can skip a stage.
 */
export function compareOperands(left: Operand, right: Operand): number | null {
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : Number(left > right);
  const [leftNumber, rightNumber] = [orderedNumber(left), orderedNumber(right)];
  if (Number.isNaN(leftNumber) || Number.isNaN(rightNumber)) return null;
  return leftNumber < rightNumber ? -1 : Number(leftNumber > rightNumber);
}

function orderedNumber(value: Operand): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && decimalNumber.test(value) ? Number(value) : Number.NaN;
}
