/**
 * A network between the application and its database that fails when and where a test says. It reads the frames that the
 * client sends, so that it can fail between two statements of one flight.
 */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";

/** Where: the statement's name or text. */
export interface NetworkFault {
  readonly at: string;
  /** Whether the statement still reaches the database; what it answers is lost in any case. */
  readonly delivered: boolean;
  /** `cut` ends the connection, and a new one works; `freeze` lets every connection wait in silence until the repair. */
  readonly how: "cut" | "freeze";
}

export interface FaultyNetwork {
  readonly url: string;
  /** The next time that this statement is sent. */
  arm(fault: NetworkFault): void;
  /** From now on every connection waits in silence until the repair. */
  freeze(): void;
  /** From now on every frame of the client arrives this much later. */
  slow(milliseconds: number): void;
  /** Cuts every connection there is. */
  cutAll(): void;
  /** New connections work again. Frozen ones stay as they are: the database never hears of their end. */
  repair(): void;
  close(): Promise<void>;
}

interface State {
  fault: NetworkFault | null;
  isFrozen: boolean;
  delayMs: number;
  readonly sockets: Set<Socket>;
  /** Lets each connection notice the freeze that it is in. */
  readonly noticing: Set<() => void>;
}

export async function startFaultyNetwork(databaseUrl: string): Promise<FaultyNetwork> {
  const state: State = { fault: null, isFrozen: false, delayMs: 0, sockets: new Set(), noticing: new Set() };
  const { host, port, user, database } = new Client(databaseUrl);
  const reach = (): Socket =>
    host.startsWith("/") ? connect(`${host}/.s.PGSQL.${String(port)}`) : connect(port, host);
  const listener = createServer((near) => {
    join(near, reach(), state);
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The network got no port");
  const cutAll = (): void => {
    for (const socket of state.sockets) socket.destroy();
  };
  return {
    url: `postgres://${user ?? ""}@127.0.0.1:${String(address.port)}/${database ?? ""}`,
    arm: (fault) => {
      state.fault = fault;
    },
    freeze: () => {
      state.isFrozen = true;
    },
    slow: (milliseconds) => {
      state.delayMs = milliseconds;
    },
    cutAll,
    repair: () => {
      for (const notice of state.noticing) notice();
      state.isFrozen = false;
      state.delayMs = 0;
      state.fault = null;
    },
    close: async () => {
      cutAll();
      await new Promise((resolve) => {
        listener.close(resolve);
      });
    },
  };
}

function join(near: Socket, far: Socket, state: State): void {
  const { sockets } = state;
  let hasDied = false;
  /** Once caught in a freeze, a connection never wakes up. */
  const isDead = (): boolean => {
    hasDied ||= state.isFrozen;
    return hasDied;
  };
  let isLost = false;
  isDead();
  state.noticing.add(isDead);
  const frames = new FrameReader();
  const end = (): void => {
    near.destroy();
    far.destroy();
  };
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      state.noticing.delete(isDead);
      if (!isDead()) end();
    });
  }
  let passing: Promise<void> = Promise.resolve();
  const pass = (frame: Buffer): void => {
    if (isDead() || isLost) return;
    const { fault } = state;
    if (fault !== null && namesIn(frame).includes(fault.at)) {
      state.fault = null;
      isLost = true;
      if (fault.delivered) far.write(frame);
      if (fault.how === "freeze") state.isFrozen = true;
      else if (!fault.delivered) end();
      return;
    }
    far.write(frame);
  };
  near.on("data", (chunk) => {
    for (const frame of frames.read(chunk)) {
      const { delayMs } = state;
      if (delayMs === 0) pass(frame);
      else
        passing = passing
          .then(() => delay(delayMs))
          .then(() => {
            pass(frame);
          });
    }
  });
  far.on("data", (chunk) => {
    if (isDead()) return;
    // The answer to what was still delivered is what gets lost.
    if (isLost) end();
    else near.write(chunk);
  });
}

/** Splits what a client sends into frames: the first has no type byte, all others do. */
class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasStarted = false;

  read(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    for (;;) {
      const head = this.#hasStarted ? 1 : 0;
      if (this.#rest.length < head + 4) return frames;
      const length = head + this.#rest.readUInt32BE(head);
      if (this.#rest.length < length) return frames;
      frames.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
      this.#hasStarted = true;
    }
  }
}

/** The statement that a Query, Parse or Bind frame is about. */
function namesIn(frame: Buffer): readonly string[] {
  const type = String.fromCharCode(frame[0] ?? 0);
  if (!["Q", "P", "B"].includes(type)) return [];
  return frame
    .subarray(5)
    .toString("latin1")
    .split("\0")
    .slice(0, type === "B" ? 2 : 1);
}
