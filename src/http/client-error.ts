/** Calls that are no HTTP: there is no route yet and no family, so the answer is a problem, written by hand. */
import type { Socket } from "node:net";
import { randomUUID } from "node:crypto";
import { problem, problemBody, statusOf, type Problem } from "./problem.ts";
import type { ServerOptions } from "./server-options.ts";

const reasons: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: problem("headers_too_large", "The headers are larger than 32 KiB"),
  ERR_HTTP_REQUEST_TIMEOUT: problem("call_timeout", "The call took too long to arrive"),
};
const UNREADABLE = problem("unreadable", "This is not an HTTP call");

export function answerUnreadable(error: Error, socket: Socket, options: Pick<ServerOptions, "service" | "app">): void {
  // On a connection that already carried answers nobody can tell which call this would answer.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const code: unknown = Reflect.get(error, "code");
  const given = (typeof code === "string" ? reasons[code] : undefined) ?? UNREADABLE;
  const trace = randomUUID();
  const body = JSON.stringify(problemBody(given, { service: options.service, trace, now: options.app.clock() }));
  const head = [
    `HTTP/1.1 ${String(statusOf(given))} Refused`,
    "Content-Type: application/problem+json; charset=utf-8",
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Request-Id: ${trace}`,
    "Cache-Control: no-store",
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
