/** The name of one call, in its answer and in the log (R-API-11). */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

const READABLE = /^[A-Za-z0-9._-]{1,64}$/;

export function requestIdOf(message: Pick<IncomingMessage, "headers">): string {
  const given = message.headers["x-request-id"];
  return typeof given === "string" && READABLE.test(given) ? given : randomUUID();
}
