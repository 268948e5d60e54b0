/**
 * What does a JSONLogic expression say about a context? Implements docs/spec/policies.md R-RULE-4 to R-RULE-9.
 * An interpreter: nothing is compiled, nothing is cached, every evaluation is bounded, and what cannot be evaluated is a
 * fault, never a value. The npm libraries are not used: they compare missing amounts as 0, reach `Object.prototype`
 * through operators and paths, and have no limits; a property test compares the operators where they agree.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { LogicBudget, LogicFault, logicDepthMax, logicNodesMax, logicResultBytesMax } from "./logic-budget.ts";
import { isList, isTruthy } from "./logic-coercion.ts";
import { eagerOperators, type LogicScope } from "./logic-operators.ts";
import { invariant } from "./refusal.ts";

export { isTruthy };

export type LogicResult =
  { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly fault: string };

export function evaluateLogic(rule: JsonValue, data: JsonObject): LogicResult {
  const unfit = checkLogic(rule);
  if (unfit !== null) return { ok: false, fault: unfit };
  try {
    const value = evaluate(rule, { data, budget: new LogicBudget() });
    const fault = resultFault(value);
    return fault === null ? { ok: true, value } : { ok: false, fault };
  } catch (error) {
    if (error instanceof LogicFault) return { ok: false, fault: error.message };
    throw error;
  }
}

/** Why the expression cannot be evaluated on any context, or null. */
export function checkLogic(rule: JsonValue): string | null {
  const waiting: { node: JsonValue; depth: number }[] = [{ node: rule, depth: 1 }];
  let nodes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    nodes += 1;
    if (nodes > logicNodesMax) return `the expression has more than ${logicNodesMax} values`;
    if (!isList(node) && !isJsonObject(node)) continue;
    if (depth > logicDepthMax) return `the expression is nested deeper than ${logicDepthMax} levels`;
    const fault = isList(node) ? null : operatorFault(node);
    if (fault !== null) return fault;
    for (const child of isList(node) ? node : Object.values(node)) waiting.push({ node: child, depth: depth + 1 });
  }
  return null;
}

/** R-RULE-4: an object with no or several members would be a truthy constant to the standard, hence a skipped stage. */
function operatorFault(node: JsonObject): string | null {
  const [operator, ...others] = Object.keys(node);
  if (operator === undefined || others.length > 0) return "an object in an expression must have exactly one operator";
  return eagerOperators.has(operator) || lazyOperators.has(operator) ? null : `unknown operator '${operator}'`;
}

function evaluate(rule: JsonValue, scope: LogicScope): JsonValue {
  scope.budget.spend(1);
  if (isList(rule)) return rule.map((item) => evaluate(item, scope));
  if (!isJsonObject(rule)) return rule;
  const [entry] = Object.entries(rule);
  invariant(entry !== undefined, "an expression was evaluated that checkLogic refuses");
  const [operator, given] = entry;
  const expressions = isList(given) ? given : [given];
  const lazy = lazyOperators.get(operator);
  if (lazy !== undefined) return lazy(expressions, scope);
  const eager = eagerOperators.get(operator);
  invariant(eager !== undefined, `operator '${operator}' was evaluated that checkLogic refuses`);
  const operands = expressions.map((expression) => evaluate(expression, scope));
  for (const operand of operands) {
    if (typeof operand === "string" || isList(operand)) scope.budget.spendOnMembers(operand.length);
  }
  return eager(operands, scope);
}

type LazyOperator = (expressions: readonly JsonValue[], scope: LogicScope) => JsonValue;

const lazyOperators = new Map<string, LazyOperator>([
  ["if", choose],
  ["?:", choose],
  ["and", (expressions, scope) => firstOf(expressions, scope, (value) => !isTruthy(value))],
  ["or", (expressions, scope) => firstOf(expressions, scope, isTruthy)],
  ["map", ([list, each], scope) => itemsOf(list, scope)?.map((item) => evaluateFor(item, each, scope)) ?? []],
  ["filter", ([list, test], scope) => itemsOf(list, scope)?.filter((item) => holdsFor(item, test, scope)) ?? []],
  ["reduce", reduceList],
  [
    "all",
    ([list, test], scope) => {
      const items = itemsOf(list, scope) ?? [];
      return items.length > 0 && items.every((item) => holdsFor(item, test, scope));
    },
  ],
  ["some", ([list, test], scope) => itemsOf(list, scope)?.some((item) => holdsFor(item, test, scope)) ?? false],
  // R-RULE-6: to the standard, "none" of a list that is not there would be true.
  [
    "none",
    ([list, test], scope) => {
      const items = itemsOf(list, scope);
      return items !== null && !items.some((item) => holdsFor(item, test, scope));
    },
  ],
]);

/** `if` takes pairs of condition and result, and at the end what holds otherwise. */
function choose(expressions: readonly JsonValue[], scope: LogicScope): JsonValue {
  let isChosen = false;
  for (const [index, expression] of expressions.entries()) {
    if (isChosen) return evaluate(expression, scope);
    if (index % 2 === 1) continue;
    const value = evaluate(expression, scope);
    if (index === expressions.length - 1) return value;
    isChosen = isTruthy(value);
  }
  return null;
}

/** The first value that `ends` the search, else the last one. */
function firstOf(expressions: readonly JsonValue[], scope: LogicScope, ends: (value: JsonValue) => boolean): JsonValue {
  let value: JsonValue = null;
  for (const expression of expressions) {
    value = evaluate(expression, scope);
    if (ends(value)) return value;
  }
  return value;
}

function itemsOf(list: JsonValue | undefined, scope: LogicScope): readonly JsonValue[] | null {
  const items = evaluate(list ?? null, scope);
  return isList(items) ? items : null;
}

/** Inside a list operator, `var` sees the item and nothing else. */
function evaluateFor(data: JsonValue, expression: JsonValue | undefined, { budget }: LogicScope): JsonValue {
  return evaluate(expression ?? null, { data, budget });
}

function holdsFor(data: JsonValue, test: JsonValue | undefined, scope: LogicScope): boolean {
  return isTruthy(evaluateFor(data, test, scope));
}

function reduceList([list, step, initial]: readonly JsonValue[], scope: LogicScope): JsonValue {
  const items = itemsOf(list, scope);
  const start = evaluate(initial ?? null, scope);
  if (items === null) return start;
  return items.reduce((accumulator, current) => evaluateFor({ current, accumulator }, step, scope), start);
}

/** R-RULE-9, and what JSON cannot say. Bounded, although lists may be shared and so be far larger than what was built. */
function resultFault(result: JsonValue): string | null {
  const waiting: { value: JsonValue; depth: number }[] = [{ value: result, depth: 1 }];
  let bytes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (depth > logicDepthMax) return `the result is nested deeper than ${logicDepthMax} levels`;
    if (typeof value === "number" && !Number.isFinite(value)) return "the result is not a finite number";
    bytes += bytesBesideChildren(value);
    if (bytes > logicResultBytesMax) return "the result is larger than 64 KiB";
    const children = isList(value) ? value : isJsonObject(value) ? Object.values(value) : [];
    for (const child of children) waiting.push({ value: child, depth: depth + 1 });
  }
  return null;
}

/** UTF-8 bytes of the value as JSON, without its members' values; a text of over the limit is not measured exactly. */
function bytesBesideChildren(value: JsonValue): number {
  if (typeof value === "string") return textBytes(value);
  if (isList(value)) return 2 + value.length;
  if (!isJsonObject(value)) return JSON.stringify(value).length;
  return Object.keys(value).reduce((bytes, name) => bytes + textBytes(name) + 2, 2);
}

function textBytes(text: string): number {
  if (text.length > logicResultBytesMax) return text.length;
  let bytes = 0;
  for (const character of JSON.stringify(text)) bytes += utf8BytesOf(character);
  return bytes;
}

/** Of one character: two UTF-16 units are four bytes, one unit is one to three. */
function utf8BytesOf(character: string): number {
  if (character.length === 2) return 4;
  if (character < "\u0080") return 1;
  return character < "\u0800" ? 2 : 3;
}
