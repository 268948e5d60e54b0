/** The command `rack-gateway` in a process of its own, and a gateway that answers as a test says, for texts and exit statuses. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { packageRoot } from "../../src/main/package-root.ts";
import { program } from "./program.ts";

export interface RackGatewayRun {
  /** The exit status, or the signal's name. */
  readonly status: number | string;
  readonly out: string;
  readonly err: string;
}

export interface RackGatewayCall {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Nothing is there to be read unless it is given. */
  readonly input?: string;
  readonly program?: "rack-gateway" | "countersign";
  /** Sent once the text was printed, on either stream. */
  readonly signal?: { readonly after: string; readonly name: NodeJS.Signals };
}

/** Only what is given stands in its environment. */
export async function rackGateway(args: readonly string[], call: RackGatewayCall = {}): Promise<RackGatewayRun> {
  const child = spawn(process.execPath, [...program(call.program ?? "rack-gateway"), ...args], {
    cwd: call.cwd ?? packageRoot(),
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...call.env },
    stdio: [call.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (child.stdout === null || child.stderr === null) throw new Error("The process has no output");
  child.stdin?.end(call.input);
  const { signal } = call;
  let printed = "";
  const look = (chunk: Buffer): void => {
    printed += chunk.toString("utf8");
    if (signal !== undefined && printed.includes(signal.after)) child.kill(signal.name);
  };
  child.stdout.on("data", look);
  child.stderr.on("data", look);
  const status = new Promise<number | string>((resolve) => {
    child.once("close", (code, name) => {
      resolve(code ?? name ?? "unknown");
    });
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, out, err };
}

export interface GatewayCall {
  readonly method: string;
  /** Below `/api/v1`, with its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface GatewayAnswer {
  readonly status?: number;
  /** Text as it is, everything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before it answers. */
  readonly after?: number;
  /** The connection is cut instead. */
  readonly cut?: true;
}

export interface ScriptedGateway {
  readonly url: string;
  readonly calls: readonly GatewayCall[];
  /** Answers everything from now on, and forgets the calls so far. */
  answers(work: (call: GatewayCall) => GatewayAnswer): void;
  close(): Promise<void>;
}

/** At a port that is free, unless one is named. */
export async function openScriptedGateway(port = 0): Promise<ScriptedGateway> {
  const calls: GatewayCall[] = [];
  let script: (call: GatewayCall) => GatewayAnswer = () => ({ status: 404, body: { error: "not found" } });
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      const call = { method, path: url.replace(/^\/api\/v1/, ""), headers, body };
      calls.push(call);
      answer(response, script(call));
    });
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
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
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  response: ServerResponse,
  { status = 200, body = "", headers = {}, after = 0, cut }: GatewayAnswer,
): void {
  setTimeout(() => {
    if (cut === true) {
      response.destroy();
      return;
    }
    const isText = typeof body === "string";
    response.writeHead(status, { "content-type": isText ? "text/plain" : "application/json", ...headers });
    response.end(isText ? body : JSON.stringify(body));
  }, after);
}
