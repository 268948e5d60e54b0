/** What the simulator answers, and how a Go program writes it: JSON, "ok", and errors (deploy R-RACKSIM-1). */
import type { RecordedCall } from "./recorded-call.ts";

export interface RackAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An error with a status of its own; every other error is a 500. */
export class RackError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Go's name for a time that was never set. */
const NEVER = "0001-01-01T00:00:00Z";

const PLAIN = "text/plain; charset=utf-8";

export function notFound(what: string, name: string): RackError {
  return new RackError(404, `${what} not found: ${name}`);
}

export function jsonAnswer(value: unknown): RackAnswer {
  const body = Buffer.from(`${escaped(JSON.stringify(value, null, 2))}\n`);
  return { status: 200, headers: { "Content-Type": "application/json" }, body };
}

/** No content type is set: the one on the wire is what sniffing makes of "ok". */
export function doneAnswer(): RackAnswer {
  return { status: 200, headers: { "Content-Type": PLAIN }, body: Buffer.from("ok\n") };
}

export function bytesAnswer(body: Buffer, contentType: string): RackAnswer {
  return { status: 200, headers: { "Content-Type": contentType }, body };
}

export function emptyAnswer(status: number): RackAnswer {
  return { status, headers: {}, body: Buffer.alloc(0) };
}

/** What the router says of an address that it does not know. */
export function unknownRouteAnswer(): RackAnswer {
  return { status: 404, headers: { "Content-Type": PLAIN }, body: Buffer.from("404 page not found\n") };
}

export function errorAnswer(error: unknown, call: RecordedCall): RackAnswer {
  const message = messageOf(error);
  const status = error instanceof RackError ? error.status : 500;
  const accepted = (call.header("accept") ?? "").split(",").map((range) => range.split(";")[0]?.trim());
  if (accepted.includes("application/json")) {
    const body = Buffer.from(`${escaped(JSON.stringify({ error: message }))}\n`);
    return { status, headers: { "Content-Type": "application/json" }, body };
  }
  return { status, headers: { "Content-Type": PLAIN }, body: Buffer.from(`${message}\n`) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** RFC 3339 without trailing zeros, as Go writes times. */
export function goTime(at: Date | null): string {
  return at === null ? NEVER : at.toISOString().replace(/\.?0*Z$/, "Z");
}

/** The five characters that Go escapes in JSON and JavaScript does not. */
function escaped(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
