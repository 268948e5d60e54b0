/** A server in this process, on a database and a data directory of its own, for tests that look at its whole life. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { loadConfig } from "../../src/main/config.ts";
import { startServer, type RunningServer, type StartOptions } from "../../src/main/start-server.ts";

export interface ServerPlace {
  readonly databaseUrl: string;
  readonly dataDir: string;
}

export async function temporaryDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "countersign-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export function startTestServer(
  place: ServerPlace,
  change: Partial<StartOptions> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const loaded = loadConfig(environment, {
    "countersign.port": 0,
    "countersign.data_dir": place.dataDir,
    "countersign.database_url": place.databaseUrl,
  });
  return startServer(loaded, {
    development: true,
    demo: true,
    exitOnTamper: false,
    acceptRpIdChange: false,
    fullVerification: false,
    environment: {},
    log: pino({ level: "silent" }),
    say: ignore,
    onTamper: ignore,
    ...change,
  });
}

/** An unsigned token, which only development mode believes. */
export function unsignedToken(name: string, roles: readonly string[] = []): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part({ sub: name, preferred_username: name, realm_access: { roles } })}.`;
}

export interface CallAnswer {
  readonly status: number;
  readonly body: unknown;
}

export async function call(
  url: string,
  as: { readonly name: string; readonly roles?: readonly string[] },
  body?: object,
): Promise<CallAnswer> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${unsignedToken(as.name, as.roles)}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const value: unknown = text === "" ? null : JSON.parse(text);
  return { status: response.status, body: value };
}

function ignore(): void {
  // Nobody reads along.
}
