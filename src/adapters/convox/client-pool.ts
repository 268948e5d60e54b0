/**
 * The keep-alive connections to one rack: at most 256, at most 64 of them idle, each idle for at most 55 seconds; and whether one was
 * used before, which decides whether a failed read is repeated. Implements docs/spec/deploy.md R-PROXY-9.
 */
import { Client } from "undici";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackConnector } from "./rack-connector.ts";

const CONNECTIONS_MAX = 256;
const IDLE_MAX = 64;
const KEEP_ALIVE_MS = 55_000;
const HEADER_BYTES_MAX = 65_536;
/** For a connection that another call gives back. */
const WAIT_MS = 5_000;

/** One connection, or the place for one; whoever took it gives it back. */
export interface PooledClient {
  readonly client: Client;
  /** Calls that its present connection has carried. */
  served: number;
  isConnected: boolean;
}

export class ClientPool {
  readonly #origin: string;
  readonly #connector: RackConnector;
  readonly #idle: PooledClient[] = [];
  readonly #waiting: ((pooled: PooledClient) => void)[] = [];
  readonly #all = new Set<PooledClient>();

  constructor(origin: string, connector: RackConnector) {
    this.#origin = origin;
    this.#connector = connector;
  }

  /** Connections that there are, and how many of them do nothing. */
  get size(): { readonly connections: number; readonly idle: number } {
    return { connections: this.#all.size, idle: this.#idle.length };
  }

  /** The one that was used last, since it is the least likely to be closed; `fresh` takes none that was used. */
  async take(fresh: boolean): Promise<PooledClient> {
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.size >= CONNECTIONS_MAX) {
      const unused = this.#idle.shift();
      if (unused === undefined) return this.#wait();
      this.#drop(unused);
    }
    return this.#open();
  }

  giveBack(pooled: PooledClient): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next(pooled);
    else if (this.#idle.length < IDLE_MAX && pooled.isConnected) this.#idle.push(pooled);
    else this.#drop(pooled);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.destroy()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  #wait(): Promise<PooledClient> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(receive), 1);
        reject(new RackFault("rack_timeout", false, "no connection was free in time"));
      }, WAIT_MS);
      const receive = (pooled: PooledClient): void => {
        clearTimeout(timer);
        resolve(pooled);
      };
      this.#waiting.push(receive);
    });
  }

  #open(): PooledClient {
    const client = new Client(this.#origin, {
      connect: (_options, callback) => {
        this.#connector.open().then(
          (socket) => {
            callback(null, socket);
          },
          (error: unknown) => {
            callback(error instanceof Error ? error : new Error("no connection", { cause: error }), null);
          },
        );
      },
      ...{ pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS },
      ...{ maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: 0, allowH2: false },
    });
    const pooled: PooledClient = { client, served: 0, isConnected: false };
    client.on("connect", () => {
      pooled.served = 0;
      pooled.isConnected = true;
    });
    client.on("disconnect", () => {
      pooled.isConnected = false;
      const at = this.#idle.indexOf(pooled);
      if (at >= 0) this.#idle.splice(at, 1);
      if (at >= 0) this.#drop(pooled);
    });
    this.#all.add(pooled);
    return pooled;
  }

  #drop(pooled: PooledClient): void {
    this.#all.delete(pooled);
    void pooled.client.destroy();
  }
}
