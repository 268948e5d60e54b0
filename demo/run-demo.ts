/**
 * The demonstration of the deploy gate, in a process beside the server of `npm start`. It first tells its parent the environment
 * that the server needs; once the server answers it plays the story, and ends with its parent.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ConfigFault, loadConfig } from "../src/main/config.ts";
import type { Config } from "../src/main/config-schema.ts";
import { publicUrlOf } from "../src/main/identity-settings.ts";
import { demoPeople } from "./demo-people.ts";
import { playDeploy, type DemoStage } from "./demo-pipeline.ts";
import { openSurroundings, type DemoSurroundings } from "./demo-rack.ts";

/** Whoever has these brings a rack, a repository or a pipeline of their own. */
const OWN = ["RACK_HOST", "RACK_TOKEN", "GITHUB_TOKEN", "GITHUB_APP_ID", "CIRCLECI_TOKEN"];
const POLL_MS = 500;
const say = (line: string): void => {
  console.log(line === "" ? "" : `demo      ${line}`);
};

/** Everything that is written for a while goes with this process, however it ends. */
const temporary = mkdtempSync(join(tmpdir(), "countersign-demo-"));
process.env["TMPDIR"] = temporary;
process.once("exit", () => {
  rmSync(temporary, { recursive: true, force: true });
});

const ending = new AbortController();
process.once("disconnect", () => {
  ending.abort();
  // Simulators and streams would keep it; nothing is left to be written.
  process.exit(0);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    ending.abort();
    process.exit(0);
  });
}

const config = configured();
if (config === null) tellParent({});
else {
  const around = await openSurroundings(say);
  tellParent(around.environment);
  await play(config, around).catch((error: unknown) => {
    say(`the deploy story cannot be told: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/** Null where there is nothing to show: another rack, another database, or nobody wants it. */
function configured(): Config | null {
  const { values } = parseArgs({
    ...{ args: process.argv.slice(2), strict: false, allowPositionals: true, allowNegative: true },
    options: { port: { type: "string", short: "p" }, host: { type: "string" }, data: { type: "string" } },
  });
  const isUnwanted = values["demo"] === false || values["no-demo"] === true || values["help"] === true;
  if (isUnwanted || values["database"] !== undefined || OWN.some((name) => isSet(process.env[name]))) return null;
  const loaded = configuration(values);
  if (loaded === null) return null;
  const { port, database_url: database, racks } = loaded.countersign;
  return port === 0 || database !== "" || racks.length > 0 ? null : loaded;
}

/** As the server reads it; null where it cannot be used, which the server says in its own words. */
function configuration({ port, host, data }: Readonly<Record<string, unknown>>): Config | null {
  try {
    return loadConfig(process.env, {
      "countersign.port": typeof port === "string" ? Number(port) : undefined,
      "countersign.host": typeof host === "string" ? host : undefined,
      "countersign.data_dir": typeof data === "string" ? data : undefined,
    }).config;
  } catch (error) {
    if (error instanceof ConfigFault) return null;
    throw error;
  }
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

function tellParent(environment: Readonly<Record<string, string>>): void {
  process.send?.({ environment });
  if (Object.keys(environment).length === 0) process.exit(0);
}

async function play(loaded: Config, around: DemoSurroundings): Promise<void> {
  const { port, data_dir: data } = loaded.countersign;
  const url = publicUrlOf(loaded, port);
  await serverAt(url);
  const people = await demoPeople({ config: loaded, dataDir: resolve(data), url });
  if (people === null) {
    say("this ledger has an administrator already, so no deploy is played: npm start -- --data ./elsewhere plays one");
    return;
  }
  const stage: DemoStage = { around, people, url, say, signal: ending.signal };
  await listenForReplay(stage);
  await playDeploy(stage);
}

async function serverAt(url: string): Promise<void> {
  while (!ending.signal.aborted) {
    const answer = await fetch(`${url}/v1/awe/health`).catch(() => null);
    if (answer?.ok === true) return;
    await setTimeout(POLL_MS);
  }
}

/** On this machine only, and for no page: browsers say where a call comes from. */
async function listenForReplay(stage: DemoStage): Promise<void> {
  const server = createServer(({ method, url, headers }, response) => {
    const isPage = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
    if (method !== "POST" || url !== "/replay" || isPage) {
      response.writeHead(404).end("not found\n");
      return;
    }
    response.end("another change is pushed\n");
    playDeploy(stage).catch((error: unknown) => {
      say(`the deploy failed: ${String(error)}`);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    say(`to play it again: curl -X POST http://127.0.0.1:${String(address.port)}/replay`);
  }
}
