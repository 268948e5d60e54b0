/** Racks as the gate opens them, over simulators; and a bare gate for WebSockets that refuses nobody. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { openConvoxRacks } from "../../src/adapters/convox/convox-racks.ts";
import type { RackSettings, RackSurroundings } from "../../src/adapters/convox/rack-settings.ts";
import { RackFault } from "../../src/gates/deploy/rack-fault.ts";
import { quickCall } from "../../src/gates/deploy/rack-timeouts.ts";
import type {
  JoinOptions,
  PinStore,
  Rack,
  RackAnswer,
  RackCall,
  RackCertificate,
  RackDial,
  SocketEnd,
} from "../../src/ports/rack.ts";
import { RackScene } from "../support/rack-simulator/raw-rack-calls.ts";
import type { RackSimulator, RackSimulatorOptions } from "../support/rack-simulator/rack-simulator.ts";
import { RawWebSocket } from "../support/rack-simulator/raw-web-socket.ts";

export const ACTOR = { name: "token:ci", email: "ana@example.com" };
export const REQUEST_ID = "0b7e5c1e-0000-4000-8000-000000000001";

export interface GateOptions {
  readonly join?: Partial<JoinOptions>;
  readonly dial?: Partial<RackDial>;
}

/** One client carried by the bare gate. */
export interface Carried {
  readonly client: RawWebSocket;
  readonly end: Promise<SocketEnd>;
}

export class ConvoxScene {
  readonly #simulators = new RackScene();
  readonly #open: (() => Promise<void>)[] = [];

  /** A rack simulator with the app `myapp`, at the time that it is. */
  simulator(options: RackSimulatorOptions = {}): Promise<RackSimulator> {
    return this.#simulators.start(options);
  }

  rack(
    { username, password, url }: { readonly username: string; readonly password: string; readonly url: string },
    given: Partial<RackSettings["info"]> & { readonly authoritiesPem?: string } & Partial<RackSurroundings> = {},
  ): Rack {
    const {
      authoritiesPem = null,
      pins = new MemoryPins(),
      certificateChanged,
      now,
      socketTimes = TIMES,
      ...info
    } = given;
    const racks = openConvoxRacks(
      [
        {
          info: { name: "production", alias: "production", displayName: "Production", host: url, ...INFO, ...info },
          ...{ username, token: password, authoritiesPem },
        },
      ],
      {
        pins,
        ...(certificateChanged !== undefined && { certificateChanged }),
        ...(now !== undefined && { now }),
        socketTimes,
      },
    );
    this.#open.push(() => racks.close());
    const rack = racks.find(null);
    if (rack === undefined) throw new Error("no rack");
    return rack;
  }

  /** Opens a socket through a gate that dials first and then joins, as the proxy does. */
  async carry(rack: Rack, path: string, options: GateOptions & Headers = {}): Promise<Carried> {
    const ends: Promise<SocketEnd>[] = [];
    const gate = createServer();
    gate.on("upgrade", (request, connection, head) => {
      void this.#pass({ rack, request, connection, head }, options, ends);
    });
    await once(gate.listen(0, "127.0.0.1"), "listening");
    const address = gate.address();
    if (typeof address !== "object" || address === null) throw new Error("not listening");
    const client = await RawWebSocket.open(`http://127.0.0.1:${String(address.port)}`, path, options.clientHeaders);
    this.#open.push(async () => {
      await client.close();
      await Promise.all(ends);
      gate.close();
    });
    const [end = Promise.reject(new Error(`not carried: ${client.head}`))] = ends;
    return { client, end };
  }

  async end(): Promise<void> {
    for (const close of this.#open.splice(0).reverse()) await close();
    await this.#simulators.end();
  }

  async #pass(
    { rack, request, connection, head }: Upgrade & { readonly rack: Rack },
    { join, dial }: GateOptions,
    ends: Promise<SocketEnd>[],
  ): Promise<void> {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
    const dialled = await rack.dial({
      ...{ path, query, headers: [], actor: ACTOR, requestId: REQUEST_ID, protocols, ...dial },
    });
    if (dialled.kind === "answer") {
      connection.end(`HTTP/1.1 ${String(dialled.status)} No\r\n\r\n`);
      return;
    }
    const options = { lastsMs: 3_600_000, signal: new AbortController().signal, ...join };
    ends.push(dialled.join({ request, connection, head }, options));
  }
}

interface Headers {
  readonly clientHeaders?: Readonly<Record<string, string>>;
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly connection: Duplex;
  readonly head: Buffer;
}

/** The tests' own client leaves hanging up to the gate, which shall not take long over it. */
const TIMES = { pingEvery: 30_000, pongWithin: 90_000, closeWithin: 1_000 };
const INFO = { tls: "system", enabled: true } as const;

/** Pins kept in memory, and what was asked of them. */
export class MemoryPins implements PinStore {
  readonly kept = new Map<string, RackCertificate>();
  writes = 0;

  readonly read = (rack: string): Promise<RackCertificate | null> => Promise.resolve(this.kept.get(rack) ?? null);

  readonly write = (rack: string, certificate: RackCertificate): Promise<RackCertificate> => {
    this.writes += 1;
    const kept = this.kept.get(rack) ?? certificate;
    this.kept.set(rack, kept);
    return Promise.resolve(kept);
  };
}

export function callOf(given: Partial<RackCall> & Pick<RackCall, "method" | "path">): RackCall {
  return {
    ...{ query: "", headers: [], body: null, contentLength: null, actor: ACTOR, requestId: REQUEST_ID },
    ...{ timeouts: quickCall, ...given },
  };
}

export function get(rack: Rack, path: string, given: Partial<RackCall> = {}): Promise<RackAnswer> {
  return rack.call(callOf({ method: "GET", path, ...given }));
}

export async function bodyOf({ body }: RackAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** `rack_timeout sent`, or what was thrown instead. */
export async function faultOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return "no fault";
  } catch (error) {
    if (error instanceof RackFault) return `${error.code} ${error.sent ? "sent" : "not sent"}`;
    throw error;
  }
}
