/**
 * One client process with keep-alive connections, as the workload asks for. Node's own agent instead of `fetch`: the driver
 * shares the cores with what it measures, and this costs a sixth (docs/benchmarks.md).
 */
import { Agent, request as send } from "node:http";

export interface Call {
  readonly method: "GET" | "POST";
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  /** Null when the answer is not JSON. */
  readonly body: unknown;
}

export interface HttpClient {
  call(call: Call): Promise<Answer>;
  close(): void;
}

const ANSWER_TIMEOUT_MS = 30_000;

export function openHttpClient(baseUrl: string, connections: number): HttpClient {
  const base = new URL(baseUrl);
  if (base.protocol !== "http:") throw new Error("The benchmark speaks http only: measure on the machine itself");
  const prefix = base.pathname.replace(/\/$/, "");
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    call: ({ method, path, token, body, headers }) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const sent = send(
          {
            agent,
            method,
            ...{ host: base.hostname, port: base.port, path: `${prefix}${path}`, timeout: ANSWER_TIMEOUT_MS },
            headers: {
              authorization: `Bearer ${token}`,
              ...headers,
              ...(text === undefined
                ? {}
                : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
            },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => void chunks.push(chunk));
            answer.on("error", reject);
            answer.on("end", () => {
              resolve({ status: answer.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString("utf8")) });
            });
          },
        );
        sent.on("timeout", () => sent.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
        sent.on("error", reject);
        sent.end(text);
      }),
    close: () => {
      agent.destroy();
    },
  };
}

/** What development mode reads: a token that nobody signed. */
export function unsignedToken(name: string, roles: readonly string[] = []): string {
  const claims = { sub: `sub-${name}`, preferred_username: name, name: `Display ${name}`, realm_access: { roles } };
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
