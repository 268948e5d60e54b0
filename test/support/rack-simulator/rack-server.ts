/** How a call becomes an answer: recorded, befallen by faults, matched, let in, handled (deploy R-RACKSIM-1). */
import { timingSafeEqual, createHash } from "node:crypto";
import { ServerResponse, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { APP_ROUTES } from "./app-routes.ts";
import { emptyAnswer, errorAnswer, messageOf, RackError, unknownRouteAnswer, type RackAnswer } from "./rack-answer.ts";
import { RackBody } from "./rack-body.ts";
import { RackFaults, type CallTroubles } from "./rack-faults.ts";
import { FORM_BYTES_MAX, RackForm } from "./rack-form.ts";
import { RackRouter, type RouteMatch } from "./rack-route.ts";
import { RackSocket } from "./rack-socket.ts";
import { RecordedCall } from "./recorded-call.ts";
import { commonHeaders, reset, sendAnswer } from "./send-answer.ts";
import { SOCKET_ROUTES } from "./socket-routes.ts";
import { SYSTEM_ROUTES } from "./system-routes.ts";
import type { RackTimers } from "./rack-timers.ts";
import type { SimulatedRack } from "./simulated-rack.ts";

const CHALLENGE = { "WWW-Authenticate": 'Basic realm="convox"' };
const FORM_TYPE = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;
const ACTOR_MAX = 256;
/** Controls, and what turns or hides text. */
const UNSAFE_IN_ACTOR = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export class RackServer {
  readonly calls: RecordedCall[] = [];
  readonly faults = new RackFaults();
  readonly #rack: SimulatedRack;
  readonly #timers: RackTimers;
  readonly #router = new RackRouter([...APP_ROUTES, ...SYSTEM_ROUTES, ...SOCKET_ROUTES]);
  /** What is arriving on each connection. */
  readonly #arriving = new WeakMap<Duplex, RackBody>();
  readonly #sockets = newSocketServer(true);
  readonly #muteSockets = newSocketServer(false);

  readonly #callsMax: number;

  constructor(rack: SimulatedRack, { timers, callsMax }: { readonly timers: RackTimers; readonly callsMax: number }) {
    this.#rack = rack;
    this.#timers = timers;
    this.#callsMax = callsMax;
  }

  async handle(request: IncomingMessage, response: ServerResponse, beforeReading: (() => void) | null): Promise<void> {
    const call = this.#record(request, false);
    const troubles = this.faults.take(call.method, call.path);
    if (troubles.resets("request")) {
      reset(request.socket);
      return;
    }
    const bytesPerSecond = troubles.of("slow_reader")?.bytesPerSecond ?? null;
    const body = new RackBody(request, call, { bytesPerSecond, beforeReading });
    this.#arriving.set(request.socket, body);
    const answer = await this.#answer(call, body, troubles);
    await this.#pause(troubles);
    if (troubles.resets("before")) {
      reset(request.socket);
      return;
    }
    call.status = answer.status;
    // A client that was never told to send its body, or that sent half of it, has spoilt the connection.
    const isLast = body.isAwaited || body.wasCut || call.headers["connection"]?.toLowerCase() === "close";
    if (!body.isAwaited) void body.drain();
    await sendAnswer(response, answer, { troubles, timers: this.#timers, isLast });
    if (isLast) request.socket.destroySoon();
  }

  async upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    if (!(duplex instanceof Socket)) throw new Error("an upgrade without a connection (this is a bug)");
    const isSocket = request.headers.upgrade === "websocket";
    const call = this.#record(request, isSocket);
    const troubles = this.faults.take(isSocket ? "SOCKET" : call.method, call.path);
    duplex.on("error", () => duplex.destroy());
    if (troubles.resets("request") || troubles.resets("before")) {
      reset(duplex);
      return;
    }
    const match = this.#router.match(call.method, call.path, isSocket);
    const refusal = refusalOf(match, call, troubles);
    await this.#pause(troubles);
    if (refusal !== null) {
      await this.#refuse(request, duplex, { call, troubles, answer: refusal });
    } else if (typeof match === "object" && !("serve" in match.route)) {
      const body = new RackBody(request, call, { bytesPerSecond: null, beforeReading: null });
      await this.#refuse(request, duplex, { call, troubles, answer: await this.#answer(call, body, troubles) });
    } else if (typeof match === "object") {
      const socket = await this.#shakeHands(request, duplex, { head, isMute: troubles.of("mute") !== null });
      call.status = 101;
      await this.#serve(match, call, new RackSocket(socket, duplex, call, troubles));
    }
  }

  /** The bytes of a client stopped making sense, or stopped. */
  disturbed(error: Error, duplex: Duplex): void {
    const body = this.#arriving.get(duplex);
    if (body?.isOpen === true) {
      body.cut();
    } else if (duplex.writable) {
      const isTooLong = "code" in error && error.code === "HPE_HEADER_OVERFLOW";
      const status = isTooLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
      const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close`;
      duplex.end(`${head}\r\n\r\n${status}`);
    } else {
      duplex.destroy();
    }
  }

  #record(request: IncomingMessage, isSocket: boolean): RecordedCall {
    const isTls = request.socket instanceof TLSSocket;
    const call = new RecordedCall(request, { isSocket, isTls, at: this.#rack.around.now() });
    this.calls.push(call);
    if (this.calls.length > this.#callsMax) this.calls.splice(0, Math.ceil(this.#callsMax / 2));
    return call;
  }

  async #pause(troubles: CallTroubles): Promise<void> {
    const delay = troubles.of("delay");
    if (delay !== null) await this.#timers.wait(delay.milliseconds);
  }

  async #answer(call: RecordedCall, body: RackBody, troubles: CallTroubles): Promise<RackAnswer> {
    const fault = troubles.of("status");
    if (fault !== null) return errorAnswer(new RackError(fault.status, fault.text ?? "simulated fault"), call);
    const match = this.#router.match(call.method, call.path, false);
    if (typeof match === "number") return statusAnswer(match);
    const { route, parameter } = match;
    if (!("answer" in route)) return unknownRouteAnswer();
    try {
      this.#letIn(call);
      const form = await this.#formOf(call, body, route.streams === true);
      return await route.answer({ rack: this.#rack, call, form, body, parameter });
    } catch (error) {
      const answer = errorAnswer(error, call);
      return answer.status === 401 ? { ...answer, headers: { ...CHALLENGE, ...answer.headers } } : answer;
    }
  }

  /**
   * A form that does not come to its end is read as far as no form, and the call goes on: so does a Go server. An upload that
   * says it is a form is eaten as one.
   */
  async #formOf(call: RecordedCall, body: RackBody, streams: boolean): Promise<RackForm> {
    if (streams && !FORM_TYPE.test(call.header("content-type") ?? "")) return new RackForm(call, null);
    if (!["POST", "PUT", "PATCH"].includes(call.method)) {
      void body.drain();
      return new RackForm(call, null);
    }
    try {
      return new RackForm(call, await body.whole(FORM_BYTES_MAX));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return new RackForm(call, null);
    }
  }

  #letIn(call: RecordedCall): void {
    const { password } = this.#rack.around;
    if (password !== "" && !isSame(passwordIn(call.header("authorization")), password)) {
      throw new RackError(401, "invalid authentication");
    }
    call.actor = actorOf(call);
  }

  async #serve(match: RouteMatch, call: RecordedCall, socket: RackSocket): Promise<void> {
    const { route, parameter } = match;
    try {
      this.#letIn(call);
      const form = new RackForm(call, null);
      if ("serve" in route) await route.serve({ rack: this.#rack, call, form, socket, parameter });
    } catch (error) {
      await socket.write(`ERROR: ${messageOf(error)}\n`);
    }
    await socket.finish();
  }

  #shakeHands(
    request: IncomingMessage,
    socket: Socket,
    { head, isMute }: { readonly head: Buffer; readonly isMute: boolean },
  ): Promise<WebSocket> {
    const server = isMute ? this.#muteSockets : this.#sockets;
    return new Promise((resolve) => {
      server.handleUpgrade(request, socket, head, resolve);
    });
  }

  async #refuse(
    request: IncomingMessage,
    socket: Socket,
    { call, troubles, answer }: { call: RecordedCall; troubles: CallTroubles; answer: RackAnswer },
  ): Promise<void> {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    call.status = answer.status;
    await sendAnswer(response, answer, { troubles, timers: this.#timers, isLast: true });
    socket.destroySoon();
  }
}

/** What is answered in place of a 101, null when nothing is in its way. */
function refusalOf(match: RouteMatch | 400 | 404 | 405, call: RecordedCall, troubles: CallTroubles): RackAnswer | null {
  const fault = troubles.of("status");
  if (fault !== null) return errorAnswer(new RackError(fault.status, fault.text ?? "simulated fault"), call);
  if (typeof match === "number") return statusAnswer(match);
  if (!("serve" in match.route) || isOriginOwn(call)) return null;
  const body = Buffer.from("Forbidden\nERROR: websocket: request origin not allowed by Upgrader.CheckOrigin\n");
  return { status: 403, headers: { "Content-Type": "text/plain; charset=utf-8", "Sec-Websocket-Version": "13" }, body };
}

/** A browser's page of another host may not open sockets. */
function isOriginOwn(call: RecordedCall): boolean {
  const origin = call.header("origin");
  if (origin === null) return true;
  const [, host = ""] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(origin) ?? [];
  return host.toLowerCase() === call.header("host")?.toLowerCase();
}

function statusAnswer(status: 400 | 404 | 405): RackAnswer {
  if (status === 405) return emptyAnswer(405);
  if (status === 404) return unknownRouteAnswer();
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: Buffer.from("400 Bad Request") };
}

function passwordIn(authorization: string | null): string {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]*)$/i.exec(authorization ?? "") ?? [];
  const text = Buffer.from(encoded ?? "", "base64").toString("utf8");
  const at = text.indexOf(":");
  return at < 0 ? "" : text.slice(at + 1);
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function actorOf(call: RecordedCall): string {
  const named = ["convox-actor", "x-convox-actor"].map((name) =>
    (call.header(name) ?? "").replaceAll(UNSAFE_IN_ACTOR, "").trim().slice(0, ACTOR_MAX),
  );
  return named.find((name) => name !== "") ?? "rack-password";
}

/** Compresses nothing, prefers no subprotocol, does not mind what bytes a text holds. */
function newSocketServer(autoPong: boolean): WebSocketServer {
  const server = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, skipUTF8Validation: true, maxPayload: 0, autoPong },
    handleProtocols: () => false,
  });
  server.on("headers", (headers) => {
    for (const [name, value] of commonHeaders()) headers.push(`${name}: ${value}`);
  });
  return server;
}
