/** An answer goes out with the headers of every answer, framed as a Go server frames it, and broken where a fault says so. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { randomBytes } from "node:crypto";
import type { RackAnswer } from "./rack-answer.ts";
import type { CallTroubles } from "./rack-faults.ts";
import type { RackTimers } from "./rack-timers.ts";

/** A Go server says the length of what fits its buffer, and sends anything longer in chunks. */
const LENGTH_SAID_MAX = 2_048;
const SECOND = 1_000;
/** A slow writer writes this often. */
const SLICES_PER_SECOND = 10;

/** The headers of every answer, a socket's included. */
export function commonHeaders(): readonly (readonly [string, string])[] {
  return [
    ["Request-Id", randomBytes(6).toString("hex")],
    ["X-Content-Type-Options", "nosniff"],
    ["X-Frame-Options", "DENY"],
  ];
}

export interface Sending {
  readonly troubles: CallTroubles;
  readonly timers: RackTimers;
  /** Whether the connection ends with this answer. */
  readonly isLast: boolean;
}

export async function sendAnswer(response: ServerResponse, answer: RackAnswer, sending: Sending): Promise<void> {
  const { troubles, timers } = sending;
  const { socket } = response;
  if (socket === null) return;
  writeHead(response, answer, sending);
  if (troubles.resets("during")) {
    // The head announces the whole body, of which a half comes.
    response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)));
    response.flushHeaders();
    await flushed(socket);
    reset(socket);
    return;
  }
  const slow = troubles.of("slow_writer");
  if (slow !== null) await writeSlowly(response, answer.body, { bytesPerSecond: slow.bytesPerSecond, timers });
  if (socket.destroyed) return;
  const sent = new Promise<void>((resolve) => {
    response.once("finish", resolve);
    response.once("close", resolve);
  });
  response.end(slow === null ? answer.body : undefined);
  await sent;
  if (troubles.resets("after")) socket.destroy();
}

/** TLS knows no reset of its own: its connection just ends, without a goodbye. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function writeHead(response: ServerResponse, answer: RackAnswer, { troubles, isLast }: Sending): void {
  for (const [name, value] of commonHeaders()) response.setHeader(name, value);
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  const contentType = troubles.of("content_type");
  if (contentType !== null) response.setHeader("Content-Type", contentType.value);
  if (answer.body.length <= LENGTH_SAID_MAX || troubles.resets("during")) {
    response.setHeader("Content-Length", answer.body.length);
  }
  if (isLast) response.setHeader("Connection", "close");
  // HTTP/1.1 keeps a connection without being told to, and a Go server does not say so.
  else response.removeHeader("Connection");
  response.writeHead(answer.status);
}

async function writeSlowly(
  response: ServerResponse,
  body: Buffer,
  { bytesPerSecond, timers }: { readonly bytesPerSecond: number; readonly timers: RackTimers },
): Promise<void> {
  const size = Math.max(1, Math.ceil(bytesPerSecond / SLICES_PER_SECOND));
  response.flushHeaders();
  for (let at = 0; at < body.length && response.socket?.destroyed === false; at += size) {
    response.write(body.subarray(at, at + size));
    await timers.wait((size / bytesPerSecond) * SECOND);
  }
}

/** Until the kernel has it. */
async function flushed(socket: Socket): Promise<void> {
  if (socket.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", resolve);
    socket.write("", () => {
      resolve();
    });
  });
}
