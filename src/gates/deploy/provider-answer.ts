/**
 * What came back from a call to a CI: the value in the form that was expected, or how the call failed. An answer in another form is no
 * answer (docs/spec/deploy.md R-CI-8).
 */
import { isJsonObject } from "../../core/json.ts";
import type { FailedCall } from "./effect-result.ts";

export type CallAnswer =
  | { readonly status: number; readonly header: (name: string) => string | null; readonly body: unknown }
  | { readonly unreachable: string };

export type CallReading<Value> = { readonly value: Value } | { readonly failed: FailedCall };

/** What a schema says of a body. */
export type BodyReading<Value> = { readonly success: true; readonly data: Value } | { readonly success: false };

const MESSAGE_MAX = 500;

/** `service` is how people call it. */
export function readCall<Value>(
  service: string,
  answer: CallAnswer,
  parse: (body: unknown) => BodyReading<Value>,
): CallReading<Value> {
  if ("unreachable" in answer) return { failed: { unreachable: `${service}: ${answer.unreachable}` } };
  const { status, body, header } = answer;
  if (status < 200 || status > 299) {
    return { failed: { status, retryAfterSeconds: secondsOf(header("retry-after")), message: messageOf(body) } };
  }
  const read = parse(body);
  return read.success
    ? { value: read.data }
    : { failed: { unreachable: `${service} answered in a form that was not understood` } };
}

/** Services say it as `message`; some as `error`. */
function messageOf(body: unknown): string {
  if (!isJsonObject(body)) return "";
  const said = body["message"] ?? body["error"];
  return typeof said === "string" ? said.slice(0, MESSAGE_MAX) : "";
}

/** Dates of `Retry-After` are not read: the schedule waits long enough. */
function secondsOf(text: string | null): number | null {
  return text !== null && /^[0-9]{1,6}$/.test(text) ? Number(text) : null;
}
