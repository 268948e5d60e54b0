/**
 * From an untrusted body or query to a typed value, or to the list of everything that is wrong with it, each with its place
 * and a sentence. Implements docs/spec/api.md R-API-7 to R-API-9.
 */
import type { z } from "zod";
import type { FaultDetail } from "../contract/error-bodies.ts";
import { findJsonFault } from "../contract/policy-json.ts";
import { pathText, problem, type Problem } from "./problem.ts";

export type Place = "body" | "query" | "path" | "header";

/** Faults are listed up to here; a hostile document cannot make the answer large. */
const faultsMax = 50;

export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): { readonly ok: true; readonly value: z.output<Schema> } | { readonly ok: false; readonly problem: Problem } {
  const unfit = findJsonFault(value === undefined ? null : value);
  if (unfit !== null) {
    return { ok: false, problem: faulty([{ type: "value_error", loc: [place, ...unfit.path], msg: unfit.message }]) };
  }
  const read = schema.safeParse(value, { error: sentenceOf });
  if (read.success) return { ok: true, value: read.data };
  return { ok: false, problem: faulty(read.error.issues.map((issue) => faultOf(issue, place))) };
}

export function faulty(faults: readonly FaultDetail[]): Problem {
  const [first] = faults;
  const where = first === undefined ? "" : pathText(first.loc);
  const sentence = first === undefined ? "The input is not valid" : `${where === "" ? "The body" : where} ${first.msg}`;
  const more = faults.length > 1 ? ` (and ${String(faults.length - 1)} more)` : "";
  const onlyUnavailable = faults.length > 0 && faults.every((fault) => fault.type === "not_available");
  return problem(onlyUnavailable ? "not_available" : "invalid_input", `${sentence}${more}`, {
    faults: faults.slice(0, faultsMax),
  });
}

function faultOf(issue: z.core.$ZodIssue, place: Place): FaultDetail {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  return { type: typeOf(issue), loc: [place, ...path], msg: issue.message };
}

function typeOf(issue: z.core.$ZodIssue): string {
  if (issue.message === REQUIRED) return "missing";
  if (issue.code !== "custom") return issue.code;
  const code: unknown = issue.params?.["code"];
  return typeof code === "string" ? code : "value_error";
}

/** zod hands issues back without their input: the sentence tells what was missing. */
const REQUIRED = "is required";

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};

/** A sentence that continues the name of the field; schemas with a sentence of their own keep it. */
function sentenceOf(issue: z.core.$ZodRawIssue): string {
  return issue.input === undefined && MISSING_CODES.has(issue.code) ? REQUIRED : sentenceOfFault(issue);
}

const MISSING_CODES: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "invalid_union", "custom"]);

function sentenceOfFault(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kindOf(issue.expected)}`;
    case "too_big":
      return `must ${boundOf(issue.origin, issue.maximum, "at most")}`;
    case "too_small":
      return `must ${boundOf(issue.origin, issue.minimum, "at least")}`;
    case "invalid_value":
      return `must be ${oneOf(issue.values)}`;
    case "invalid_format":
      return "does not have the right form";
    case "unrecognized_keys":
      return `has unknown members: ${issue.keys.join(", ")}`;
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return "is not valid";
  }
}

function kindOf(expected: string): string {
  return KINDS[expected] ?? expected;
}

function boundOf(origin: string, bound: number | bigint, word: string): string {
  const amount = String(bound);
  if (origin === "string") return `have ${word} ${amount} character${amount === "1" ? "" : "s"}`;
  if (origin === "array") return `have ${word} ${amount} item${amount === "1" ? "" : "s"}`;
  return `be ${word} ${amount}`;
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map(String);
  return words.length === 1 ? words.join("") : `one of ${words.join(", ")}`;
}
