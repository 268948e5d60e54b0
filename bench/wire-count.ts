/**
 * How many statements and round trips does the work really cost? Counted where nothing can be forgotten: between the program
 * and Postgres, in the bytes of the protocol (PostgreSQL documentation, chapter "Message Formats").
 */
import { rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";

export interface WireCount {
  /** BEGIN and COMMIT are statements here too. */
  readonly statements: number;
  /** Times that the program sent something while no answer was outstanding, and so had to wait for one. */
  readonly roundTrips: number;
}

export interface CountingProxy {
  /** Leads to the database through the counter. */
  readonly url: string;
  count(): WireCount;
  close(): Promise<void>;
}

const PORT = 5432;
const LENGTH_BYTES = 4;
const EXECUTE = "E";
const QUERY = "Q";
const SYNC = "S";
const READY = "Z";

/** `socketDirectory` is where the counter makes its own socket; the path of a socket has at most 107 bytes. */
export async function startCountingProxy(databaseUrl: string, socketDirectory: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl.replace("@/", "@socket/")).searchParams.get("host");
  if (target === null) throw new Error("Counting needs a database on a Unix socket");
  const path = join(socketDirectory, `.s.PGSQL.${PORT}`);
  const sockets = new Set<Socket>();
  let statements = 0;
  let roundTrips = 0;
  const listener = createServer((near) => {
    const far = createConnection(join(target, `.s.PGSQL.${PORT}`));
    let outstanding = 0;
    const sent = messages(true, (type) => {
      if (type === EXECUTE || type === QUERY) statements += 1;
      if (type !== QUERY && type !== SYNC) return;
      if (outstanding === 0) roundTrips += 1;
      outstanding += 1;
    });
    const received = messages(false, (type) => {
      if (type === READY) outstanding = Math.max(0, outstanding - 1);
    });
    pass(near, far, sent);
    pass(far, near, received);
    for (const socket of [near, far]) sockets.add(socket);
  });
  await new Promise<void>((resolve) => {
    listener.listen(path, resolve);
  });
  return {
    url: databaseUrl.replace(encodeURIComponent(target), encodeURIComponent(socketDirectory)),
    count: () => ({ statements, roundTrips }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        listener.close(resolve);
      });
      rmSync(path, { force: true });
    },
  };
}

function pass(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
  from.on("data", (chunk: Buffer) => {
    look(chunk);
    to.write(chunk);
  });
  from.on("error", () => from.destroy());
  from.on("close", () => to.destroy());
}

/** Splits a stream into messages: a type, four bytes of length, a body. Only the start-up message has no type. */
function messages(startsUp: boolean, seen: (type: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isFirst = startsUp;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const typeBytes = isFirst ? 0 : 1;
      if (rest.length < typeBytes + LENGTH_BYTES) return;
      const end = typeBytes + rest.readUInt32BE(typeBytes);
      if (rest.length < end) return;
      if (!isFirst) seen(rest.toString("latin1", 0, 1));
      isFirst = false;
      rest = rest.subarray(end);
    }
  };
}
