/** What is wrong with an error answer, judged by the shape of the API that was called; empty when nothing is. */
import { aweErrorSchema, problemSchema } from "../../src/contract/error-bodies.ts";
import { errorMeanings } from "../../src/contract/error-codes.ts";
import type { Answer } from "./http-call.ts";

export function errorFaults(path: string, answer: Answer): readonly string[] {
  const isAwe = path.startsWith("/v1/awe");
  const type = answer.headers["content-type"] ?? "no content type";
  const faults = [
    ...(answer.status >= 400 && answer.status <= 499 ? [] : [`status ${String(answer.status)}`]),
    ...(type.startsWith(isAwe ? "application/json" : "application/problem+json") ? [] : [type]),
    ...(answer.headers["x-request-id"] === undefined ? ["no X-Request-Id"] : []),
  ];
  const read = (isAwe ? aweErrorSchema : problemSchema).strict().safeParse(parsed(answer.text));
  if (!read.success) return [...faults, `not this API's error: ${answer.text.slice(0, 200)}`];
  const { code } = read.data;
  const sentence = "message" in read.data ? read.data.message : read.data.detail;
  return [...faults, ...codeFaults(code, answer.status), ...sentenceFaults(sentence)];
}

function codeFaults(code: string, status: number): readonly string[] {
  const meaning = Object.entries(errorMeanings).find(([known]) => known === code)?.[1];
  if (meaning === undefined) return [`unlisted code ${code}`];
  return meaning.status === status ? [] : [`${code} with status ${String(status)}`];
}

function sentenceFaults(sentence: string): readonly string[] {
  const shown = /\b(?:undefined|NaN|Error:|at .*\.ts|zod|postgres|syntax error)\b/i.test(sentence);
  return [
    ...(/^\S.*[a-z].* \S/s.test(sentence) ? [] : [`no sentence: ${sentence}`]),
    ...(shown ? [`shows the inside: ${sentence}`] : []),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
