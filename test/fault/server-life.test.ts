import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { socketDirectoryOf } from "../../src/adapters/embedded-postgres/start-embedded-postgres.ts";
import { countersign, type CountersignProcess } from "../support/countersign-process.ts";
import { clusterProcesses, serverPid } from "../support/postgres-launcher.ts";
import { call } from "../support/running-server.ts";

const DEVON = { name: "devon" } as const;
const REQUEST = { policy_key: "access.database", artifact_type: "access.grant" } as const;
const END = { timeout: 20_000, interval: 50 };

let base = "";
let data = "";
let cluster = "";
let port = "0";
const running: CountersignProcess[] = [];

beforeEach(async () => {
  base = await mkdtemp("/tmp/countersign-life-");
  await chmod(base, 0o755);
  data = join(base, "data");
  cluster = join(data, "pg18");
  port = "0";
});

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.kill("SIGKILL");
    await server.exited;
  }
  await expect.poll(() => clusterProcesses(cluster), END).toEqual([]);
  await rm(base, { recursive: true, force: true, maxRetries: 20 });
  await rm(socketDirectoryOf(cluster), { recursive: true, force: true });
});

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): CountersignProcess {
  const process = countersign(args, environment);
  running.push(process);
  return process;
}

const dev = (): CountersignProcess => run(["dev", "--port", port, "--data", data]);

async function ask(url: string, artifact: string): Promise<number> {
  return (await call(`${url}/v1/requests`, DEVON, { ...REQUEST, artifact_id: artifact })).status;
}

async function artifacts(url: string): Promise<readonly string[]> {
  const { body } = await call(`${url}/v1/requests?limit=500`, DEVON);
  if (!Array.isArray(body)) throw new Error("no list of requests");
  return body.map((request: unknown) =>
    typeof request === "object" && request !== null && "artifact_id" in request ? String(request.artifact_id) : "",
  );
}

async function verified(...more: readonly string[]): Promise<number | string> {
  return await run(["verify", "--data", data, ...more]).exited;
}

describe("the life of a server", () => {
  it("it says where it is, ends cleanly on SIGTERM with its database, and finds its data again", async () => {
    const first = dev();
    const url = await first.url;
    expect(first.printed()).toMatch(/^console {2}http:\/\/localhost:\d+\/app$/m);
    expect(first.printed()).toContain(`API      ${url}/v1/awe`);
    expect(first.printed()).toContain(`docs     ${url}/v1/awe/docs`);
    expect(first.printed()).toContain(`data     ${data}`);
    expect(await ask(url, "kept")).toBe(201);
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    await expect.poll(() => clusterProcesses(cluster), END).toEqual([]);
    expect(await verified()).toBe(0);

    const second = dev();
    expect(await artifacts(await second.url)).toContain("kept");
    // While it runs, its database is asked instead of started.
    expect(await verified("--full")).toBe(0);
    expect(await run(["verify", "--server", await second.url]).exited).toBe(0);
    second.kill("SIGINT");
    expect(await second.exited).toBe(0);
  });

  it("engine R-STAGE-2: killed under load again and again, it loses nothing it acknowledged and starts again by itself", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const server = dev();
      const url = await server.url;
      expect(await artifacts(url)).toEqual(expect.arrayContaining(acknowledged));
      let isKilled = false;
      const clients = Array.from({ length: 4 }, async (_, client) => {
        for (let count = 0; !isKilled; count += 1) {
          const artifact = `${String(round)}-${String(client)}-${String(count)}`;
          if ((await ask(url, artifact).catch(() => 0)) === 201) acknowledged.push(artifact);
        }
      });
      await expect.poll(() => acknowledged.length, END).toBeGreaterThan(round * 10 + 10);
      server.kill("SIGKILL");
      isKilled = true;
      await Promise.all([server.exited, ...clients]);
    }
    const last = dev();
    const found = await artifacts(await last.url);
    expect(found.filter((artifact) => acknowledged.includes(artifact)).sort()).toEqual(acknowledged.toSorted());
    last.kill("SIGTERM");
    expect(await last.exited).toBe(0);
    expect(await verified("--full")).toBe(0);
  });

  it("when its database dies it answers 503 within 2 s, stays up, and works again by itself", async () => {
    const server = dev();
    const url = await server.url;
    process.kill(await serverPid(cluster), "SIGKILL");
    const started = performance.now();
    const statuses = new Set<number>();
    while (performance.now() - started < 3_000) {
      const asked = performance.now();
      statuses.add(await ask(url, `during-${String(statuses.size)}`));
      expect(performance.now() - asked).toBeLessThan(2_500);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    }
    expect([...statuses].filter((status) => status !== 201 && status !== 503)).toEqual([]);
    await expect.poll(() => ask(url, "afterwards"), END).toBe(201);
  });

  it("a second one on the same data is refused with the number of the first", async () => {
    const first = dev();
    await first.url;
    const second = dev();
    expect(await second.exited).toBe(2);
    expect(second.printed()).toContain(`process ${String(first.pid)}`);
    expect((await fetch(`${await first.url}/healthz`)).status).toBe(200);
  });

  it("a second signal ends it at once, an echo of the first does not", async () => {
    const server = dev();
    await server.url;
    server.kill("SIGINT");
    server.kill("SIGTERM");
    await delay(500);
    server.kill("SIGTERM");
    expect([0, 1]).toContain(await server.exited);
    expect(await verified()).toBe(0);
  });
});

describe("a server that must not start", () => {
  it("identity R-DEV-3: serve refuses the ledger of development mode, and nothing is changed", async () => {
    const server = dev();
    await server.url;
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    const before = await readdir(join(data, "checkpoints"));
    const refused = run(["serve", "--port", "0", "--data", data], { AWE__KEYCLOAK__ISSUER: "https://id.test" });
    expect(await refused.exited).toBe(2);
    expect(refused.printed()).toContain("ledger_is_dev");
    expect(await readdir(join(data, "checkpoints"))).toEqual(before);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    [
      "identity R-SESS-1: for everybody in the clear",
      ["serve"],
      { COUNTERSIGN_PUBLIC_URL: "http://approvals.example.com" },
      "plain_http_refused",
    ],
    ["identity R-DEV-2: in development mode on every address", ["dev", "--host", "0.0.0.0"], {}, "dev_mode_refused"],
    ["identity R-DEV-2: in development mode in production", ["dev"], { NODE_ENV: "production" }, "dev_mode_refused"],
    ["configuration: with a setting that is none", ["dev"], { AWE__SLA__X: "1" }, "AWE__SLA__X"],
    ["with a port that is none", ["dev", "--port", "eighty"], {}, "--port"],
    ["with a flag that is none", ["dev", "--prot", "1"], {}, "--prot"],
  ])("%s: says why, with status 2, and makes no data", async (_name, args, environment, reason) => {
    const refused = run([...args, "--data", data], environment);
    expect(await refused.exited).toBe(2);
    expect(refused.printed()).toContain(reason);
    await expect(readdir(data)).rejects.toThrow("ENOENT");
  });
});
