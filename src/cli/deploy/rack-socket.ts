/**
 * A stream of the rack over a WebSocket: build logs, app logs, commands (docs/spec/deploy.md R-RACKSIM-1, R-WS-2). Output is raw
 * bytes whatever the frame's type; an empty binary frame ends it; a command's exit code is in the last text.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { WebSocket, type RawData } from "ws";
import { Unreachable } from "../../client/api-refusal.ts";
import { deployHeaders, type Factor } from "../../client/deploy-client.ts";
import { refusalOf } from "../../client/deploy-refusal.ts";
import { CliFault } from "./cli-outcome.ts";
import type { Asking, Gateway } from "./open-gateway.ts";

export interface RackStream {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onOutput: (bytes: Buffer) => void;
  /** Once it is open: what to send, and when. */
  readonly onOpen?: (input: RackInput) => void;
  readonly asking?: Asking;
}

export interface RackInput {
  write(bytes: Buffer): void;
  end(): void;
  /** Ends the stream from this side. */
  close(): void;
}

const EXIT_TRAILER = "F1E49A85-0AD7-4AEF-A618-C249C6E6568D:";
const PING_MS = 5_000;
const HANDSHAKE_MS = 30_000;
const REFUSAL_BYTES = 65_536;
const MESSAGE_BYTES = 16_777_216;

/** The exit code of a command, null for a stream that has none. */
export function streamFromRack(gateway: Gateway, stream: RackStream): Promise<number | null> {
  return gateway.withFactor(async (factor) => {
    const { url, credential, userAgent } = await gateway.client();
    const { headers = {} } = stream;
    const target = `${url.replace(/^http/i, "ws")}/api/v1/rack-proxy${stream.path}`;
    const sent = Object.fromEntries(
      deployHeaders({ credential, userAgent }, { headers, factor: factor satisfies Factor | null }),
    );
    return await follow(target, sent, stream);
  }, stream.asking);
}

function follow(target: string, headers: Readonly<Record<string, string>>, stream: RackStream): Promise<number | null> {
  const socket = new WebSocket(target, {
    ...{ headers, perMessageDeflate: false, skipUTF8Validation: true, followRedirects: false },
    ...{ handshakeTimeout: HANDSHAKE_MS, maxPayload: MESSAGE_BYTES },
  });
  const reading = new Reading(stream.onOutput);
  return new Promise((resolve, reject) => {
    const ping = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, PING_MS);
    socket.once("open", () => stream.onOpen?.(inputOf(socket)));
    socket.on("message", (data, isBinary) => {
      reading.take(bytesOf(data), isBinary);
      if (reading.hasEnded) socket.close(1000);
    });
    socket.once("unexpected-response", (_request, response) => {
      refused(response)
        .then(reject, reject)
        // Nobody else ends what was never opened.
        .finally(() => {
          socket.terminate();
        });
    });
    socket.on("error", (cause) => {
      reject(new Unreachable(`the stream could not be opened or broke off: ${cause.message}`, { cause }));
    });
    socket.once("close", (code, reason) => {
      clearInterval(ping);
      const fault = reading.fault ?? (reading.hasEnded ? null : closeFault(code, reason.toString("utf8")));
      if (fault === null) resolve(reading.exitCode);
      else reject(fault);
    });
  });
}

/** What came so far, and how it ended. */
class Reading {
  hasEnded = false;
  exitCode: number | null = null;
  fault: CliFault | null = null;
  readonly #onOutput: (bytes: Buffer) => void;

  constructor(onOutput: (bytes: Buffer) => void) {
    this.#onOutput = onOutput;
  }

  take(bytes: Buffer, isBinary: boolean): void {
    if (isBinary && bytes.length === 0) {
      this.hasEnded = true;
      return;
    }
    const said = bytes.toString("latin1");
    // After its exit code a command says nothing; the rack may say that it could not be run.
    if (said.startsWith("ERROR: ")) this.fault = new CliFault(bytes.toString("utf8").slice("ERROR: ".length).trim());
    const at = said.lastIndexOf(EXIT_TRAILER);
    const [, code] = at < 0 ? [] : (/^(\d{1,3})\s*$/.exec(said.slice(at + EXIT_TRAILER.length)) ?? []);
    if (code !== undefined) this.exitCode = Number(code);
    const output = code === undefined ? bytes : bytes.subarray(0, at);
    if (output.length > 0 && this.fault === null) this.#onOutput(output);
  }
}

function inputOf(socket: WebSocket): RackInput {
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  return {
    write(bytes) {
      if (isOpen()) socket.send(bytes, { binary: false });
    },
    end() {
      if (isOpen()) socket.send(Buffer.alloc(0), { binary: true });
    },
    close() {
      socket.close(1000);
    },
  };
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function closeFault(code: number, reason: string): CliFault | null {
  if (code === 1000 || code === 1005) return null;
  return new CliFault(reason === "" ? `the stream broke off (${String(code)})` : reason);
}

async function refused(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > REFUSAL_BYTES) break;
    chunks.push(chunk);
  }
  const { statusCode: status = 0, statusMessage: statusText = "", headers } = response;
  const header = (name: string): string | null => {
    const value = headers[name];
    return typeof value === "string" ? value : null;
  };
  return refusalOf({ status, statusText, text: Buffer.concat(chunks).toString("utf8"), header });
}
