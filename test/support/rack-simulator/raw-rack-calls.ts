/** Calls to the simulated rack as its own clients make them, without any client of the product's. */
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { callOver, jsonOf, type Answer, type Call } from "../http-call.ts";
import { openRackSimulator, type RackSimulator, type RackSimulatorOptions } from "./rack-simulator.ts";
import type { RackCall } from "./recorded-call.ts";
import { RawWebSocket } from "./raw-web-socket.ts";

export const FORM = "application/x-www-form-urlencoded";

export const MANIFEST = `services:
  web:
    image: myorg/app:\${TAG}
  worker:
    build: ./worker
`;

const AT = new Date("2026-03-04T05:06:07.890Z");

/** The simulators and sockets of one test, with one app `myapp` that runs `MANIFEST`; `end` closes them all. */
export class RackScene {
  readonly #open: (() => Promise<void>)[] = [];

  async start(options: RackSimulatorOptions = {}): Promise<RackSimulator> {
    const simulator = await openRackSimulator({ now: () => AT, ...options });
    this.#open.push(() => simulator.close());
    simulator.addApp({ name: "myapp", manifest: MANIFEST, env: { TAG: "v1" } });
    return simulator;
  }

  async socket(
    simulator: RackSimulator,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawWebSocket> {
    const opened = await RawWebSocket.open(simulator.url, path, { Authorization: basic(simulator), ...headers });
    this.#open.push(() => opened.close());
    return opened;
  }

  async end(): Promise<void> {
    for (const close of this.#open.splice(0).reverse()) await close();
  }
}

export function lastCall({ calls }: RackSimulator): RackCall {
  const last = calls.at(-1);
  if (last === undefined) throw new Error("nothing was called");
  return last;
}

type TarEntry = Parameters<ReturnType<typeof pack>["entry"]>[0];

export function basic({ username, password }: RackSimulator): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export function call(simulator: RackSimulator, { headers, ...rest }: Call): Promise<Answer> {
  return callOver(simulator.url, { ...rest, headers: { Authorization: basic(simulator), ...headers } });
}

export function form(simulator: RackSimulator, path: string, body: string): Promise<Answer> {
  return call(simulator, { method: "POST", path, headers: { "Content-Type": FORM }, body });
}

export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

export function textMember(value: unknown, name: string): string {
  const found = member(value, name);
  if (typeof found !== "string") throw new Error(`no ${name} in ${JSON.stringify(value)}`);
  return found;
}

export async function archive(entries: readonly (readonly [TarEntry, string])[]): Promise<Buffer> {
  const packing = pack();
  for (const [header, content] of entries) packing.entry(header, content);
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

export async function upload(simulator: RackSimulator, body: Buffer, key = "tmp/a.tgz"): Promise<string> {
  const headers = { "Content-Type": "application/octet-stream" };
  const answer = await call(simulator, { method: "POST", path: `/apps/myapp/objects/${key}`, headers, body });
  return textMember(jsonOf(answer), "Url");
}

export async function build(simulator: RackSimulator, fields: Readonly<Record<string, string>>): Promise<string> {
  const answer = await form(simulator, "/apps/myapp/builds", new URLSearchParams(fields).toString());
  return textMember(jsonOf(answer), "id");
}

export async function built(simulator: RackSimulator, id: string): Promise<unknown> {
  return jsonOf(await call(simulator, { method: "GET", path: `/apps/myapp/builds/${id}` }));
}

export async function startProcess(
  simulator: RackSimulator,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const path = "/apps/myapp/services/web/processes";
  return jsonOf(await call(simulator, { method: "POST", path, headers }));
}
