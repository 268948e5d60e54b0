/** Sends a client its 101, once the rack has sent its own; null when the client is gone. Implements docs/spec/deploy.md R-WS-1. */
import { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import type { ClientUpgrade } from "../../ports/rack.ts";
import { FramedConnection } from "./framed-connection.ts";
import { clientHandshakeWithin, type SocketTimes } from "./rack-settings.ts";
import { SocketHop, wireOptions } from "./socket-hop.ts";

interface Acceptance {
  /** The rack's choice. */
  readonly protocol: string;
  readonly headers: readonly HeaderPair[];
  readonly times: SocketTimes;
}

export function acceptClient(
  upgrade: ClientUpgrade,
  { protocol, headers, times }: Acceptance,
): Promise<SocketHop | null> {
  const { request, connection, head } = upgrade;
  if (!(request instanceof IncomingMessage) || !(connection instanceof Duplex)) {
    throw new Error("an upgrade without a request or a connection (this is a bug)");
  }
  const server = new WebSocketServer({
    ...wireOptions(clientHandshakeWithin(times)),
    noServer: true,
    clientTracking: false,
    handleProtocols: () => (protocol === "" ? false : protocol),
  });
  server.on("headers", (lines) => {
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  });
  return new Promise((resolve) => {
    // A handshake that `ws` refuses is answered by it with 400, and ends the connection.
    const lose = (): void => {
      resolve(null);
    };
    connection.once("close", lose);
    if (connection.destroyed) {
      lose();
      return;
    }
    const framed = new FramedConnection(connection, { answersFirst: false });
    framed.receive(Buffer.from(head));
    server.handleUpgrade(request, framed, Buffer.alloc(0), (socket) => {
      connection.off("close", lose);
      resolve(new SocketHop(socket, framed));
    });
  });
}
