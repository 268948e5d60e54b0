/**
 * The ground of the simulators of other people's services: a real HTTP server with one route after the other, faults that a test switches
 * on, a log of every call, and a list of everything that the real service would have refused. Closing it fails when that list is not
 * empty. Every answer says that it comes from a simulator. Implements docs/spec/deploy.md R-RACKSIM-2.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface SimulatedCall {
  readonly method: string;
  /** Without query, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the template of the route stood for, decoded. */
  readonly parts: readonly string[];
}

export interface SimulatedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `path` is matched whole; groups become `parts`. */
export interface SimulatedRoute {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (call: SimulatedCall) => SimulatedAnswer | Promise<SimulatedAnswer>;
}

/** What goes wrong, and how often; `path` chooses the calls. */
export interface SimulatedFault {
  readonly path: RegExp;
  readonly method?: string;
  /** Absent: until it is taken away. */
  times?: number;
  /**
   * A whole answer in place of the real one, an answer after the change was made and lost, no answer at all, a connection that
   * breaks, or something that happens just before the call.
   */
  readonly fault:
    | { readonly kind: "answer"; readonly answer: SimulatedAnswer }
    | { readonly kind: "lost" }
    | { readonly kind: "silence" }
    | { readonly kind: "reset" }
    | { readonly kind: "before"; readonly run: () => void | Promise<void> };
}

export interface SimulatorOptions {
  readonly name: string;
  /** In front of every path: `/api/v2`. */
  readonly prefix: string;
  readonly routes: readonly SimulatedRoute[];
  /** What the service checks of every call: an answer is its refusal. */
  readonly check: (call: SimulatedCall) => SimulatedAnswer | null | Promise<SimulatedAnswer | null>;
  /** Changes a good answer, for conditional calls and the like. */
  readonly finish?: (call: SimulatedCall, answer: SimulatedAnswer) => SimulatedAnswer;
}

export class SimulatorServer {
  /** Where clients find the API. */
  readonly url: string;
  readonly calls: SimulatedCall[] = [];
  readonly faults: SimulatedFault[] = [];
  /** What the real service would have refused because it was asked wrongly. */
  readonly violations: string[] = [];
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(options: SimulatorOptions): Promise<SimulatorServer> {
    let made: SimulatorServer | null = null;
    const server = createServer((request, response) => {
      made?.serve(request, response, options).catch((error: unknown) => {
        made?.violations.push(`the simulator failed: ${String(error)}`);
        response.destroy();
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    if (!isAddressInfo(address)) throw new Error("not listening");
    made = new SimulatorServer(server, `http://127.0.0.1:${String(address.port)}${options.prefix}`);
    return made;
  }

  /** Method and path with query of every call, for comparing. */
  get log(): readonly string[] {
    return this.calls.map(
      ({ method, path, query }) => `${method} ${path}${query.size === 0 ? "" : `?${query.toString()}`}`,
    );
  }

  fail(fault: SimulatedFault): void {
    this.faults.push(fault);
  }

  /** Stops, and throws when anything was called that the real service would have refused. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
    if (this.violations.length > 0) throw new Error(`refused by the real service: ${this.violations.join("; ")}`);
  }

  private async serve(request: IncomingMessage, response: ServerResponse, options: SimulatorOptions): Promise<void> {
    const call = await readCall(request, options.prefix);
    this.calls.push(call);
    const fault = this.takeFault(call);
    if (fault?.kind === "silence") return;
    if (fault?.kind === "reset") {
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "before") await fault.run();
    const answer = fault?.kind === "answer" ? fault.answer : await this.answerTo(call, options);
    if (fault?.kind === "lost") request.socket.destroy();
    else send(response, answer, options.name);
  }

  private async answerTo(call: SimulatedCall, options: SimulatorOptions): Promise<SimulatedAnswer> {
    const refused = await options.check(call);
    if (refused !== null) return refused;
    const matching = options.routes.filter(({ path }) => path.test(call.path));
    const route = matching.find(({ method }) => method === call.method);
    if (route === undefined) {
      const what = matching.length === 0 ? "unknown route" : "wrong method";
      this.violations.push(`${what}: ${call.method} ${call.path}`);
      return { status: matching.length === 0 ? 404 : 405, body: { message: what } };
    }
    const parts = [...(route.path.exec(call.path) ?? [])].slice(1).map((part) => decodeURIComponent(part));
    const answer = await route.answer({ ...call, parts });
    return options.finish === undefined ? answer : options.finish(call, answer);
  }

  private takeFault(call: SimulatedCall): SimulatedFault["fault"] | null {
    const found = this.faults.find(
      ({ path, method }) => path.test(call.path) && (method === undefined || method === call.method),
    );
    if (found === undefined) return null;
    if (found.times !== undefined) {
      found.times -= 1;
      if (found.times === 0) this.faults.splice(this.faults.indexOf(found), 1);
    }
    return found.fault;
  }
}

/** The parsed object of a body; null when it is none. */
export function jsonBody(call: SimulatedCall): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(call.body);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

async function readCall(request: IncomingMessage, prefix: string): Promise<SimulatedCall> {
  const [whole = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = [value].flat().join(", ");
  return {
    method: request.method ?? "",
    path: whole.startsWith(prefix) ? whole.slice(prefix.length) : `outside ${whole}`,
    query: new URLSearchParams(query),
    headers,
    body: await text(request),
    parts: [],
  };
}

function send(response: ServerResponse, { status, body, headers }: SimulatedAnswer, name: string): void {
  const own = { server: `${name}-simulator`, "x-simulator": `this is a simulator of ${name}`, ...headers };
  if (body === undefined) response.writeHead(status, own).end();
  else if (typeof body === "string") response.writeHead(status, own).end(body);
  else
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...own }).end(JSON.stringify(body));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
