/**
 * Who may do what has changed, says the database, in whichever process it happened. Implements docs/spec/identity.md R-TOK-6 and
 * R-TOK-9: what is kept in memory about credentials ends within a second everywhere. Tables of access notify by trigger.
 */
import { Client, type ClientConfig } from "pg";
import { clientConfig, endClient } from "./connect.ts";

export interface AccessChanges {
  /** Calls the listener after every change, and whenever a change may have gone unheard. */
  subscribe(listener: () => void): () => void;
  /** Resolves once it listens for the first time, or was closed before. */
  readonly listening: Promise<void>;
  close(): Promise<void>;
}

export interface AccessChangesOptions {
  readonly onError: (error: unknown) => void;
}

/** Tables tell on these by trigger: of who may do what, of effects to be done, of the deploy gate's settings. */
export type Channel = "countersign_access" | "countersign_effects";

export interface AccessChangesOptions {
  readonly onError: (error: unknown) => void;
  /** `countersign_access` unless said otherwise. */
  readonly channel?: Channel;
}

const RECONNECT_MS = 100;
const RECONNECT_MS_MAX = 2_000;
/** A connection that the network lost without a word is noticed by then, and the time that a statement may take. */
const HEARTBEAT_MS = 2_000;

/** A connection of its own: nothing else waits on it, and it waits on nothing else. */
export function watchAccessChanges(
  connectionString: string,
  { onError, channel = "countersign_access" }: AccessChangesOptions,
): AccessChanges {
  const config = clientConfig(connectionString, { applicationName: channel.replace("_", "-") });
  const connection = new ListeningConnection({ ...config, pipeline: false }, { onError, channel });
  connection.open();
  return connection;
}

class ListeningConnection implements AccessChanges {
  readonly listening: Promise<void>;
  readonly #config: ClientConfig;
  readonly #channel: Channel;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<() => void>();
  #tellListening: () => void = () => undefined;
  #current: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(
    config: ClientConfig,
    { onError, channel }: { readonly onError: (error: unknown) => void; readonly channel: Channel },
  ) {
    this.#config = config;
    this.#channel = channel;
    this.#onError = onError;
    this.listening = new Promise((resolve) => {
      this.#tellListening = resolve;
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  open(): void {
    const client = new Client(this.#config);
    this.#current = client;
    client.on("error", (error) => {
      this.#lost(client, error);
    });
    client.on("end", () => {
      this.#lost(client, new Error("the connection that listens for changes of access was closed"));
    });
    client.on("notification", () => {
      this.#changed();
    });
    this.#listen(client).catch((error: unknown) => {
      this.#lost(client, error);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#tellListening();
    const client = this.#current;
    this.#current = undefined;
    if (client !== undefined) await endClient(client).catch(() => undefined);
  }

  async #listen(client: Client): Promise<void> {
    await client.connect();
    await client.query(`listen ${this.#channel}`);
    this.#failures = 0;
    // What changed before it listened went unheard.
    this.#changed();
    this.#tellListening();
    this.#later(HEARTBEAT_MS, () => {
      this.#beat(client);
    });
  }

  #beat(client: Client): void {
    client.query("select 1").then(
      () => {
        this.#later(HEARTBEAT_MS, () => {
          this.#beat(client);
        });
      },
      (error: unknown) => {
        this.#lost(client, error);
      },
    );
  }

  /** Until it listens again anything may change unheard. */
  #lost(client: Client, error: unknown): void {
    if (this.#current !== client) return;
    this.#current = undefined;
    client.connection.stream.destroy();
    this.#onError(error);
    this.#changed();
    this.#later(Math.min(RECONNECT_MS * 2 ** this.#failures, RECONNECT_MS_MAX), () => {
      this.open();
    });
    this.#failures += 1;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #later(milliseconds: number, act: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(act, milliseconds);
  }
}
