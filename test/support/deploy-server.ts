/** A server with simulated racks behind it, `production` and `staging`, and people who prove factors for acts of the deploy gate. */
import { openConvoxRacks } from "../../src/adapters/convox/convox-racks.ts";
import { manifestReader } from "../../src/adapters/manifest/manifest-reader.ts";
import type { DeployParts } from "../../src/app/deploy/deploy-parts.ts";
import { createDeploySettingsDesk } from "../../src/app/deploy/settings-desk.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import type { EnvironmentSetting } from "../../src/gates/deploy/environment-settings.ts";
import type { RackInfo } from "../../src/ports/rack.ts";
import { openRackSimulator, type RackSimulator } from "./rack-simulator/rack-simulator.ts";
import { signedIn, type BrowserAnswer, type TestBrowser } from "./signed-in.ts";
import { createTestDatabase } from "./test-database.ts";
import { openServer, type TestServer } from "./test-server.ts";

type WriteMethod = "POST" | "PUT" | "DELETE";

export interface DeployServer {
  readonly at: TestServer;
  /** For what listens to the same database as another process would. */
  readonly databaseUrl: string;
  readonly production: RackSimulator;
  readonly staging: RackSimulator;
  readonly admin: TestBrowser;
  close(): Promise<void>;
}

export interface DeployServerOptions {
  readonly environment?: readonly EnvironmentSetting[];
  /** Further parts of the outside: chat, CI, version control. */
  readonly deploy?: Partial<DeployParts>;
}

export async function openDeployServer({
  environment = [],
  deploy = {},
}: DeployServerOptions = {}): Promise<DeployServer> {
  const database = await createTestDatabase();
  const [production, staging] = [await openRackSimulator(), await openRackSimulator({ name: "staging" })];
  for (const simulator of [production, staging]) simulator.addApp({ name: "myapp", manifest: MANIFEST, env: ENV });
  const racks = openConvoxRacks(
    [
      { info: info("production", production.url), ...loginOf(production) },
      { info: info("staging", staging.url), ...loginOf(staging) },
    ],
    { pins: { read: () => Promise.resolve(null), write: (_rack, certificate) => Promise.resolve(certificate) } },
  );
  const clock = (): number => Date.now();
  const settings = createDeploySettingsDesk({
    environment,
    patterns: (pattern) => (manifestReader.expression(pattern) === null ? "it is no RE2 expression" : null),
    clock,
  });
  const at = await openServer(database.url, { application: { deploy: { racks, settings, ...deploy } } });
  const admin = await signedIn(at);
  const close = async (): Promise<void> => {
    await at.close();
    await racks.close();
    await Promise.all([production.close(), staging.close()]);
    await database.drop();
  };
  return { at, databaseUrl: database.url, production, staging, admin, close };
}

const MANIFEST = "services:\n  web:\n    image: registry.example.com/myapp:latest\n";
const ENV = { PORT: "3000", DB_PASSWORD: "hunter2", COLOR: "blue" };

function info(name: string, host: string): RackInfo {
  return { name, alias: name, displayName: name, host, tls: "system", enabled: true };
}

function loginOf({ username, password }: RackSimulator): {
  readonly username: string;
  readonly token: string;
  readonly authoritiesPem: null;
} {
  return { username, token: password, authoritiesPem: null };
}

/** A call of `/api/v1`; a write has the passkey proven for it. */
export async function deployCall(
  browser: TestBrowser,
  method: WriteMethod | "GET",
  path: string,
  body?: unknown,
): Promise<BrowserAnswer> {
  if (method === "GET") return deployGet(browser, path);
  const [act = ""] = path.split("?", 1);
  return browser.call(method, `root:/api/v1${path}`, body, { headers: await browser.proofFor(`${method} ${act}`) });
}

/** The same without any proof. */
export function deployWithout(
  browser: TestBrowser,
  method: WriteMethod,
  path: string,
  body?: unknown,
): Promise<BrowserAnswer> {
  return browser.call(method, `root:/api/v1${path}`, body);
}

export function deployGet(browser: TestBrowser, path: string): Promise<BrowserAnswer> {
  return browser.get(`root:/api/v1${path}`);
}

/** The status and first line of a refusal, or the status alone. */
export function told(answer: BrowserAnswer): string {
  const body: unknown = JSON.parse(answer.body === "" ? "{}" : answer.body);
  const error = isJsonObject(body) ? body["error"] : undefined;
  return `${String(answer.statusCode)} ${typeof error === "string" ? error : ""}`.trim();
}

/** What an answer's list holds; items that are no objects are left out. */
export function itemsOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** A number or a text of an answer, as a path holds it. */
export function pathPart(value: unknown): string {
  return typeof value === "number" || typeof value === "string" ? String(value) : "";
}
