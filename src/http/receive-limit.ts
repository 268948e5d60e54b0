/**
 * The whole of a call must have arrived in time, whoever sends it byte by byte. Archives on their way to a rack have times of their own
 * (docs/spec/deploy.md R-PROXY-8).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { proxyPlace } from "./deploy/proxy-exchange.ts";

const RECEIVE_MS = 30_000;

export function limitReceiving(server: FastifyInstance): void {
  server.addHook("onRequest", (request, reply, done) => {
    if (isLimited(request)) limit(server, request, reply);
    done();
  });
}

function isLimited({ raw, originalUrl }: FastifyRequest): boolean {
  const { "content-length": length = "0", "transfer-encoding": encoding } = raw.headers;
  return (length !== "0" || encoding !== undefined) && proxyPlace(originalUrl) === null;
}

function limit({ server }: FastifyInstance, { raw }: FastifyRequest, reply: FastifyReply): void {
  const timer = setTimeout(() => {
    const error = Object.assign(new Error("the call took too long to arrive"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
    if (!raw.complete) server.emit("clientError", error, raw.socket);
  }, RECEIVE_MS);
  const clear = (): void => {
    clearTimeout(timer);
  };
  raw.once("end", clear).once("close", clear);
  // Whoever was answered before is not waited for.
  reply.raw.once("finish", clear);
}
