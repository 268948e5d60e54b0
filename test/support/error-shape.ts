/** What is wrong with an error answer, judged by the shape of the API that was called; empty when nothing is. */
import { aweErrorSchema, problemSchema } from "../../src/contract/error-bodies.ts";
import { errorMeanings } from "../../src/contract/error-codes.ts";
import type { Answer } from "./http-call.ts";

export function errorFaults(path: string, answer: Answer): readonly string[] {
  const isAwe = path.startsWith("/v1/awe");
  const faults: string[] = [];
  if (answer.status < 400 || answer.status > 499) faults.push(`status ${String(answer.status)}`);
  const type = answer.headers["content-type"] ?? "no content type";
  if (!type.startsWith(isAwe ? "application/json" : "application/problem+json")) faults.push(type);
  if (answer.headers["x-request-id"] === undefined) faults.push("no X-Request-Id");
  const body = parsed(answer.text);
  const read = (isAwe ? aweErrorSchema : problemSchema).strict().safeParse(body);
  if (!read.success) return [...faults, `not this API's error: ${answer.text.slice(0, 200)}`];
  const { code } = read.data;
  const meaning = Object.entries(errorMeanings).find(([known]) => known === code)?.[1];
  if (meaning === undefined) return [...faults, `unlisted code ${code}`];
  if (meaning.status !== answer.status) faults.push(`${code} with status ${String(answer.status)}`);
  const sentence = "message" in read.data ? read.data.message : read.data.detail;
  if (!/^\S.*[a-z].* \S/s.test(sentence)) faults.push(`no sentence: ${sentence}`);
  if (/\b(?:undefined|NaN|Error:|at .*\.ts|zod|postgres|syntax error)\b/i.test(sentence))
    faults.push(`shows the inside: ${sentence}`);
  return faults;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
