/**
 * The rack proxy: every call of a client to its rack comes through here, is judged, forwarded, and written down (docs/spec/deploy.md section 8).
 */
import { ServerResponse, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { unknownRoute } from "../../gates/deploy/call-refusals.ts";
import type { Mounting } from "../mount-routes.ts";
import { problemOf } from "../send-problem.ts";
import { AccessWatch } from "./access-watch.ts";
import { RackActors } from "./proxy-actors.ts";
import type { ProxyCall } from "./proxy-call.ts";
import { callDirectly } from "./proxy-direct.ts";
import { enter } from "./proxy-entry.ts";
import { ClientGone, ProxyExchange, proxyPlace, type Upgrade } from "./proxy-exchange.ts";
import { callUnderApproval } from "./proxy-gated.ts";
import { ReadRecords } from "./proxy-reads.ts";
import { proxyRefusal, refusalOfError, type ProxyRefusal } from "./proxy-refusal.ts";
import { consoleMethods, rackProxyMethods } from "./proxy-rows.ts";
import { judgeSteps, recordRefusal } from "./proxy-steps.ts";
import { isSystemUpdate, updateSystem } from "./proxy-system.ts";
import { uploadArchive } from "./proxy-upload.ts";
import { carrySocket } from "./socket-proxy.ts";

/** What the router gets: nothing behind the mount is decoded before the gate has looked at it (R-ROUTE-2). */
export function routedUrl(request: Pick<IncomingMessage, "url">): string {
  const url = request.url ?? "/";
  const place = proxyPlace(url);
  return place === null ? url : `${place.mount}/call`;
}

/** One for both mounts: they share what is kept in memory. */
export class RackProxy {
  readonly #mounting: Mounting;
  readonly #actors: RackActors;
  readonly #reads: ReadRecords;
  readonly #watch: AccessWatch;
  /** What the `upgrade` event brought, until its call is looked at. */
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();

  constructor(server: FastifyInstance, mounting: Mounting) {
    const { options } = mounting;
    this.#mounting = mounting;
    this.#actors = new RackActors(options.app.clock);
    this.#watch = new AccessWatch(options);
    this.#reads = new ReadRecords((error) => {
      server.log.warn({ err: error }, "reads of racks could not be written down yet");
    });
    server.server.on("upgrade", (request: IncomingMessage, connection: Duplex, head: Buffer) => {
      this.#onUpgrade(server, request, { connection, head });
    });
    // Leave to send a body is given when the call is in order, and elsewhere at once (R-PROXY-7).
    server.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      if (proxyPlace(request.url ?? "") === null) response.writeContinue();
      server.routing(request, response);
    });
    server.addHook("preClose", () => this.#watch.close());
    server.addHook("onClose", () => this.#reads.close());
  }

  mount(server: FastifyInstance): void {
    const handler = (_: unknown, reply: FastifyReply): FastifyReply => reply;
    const onRequest = async (_: unknown, reply: FastifyReply): Promise<void> => {
      reply.hijack();
      await this.#serve(reply);
    };
    server.route({ method: [...rackProxyMethods], url: "/rack-proxy/*", schema: { hide: true }, onRequest, handler });
    server.route({ method: [...consoleMethods], url: "/convox/*", schema: { hide: true }, onRequest, handler });
  }

  async #serve(reply: FastifyReply): Promise<void> {
    const { options } = this.#mounting;
    const upgrade = this.#upgrades.get(reply.request.raw) ?? null;
    const exchange = new ProxyExchange(reply, { upgrade, acceptedAt: options.app.clock() });
    let call: ProxyCall | null = null;
    try {
      exchange.checkSize();
      const authenticated = await enter(exchange, this.#mounting);
      const judged = await judgeSteps(exchange, authenticated, {
        refusals: this.#mounting.refusals,
        actors: this.#actors,
      });
      if (judged === "probe") {
        exchange.refuse(unknownRoute());
        return;
      }
      call = judged;
      await this.#make(call, upgrade);
    } catch (error) {
      await this.#fail(exchange, call, error);
    }
  }

  #make(call: ProxyCall, upgrade: Upgrade | null): Promise<void> {
    if (upgrade !== null) {
      return carrySocket(call, upgrade, { options: this.#mounting.options, reads: this.#reads, watch: this.#watch });
    }
    if (call.match.route.gated === "object_create") return uploadArchive(call, this.#watch);
    if (isSystemUpdate(call)) return updateSystem(call);
    return call.gated === null ? callDirectly(call, this.#reads) : callUnderApproval(call, this.#reads);
  }

  async #fail(exchange: ProxyExchange, call: ProxyCall | null, error: unknown): Promise<void> {
    if (error instanceof ClientGone || exchange.gone.aborted) return;
    const refusal = refusalOfError(error) ?? this.#bug(exchange, error);
    exchange.refuse(refusal);
    // The steps before have told of theirs.
    if (call === null || !TOLD_STATUSES.has(Math.floor(refusal.status / 100))) return;
    await recordRefusal(this.#mounting.refusals, call.caller, { refusal, about: call.about }).catch(
      (cause: unknown) => {
        exchange.request.log.error({ err: cause }, "a refusal could not be written down");
      },
    );
  }

  #bug(exchange: ProxyExchange, error: unknown): ProxyRefusal {
    if (exchange.response.headersSent) {
      exchange.request.log.warn({ err: error, trace: exchange.id }, "a rack's answer broke off");
      return proxyRefusal(502, "rack_unreachable", "rack is unreachable");
    }
    const { code, message } = problemOf(error, exchange.request);
    return proxyRefusal(500, code, message);
  }

  /** Through the same hooks and checks as every call; what is refused is answered as HTTP. */
  #onUpgrade(server: FastifyInstance, request: IncomingMessage, upgrade: Upgrade): void {
    const { connection } = upgrade;
    connection.on("error", () => connection.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socketOf(connection));
    response.once("finish", () => {
      connection.end();
    });
    const isProxied = proxyPlace(request.url ?? "") !== null;
    const isWebSocket = request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket";
    if (isProxied && isWebSocket) this.#upgrades.set(request, upgrade);
    server.routing(request, response);
  }
}

/** Refusals of the caller are entries; that a rack failed stands in the entry of the call. */
const TOLD_STATUSES: ReadonlySet<number> = new Set([4]);

function socketOf(connection: Duplex): Socket {
  if (connection instanceof Socket) return connection;
  throw new Error("an upgrade on something that is no socket (this is a bug)");
}
