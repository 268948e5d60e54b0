/** A gateway that lets everything through to a simulated rack, as the gate does for whoever may; what it is told to answer it answers itself. */
import { once } from "node:events";
import { createServer, request as ask, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { RackSimulator } from "./rack-simulator/rack-simulator.ts";
import type { GatewayAnswer, GatewayCall } from "./rack-gateway-process.ts";

const PROXY = "/api/v1/rack-proxy";

export interface RackFront {
  readonly url: string;
  /** In the order in which they came, upgrades as `SOCKET`. */
  readonly calls: readonly GatewayCall[];
  /** Null lets a call through. */
  answers(work: (call: GatewayCall) => GatewayAnswer | null): void;
  close(): Promise<void>;
}

export async function openRackFront(rack: RackSimulator): Promise<RackFront> {
  const { hostname, port } = new URL(rack.url);
  const authorization = `Basic ${Buffer.from(`${rack.username}:${rack.password}`).toString("base64")}`;
  const calls: GatewayCall[] = [];
  let script: (call: GatewayCall) => GatewayAnswer | null = () => null;
  const sockets = new Set<Socket>();
  const behind = (headers: IncomingHttpHeaders): IncomingHttpHeaders => ({ ...headers, authorization });
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    const call = { method, path: url.replace(/^\/api\/v1/, ""), headers, body: "" };
    if (!url.startsWith(PROXY)) {
      void text(request).then((body) => {
        calls.push({ ...call, body });
        const { status = 200, body: answered = "" } = script({ ...call, body }) ?? { status: 404 };
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answered));
      });
      return;
    }
    calls.push(call);
    const own = script(call);
    if (own !== null) {
      request.resume();
      response
        .writeHead(own.status ?? 200, { "content-type": "text/plain", ...own.headers })
        .end(typeof own.body === "string" ? own.body : "");
      return;
    }
    const path = url.slice(PROXY.length);
    const passed = ask({ hostname, port, method, path, headers: behind(headers) }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    const { url = "", headers } = request;
    const call = { method: "SOCKET", path: url.replace(/^\/api\/v1/, ""), headers, body: "" };
    calls.push(call);
    socket.on("error", () => socket.destroy());
    const own = script(call);
    if (own !== null) {
      const lines = Object.entries(own.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(
        `HTTP/1.1 ${String(own.status)} Refused\r\n${lines.join("")}Connection: close\r\n\r\n${String(own.body)}`,
      );
      return;
    }
    const lines = Object.entries(behind(headers)).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const onward = connect(Number(port), hostname, () => {
      onward.write(`GET ${url.slice(PROXY.length)} HTTP/1.1\r\n${lines.join("")}\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    calls,
    answers(work) {
      calls.length = 0;
      script = work;
    },
    async close() {
      const closed = once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
