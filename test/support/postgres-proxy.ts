/** A TCP proxy before a test database that can stop passing bytes on, as a network does that loses packets silently. */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

export interface PostgresProxy {
  readonly url: string;
  /** From now on nothing arrives on either side, but every connection stays open. */
  freeze(): void;
  close(): Promise<void>;
}

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const listener = createServer((near) => {
    const far = connectTo(databaseUrl);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.on("data", (chunk) => {
      if (!isFrozen) far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (!isFrozen) near.write(chunk);
    });
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The proxy got no port");
  const { username, password, database } = partsOf(databaseUrl);
  return {
    url: `postgres://${username}${password}@127.0.0.1:${String(address.port)}/${database}`,
    freeze: () => {
      isFrozen = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        listener.close(resolve);
      });
    },
  };
}

function connectTo(databaseUrl: string): Socket {
  const { host, port } = partsOf(databaseUrl);
  return host.startsWith("/") ? connect(`${host}/.s.PGSQL.${String(port)}`) : connect(port, host);
}

function partsOf(
  databaseUrl: string,
): Record<"username" | "password" | "database" | "host", string> & { port: number } {
  const url = new URL(databaseUrl.replace("@/", "@socket/"));
  return {
    username: url.username,
    password: url.password === "" ? "" : `:${url.password}`,
    database: url.pathname.slice(1),
    host: url.searchParams.get("host") ?? url.hostname,
    port: Number(url.port === "" ? (url.searchParams.get("port") ?? 5432) : url.port),
  };
}
