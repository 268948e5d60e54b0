/** Which route is it? As the router of a rack decides: on the decoded path, uncleaned, the first match in order. */
import { RackError, type RackAnswer } from "./rack-answer.ts";
import type { RackBody } from "./rack-body.ts";
import type { RackForm } from "./rack-form.ts";
import type { RackSocket } from "./rack-socket.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { SimulatedRack } from "./simulated-rack.ts";

export interface RackExchange {
  readonly rack: SimulatedRack;
  readonly call: RecordedCall;
  readonly form: RackForm;
  readonly body: RackBody;
  /** A parameter of the path, decoded. */
  readonly parameter: (name: string) => string;
}

export interface SocketExchange {
  readonly rack: SimulatedRack;
  readonly call: RecordedCall;
  readonly form: RackForm;
  readonly socket: RackSocket;
  readonly parameter: (name: string) => string;
}

interface AnsweredRoute {
  readonly method: string;
  /** `{name}` is one segment, `{name:*}` any rest. */
  readonly path: string;
  /** Whether the body goes to the handler as it arrives, and is no form. */
  readonly streams?: true;
  readonly answer: (exchange: RackExchange) => RackAnswer | Promise<RackAnswer>;
}

interface SocketRoute {
  readonly method: "SOCKET";
  readonly path: string;
  readonly serve: (exchange: SocketExchange) => Promise<void>;
}

export type RackRoute = AnsweredRoute | SocketRoute;

interface Prepared {
  readonly route: RackRoute;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

export interface RouteMatch<R extends RackRoute = RackRoute> {
  readonly route: R;
  readonly parameter: (name: string) => string;
}

export class RackRouter {
  readonly #prepared: readonly Prepared[];

  constructor(routes: readonly RackRoute[]) {
    this.#prepared = routes.map((route) => {
      const names = [...route.path.matchAll(/\{([a-z]+)(?::\*)?\}/g)].map(([, name = ""]) => name);
      const pattern = route.path
        .replaceAll(".", String.raw`\.`)
        .replaceAll(/\{[a-z]+\}/g, "([^/]+)")
        .replaceAll(/\{[a-z]+:\*\}/g, "(.*)");
      return { route, pattern: new RegExp(`^${pattern}$`, "s"), names };
    });
  }

  /** A route, or the status that a router answers by itself. */
  match(method: string, rawPath: string, isSocket: boolean): RouteMatch | 400 | 404 | 405 {
    const path = decoded(rawPath);
    if (path === null) return 400;
    let isKnownPath = false;
    for (const { route, pattern, names } of this.#prepared) {
      const found = pattern.exec(path);
      if (found === null) continue;
      if (route.method === "SOCKET" ? method === "GET" && isSocket : route.method === method) {
        return { route, parameter: (name) => valueOf(found[names.indexOf(name) + 1], name) };
      }
      isKnownPath ||= route.method !== "SOCKET";
    }
    return isKnownPath ? 405 : 404;
  }
}

function valueOf(found: string | undefined, name: string): string {
  if (found === undefined) throw new Error(`no parameter ${name} in this route (this is a bug)`);
  return found;
}

function decoded(rawPath: string): string | null {
  if (!rawPath.startsWith("/") || /%(?![0-9A-Fa-f]{2})/.test(rawPath)) return null;
  if (!rawPath.includes("%")) return rawPath;
  const bytes = rawPath
    .split(/(%[0-9A-Fa-f]{2})/)
    .map((part) => (part.startsWith("%") ? Buffer.from(part.slice(1), "hex") : Buffer.from(part)));
  return Buffer.concat(bytes).toString("utf8");
}

/** As Go reads whole numbers, with Go's complaint. */
export function wholeNumber(text: string | null): number | null {
  if (text === null) return null;
  if (!/^[+-]?\d+$/.test(text))
    throw new RackError(500, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
