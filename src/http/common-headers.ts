/** What every answer carries, and the first question every call must pass: is it meant for this server? */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { problem } from "./problem.ts";
import { Refused } from "./refused.ts";
import type { ServerOptions } from "./server-options.ts";

const WRONG_HOST = problem("host_not_allowed", "In development mode the server answers only as localhost or 127.0.0.1");

export function setCommonHeaders(server: FastifyInstance, options: ServerOptions): void {
  server.addHook("onRequest", async (request, reply) => {
    reply.header("X-Request-Id", request.id);
    reply.header("Cache-Control", "no-store");
    if (options.development) {
      reply.header("X-Countersign-Mode", "development");
      // Another site's name that leads here would let its pages read what unsigned tokens open.
      if (!isLoopbackHost(request)) throw new Refused(WRONG_HOST);
    }
    await Promise.resolve();
  });
}

function isLoopbackHost(request: FastifyRequest): boolean {
  const name = (request.headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
