/** Opens a WebSocket to a rack, or brings what the rack answered in place of its 101. Implements docs/spec/deploy.md R-WS-1. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { WebSocket } from "ws";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { headersFromRack, type HeaderPair } from "../../gates/deploy/rack-headers.ts";
import type { RackAnswer, RackDial, RackSocket } from "../../ports/rack.ts";
import { acceptClient } from "./accept-client.ts";
import { approachHeaders } from "./approach-headers.ts";
import { joinSockets } from "./join-sockets.ts";
import { FramedConnection } from "./framed-connection.ts";
import type { RackConnector } from "./rack-connector.ts";
import { rackHandshakeWithin, type RackSettings, type SocketTimes } from "./rack-settings.ts";
import { SocketHop, wireOptions } from "./socket-hop.ts";

export interface DialSurroundings {
  readonly settings: RackSettings;
  readonly connector: RackConnector;
  readonly times: SocketTimes;
  /** Path and query. */
  readonly target: string;
}

const HANDSHAKE_MS = 10_000;
const REFUSAL_BYTES_MAX = 65_536;
/** RFC 6455 4.1: a token of RFC 9110. */
const PROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export async function dialRack(dial: RackDial, around: DialSurroundings): Promise<RackSocket | RackAnswer> {
  dial.signal?.throwIfAborted();
  const connection = new FramedConnection(await around.connector.open(), { answersFirst: true });
  const opening = new Opening(newSocket(dial, connection, around), connection, around.times);
  const giveUp = (): void => {
    opening.fail(dial.signal?.reason);
  };
  dial.signal?.addEventListener("abort", giveUp);
  if (dial.signal?.aborted === true) giveUp();
  try {
    return await opening.outcome;
  } finally {
    dial.signal?.removeEventListener("abort", giveUp);
  }
}

function newSocket(
  dial: RackDial,
  connection: FramedConnection,
  { settings, target, times }: DialSurroundings,
): WebSocket {
  const { origin } = new URL(settings.info.host);
  const protocols = [...new Set(dial.protocols)].filter((protocol) => PROTOCOL.test(protocol));
  return new WebSocket(`${origin.replace(/^http/, "ws")}${target}`, protocols, {
    ...wireOptions(rackHandshakeWithin(times)),
    headers: headersOf(approachHeaders(settings, dial)),
    origin,
    followRedirects: false,
    createConnection: () => connection,
  });
}

function headersOf(pairs: readonly HeaderPair[]): Record<string, string> {
  return Object.fromEntries(pairs);
}

/** Until there is a socket, a refusal or a fault; whichever is first. */
class Opening {
  readonly outcome: Promise<RackSocket | RackAnswer>;
  readonly #socket: WebSocket;
  readonly #timer: NodeJS.Timeout;
  #resolve: (outcome: RackSocket | RackAnswer) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(socket: WebSocket, connection: FramedConnection, times: SocketTimes) {
    this.#socket = socket;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => {
      this.fail(new RackFault("rack_timeout", true, "no handshake in time"));
    }, HANDSHAKE_MS);
    socket.on("error", (error) => {
      this.fail(new RackFault("rack_unreachable", true, error.message));
    });
    socket.once("open", () => {
      clearTimeout(this.#timer);
      this.#resolve(openedSocket(socket, new SocketHop(socket, connection), times));
    });
    socket.once("unexpected-response", (_request, response) => {
      this.#refuse(response);
    });
  }

  fail(why: unknown): void {
    clearTimeout(this.#timer);
    this.#reject(why);
    if (this.#socket.readyState !== WebSocket.OPEN) this.#socket.terminate();
  }

  #refuse(response: IncomingMessage): void {
    beginningOf(response).then(
      ({ bytes, isWhole }) => {
        clearTimeout(this.#timer);
        this.#resolve(refusalOf(response, bytes, isWhole));
        response.destroy();
      },
      (error: unknown) => {
        this.fail(new RackFault("rack_unreachable", true, error instanceof Error ? error.message : "cut off"));
      },
    );
  }
}

function openedSocket(socket: WebSocket, rack: SocketHop, times: SocketTimes): RackSocket {
  return {
    kind: "socket",
    protocol: socket.protocol,
    abandon: () => {
      rack.close({ code: 1001, reason: "" }, times.closeWithin);
    },
    join: async (upgrade, options) => {
      const client = await acceptClient(upgrade, { protocol: socket.protocol, headers: options.headers ?? [], times });
      return joinSockets(client, rack, { ...options, times });
    },
  };
}

async function beginningOf(response: IncomingMessage): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > REFUSAL_BYTES_MAX) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, REFUSAL_BYTES_MAX), isWhole: size <= REFUSAL_BYTES_MAX };
}

function refusalOf(response: IncomingMessage, bytes: Buffer, isWhole: boolean): RackAnswer {
  const { rawHeaders, statusCode = 0, statusMessage = "" } = response;
  const pairs = Array.from(
    { length: rawHeaders.length / 2 },
    (_, at) => [rawHeaders[2 * at] ?? "", rawHeaders[2 * at + 1] ?? ""] as const,
  );
  const body = Readable.from([bytes], { objectMode: false });
  const headers = headersFromRack(pairs, !isWhole);
  return {
    kind: "answer",
    status: statusCode,
    statusText: statusMessage,
    headers,
    body,
    discard: () => body.destroy(),
  };
}
