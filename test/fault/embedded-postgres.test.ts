import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Pool } from "pg";
import {
  socketDirectoryOf,
  startEmbeddedPostgres,
} from "../../src/adapters/embedded-postgres/start-embedded-postgres.ts";
import type { EmbeddedPostgres } from "../../src/adapters/embedded-postgres/start-embedded-postgres.ts";
import { processIdentity } from "../../src/adapters/embedded-postgres/process-identity.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { isUnavailable } from "../../src/adapters/postgres/database-fault.ts";
import { clusterProcesses, launch, parentOf, serverPid } from "../support/postgres-launcher.ts";
import type { LauncherProcess } from "../support/postgres-launcher.ts";

const isRoot = process.getuid?.() === 0;
const END_BOUND = { timeout: 10_000, interval: 20 };

let base = "";
let dataDir = "";
let cluster = "";
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  base = await mkdtemp("/tmp/countersign-embedded-");
  await chmod(base, 0o755);
  dataDir = join(base, "data");
  cluster = join(dataDir, "pg18");
});

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  // Whatever a test did: nothing of the database outlives its server.
  await expect.poll(() => clusterProcesses(cluster), END_BOUND).toEqual([]);
  await rm(base, { recursive: true, force: true, maxRetries: 20 });
  // The next start would have used it again.
  await rm(socketDirectoryOf(cluster), { recursive: true, force: true });
});

async function start(directory = dataDir, lines: string[] = []): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ dataDir: directory, log: (line) => void lines.push(line) });
  cleanups.push(() => embedded.stop());
  return embedded;
}

function launched(directory = dataDir): LauncherProcess {
  const launcher = launch(directory);
  cleanups.push(async () => {
    launcher.kill("SIGKILL");
    await launcher.exited;
  });
  return launcher;
}

async function openedBy(launcher: LauncherProcess): Promise<string> {
  const said = await launcher.opened;
  if (!("connectionString" in said)) throw new Error(`Not opened: ${JSON.stringify(said)}`);
  return said.connectionString;
}

async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const pool = connect(url, { poolSize: 1 });
  try {
    return (await pool.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await pool.end();
  }
}

async function insertUntilDone(pool: Pool, acknowledged: number[], isDone: () => boolean): Promise<number> {
  let refused = 0;
  for (let number = 0; !isDone(); number += 1) {
    try {
      await pool.query("insert into kept values ($1)", [number]);
      acknowledged.push(number);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      refused += 1;
      await delay(5);
    }
  }
  return refused;
}

describe("the embedded database", () => {
  it("is made on the first start, found by the next, and a warm start is quick", async () => {
    const cold = performance.now();
    const first = await start();
    const coldMs = performance.now() - cold;
    await query(first.connectionString, "create table kept (id integer)");
    await query(first.connectionString, "insert into kept values (7)");
    await first.stop();
    const warm = performance.now();
    const second = await start();
    const warmMs = performance.now() - warm;
    expect(await query(second.connectionString, "select id from kept")).toEqual([{ id: 7 }]);
    expect(second.connectionString).toBe(first.connectionString);
    expect(coldMs).toBeLessThan(20_000);
    expect(warmMs).toBeLessThan(2_000);
    process.stdout.write(`cold start ${coldMs.toFixed(0)} ms, warm start ${warmMs.toFixed(0)} ms\n`);
  });

  it("commits durably and listens on no network", async () => {
    const { connectionString } = await start();
    expect(
      await query(
        connectionString,
        "select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'listen_addresses', 'max_connections', 'synchronous_commit') order by name",
      ),
    ).toEqual([
      { name: "fsync", setting: "on" },
      { name: "full_page_writes", setting: "on" },
      { name: "listen_addresses", setting: "" },
      { name: "max_connections", setting: "40" },
      { name: "synchronous_commit", setting: "on" },
    ]);
  });

  it.runIf(isRoot)("lets no other user of the machine in, not even the one the database runs as", async () => {
    const { connectionString } = await start();
    const socket = new URL(connectionString.replace("@/", "@x/")).searchParams.get("host") ?? "";
    const said = await signInAs(65_534, join(socket, ".s.PGSQL.5432"));
    expect(said).toMatch(/Peer authentication failed/);
  });

  it("refuses a second process and names the first one and the directory", async () => {
    const first = launched();
    await openedBy(first);
    const second = await launched().opened;
    expect(second).toEqual({
      refused: `The data directory ${dataDir} is in use by process ${String(first.pid)}: stop that Countersign first, or choose another data directory.`,
    });
  });

  it("is made once when two processes start on an empty directory together", async () => {
    const said = await Promise.all([launched().opened, launched().opened]);
    expect(said.filter((one) => "connectionString" in one)).toHaveLength(1);
    expect(said.filter((one) => "refused" in one)).toHaveLength(1);
  });

  it("ends with its server on SIGTERM", async () => {
    const launcher = launched();
    await openedBy(launcher);
    expect((await clusterProcesses(cluster)).length).toBeGreaterThan(1);
    launcher.kill("SIGTERM");
    expect(await launcher.exited).toBe(0);
    expect(await clusterProcesses(cluster)).toEqual([]);
    expect(await readdir(dataDir)).toEqual(["pg18", "postgres.log"]);
  });

  it("ends with its server on kill -9, keeps what was committed, and opens again", async () => {
    const launcher = launched();
    const url = await openedBy(launcher);
    await query(url, "create table kept (id integer)");
    await query(url, "insert into kept values (1), (2)");
    launcher.kill("SIGKILL");
    await launcher.exited;
    await expect.poll(() => clusterProcesses(cluster), END_BOUND).toEqual([]);
    const again = await start();
    expect(await query(again.connectionString, "select count(*) as count from kept")).toEqual([{ count: 2 }]);
  });

  it("opens again at once after kill -9, without waiting for the old one to be gone", async () => {
    const launcher = launched();
    const url = await openedBy(launcher);
    await query(url, "create table kept (id integer)");
    launcher.kill("SIGKILL");
    await launcher.exited;
    const again = await start();
    expect(await query(again.connectionString, "select count(*) as count from kept")).toEqual([{ count: 0 }]);
  });

  it("is taken back from a database process that lost both its server and its watchdog", async () => {
    const launcher = launched();
    const url = await openedBy(launcher);
    await query(url, "create table kept (id integer)");
    const orphan = await serverPid(cluster);
    // The reader of the pipe, the shell, then the server: what a careless `kill -9` of everything but Postgres leaves.
    const shell = await parentOf(orphan);
    for (const pid of await childrenOf(shell)) if (pid !== orphan) process.kill(pid, "SIGKILL");
    process.kill(shell, "SIGKILL");
    launcher.kill("SIGKILL");
    await launcher.exited;
    expect(await processIdentity(orphan)).toBeDefined();
    const again = await start();
    expect(await processIdentity(orphan)).toBeUndefined();
    expect(await query(again.connectionString, "select count(*) as count from kept")).toEqual([{ count: 0 }]);
  });

  it("comes back by itself when its process is killed under load, and no acknowledged row is lost", async () => {
    const lines: string[] = [];
    const embedded = await start(dataDir, lines);
    await query(embedded.connectionString, "create table kept (id integer primary key)");
    let exits = 0;
    embedded.onExit(() => (exits += 1));
    const pool = connect(embedded.connectionString, { poolSize: 2 });
    const acknowledged: number[] = [];
    let isDone = false;
    const load = insertUntilDone(pool, acknowledged, () => isDone);
    for (let round = 1; round <= 5; round += 1) {
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, END_BOUND).toBeGreaterThan(before + 20);
      process.kill(await serverPid(cluster), "SIGKILL");
      await expect.poll(() => exits, END_BOUND).toBe(round);
      await expect.poll(() => embedded.state(), END_BOUND).toBe("running");
    }
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length, END_BOUND).toBeGreaterThan(before + 20);
    isDone = true;
    expect(await load).toBeGreaterThan(0);
    const stored = (await pool.query<{ id: number }>("select id from kept")).rows.map((row) => row.id);
    await pool.end();
    expect(acknowledged.filter((number) => !stored.includes(number))).toEqual([]);
    expect(lines).toContain("The database process is running again.");
  });

  it("stops for good while it is being restarted", async () => {
    const embedded = await start();
    process.kill(await serverPid(cluster), "SIGKILL");
    await expect.poll(() => embedded.state(), END_BOUND).toBe("restarting");
    await embedded.stop();
    expect(embedded.state()).toBe("stopped");
    await expect.poll(() => clusterProcesses(cluster), END_BOUND).toEqual([]);
  });

  it("is whole or absent whenever the first start is killed", async () => {
    for (const lifeMs of [400, 550, 700, 850, 1_000, 1_150, 1_300]) {
      const launcher = launched();
      await delay(lifeMs);
      launcher.kill("SIGKILL");
      await launcher.exited;
    }
    const embedded = await start();
    expect(await query(embedded.connectionString, "select 1 as works")).toEqual([{ works: 1 }]);
    expect((await readdir(dataDir)).sort()).toEqual(["countersign.lock", "pg18", "postgres.log"]);
  });

  it("is made where an empty directory stands, and never where somebody else's files are", async () => {
    await mkdir(cluster, { recursive: true });
    await (await start()).stop();
    await rm(cluster, { recursive: true });
    await mkdir(cluster);
    await writeFile(join(cluster, "diary.txt"), "mine");
    await expect(start()).rejects.toMatchObject({ code: "embedded_postgres_data" });
    expect(await readFile(join(cluster, "diary.txt"), "utf8")).toBe("mine");
  });

  it("is not blocked by stale files whose process number now belongs to another program", async () => {
    const embedded = await start();
    await embedded.stop();
    const stranger = spawn("sleep", ["600"]);
    cleanups.push(async () => stranger.kill());
    const pid = String(stranger.pid);
    await writeFile(join(cluster, "postmaster.pid"), `${pid}\n${cluster}\n1700000000\n5432\n/tmp\n\n 1 1\nready   \n`);
    await writeFile(join(dataDir, "countersign.lock"), JSON.stringify({ pid: stranger.pid, identity: "long ago" }));
    const again = await start();
    expect(await query(again.connectionString, "select 1 as works")).toEqual([{ works: 1 }]);
    expect(stranger.exitCode).toBeNull();
  });

  it("keeps its log bounded, and what people wrote out of it", async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, "postgres.log"), "old\n".repeat(300_000));
    const { connectionString } = await start();
    await query(connectionString, "create table kept (secret text unique)");
    await query(connectionString, "insert into kept values ('the reason I gave')");
    await expect(query(connectionString, "insert into kept values ('the reason I gave')")).rejects.toThrow(/duplicate/);
    const log = await readFile(join(dataDir, "postgres.log"), "utf8");
    expect(log).toMatch(/duplicate key value violates unique constraint/);
    expect(log).not.toMatch(/old|the reason I gave/);
    expect(await readdir(dataDir)).toContain("postgres.log.1");
  });

  it("refuses a database made by another major version of Postgres, instead of starting empty", async () => {
    await mkdir(join(dataDir, "pg17"), { recursive: true });
    await expect(start()).rejects.toThrow(/holds a database of Postgres 17, but the programs found are version 18/);
  });

  it("names DATABASE_URL when the chosen programs cannot be run", async () => {
    const failed = startEmbeddedPostgres({ dataDir, binDir: "/nonexistent", log: () => undefined });
    await expect(failed).rejects.toMatchObject({ code: "embedded_postgres_missing" });
    await expect(failed).rejects.toThrow(/^PG_BIN_DIR names \/nonexistent.*\n.*DATABASE_URL.*\n.*PG_BIN_DIR/s);
  });
});

describe.runIf(isRoot)("the embedded database of root under a private directory", () => {
  let outside = "";

  beforeEach(async () => {
    await chmod(base, 0o700);
  });

  afterEach(async () => {
    if (outside !== "") await rm(outside, { recursive: true, force: true });
    outside = "";
  });

  async function startPrivate(directory: string): Promise<EmbeddedPostgres> {
    const embedded = await start(directory);
    outside = join(embedded.cluster, "..");
    return embedded;
  }

  it("lies in /var/lib/countersign, with a note, and is found again even after the directory was moved", async () => {
    const embedded = await startPrivate(dataDir);
    expect(embedded.cluster).toMatch(/^\/var\/lib\/countersign\/[0-9a-f]{12}\/pg18$/);
    const note: unknown = JSON.parse(await readFile(join(dataDir, "database-location.json"), "utf8"));
    expect(note).toEqual({ database: outside, data_directory: dataDir });
    await query(embedded.connectionString, "create table kept (id integer)");
    await embedded.stop();
    await rename(dataDir, join(base, "moved"));
    const again = await startPrivate(join(base, "moved"));
    expect(again.cluster).toBe(embedded.cluster);
    expect(await query(again.connectionString, "select count(*) as count from kept")).toEqual([{ count: 0 }]);
  });

  it("is not shared with a copy of its data directory", async () => {
    await (await startPrivate(dataDir)).stop();
    await mkdir(join(base, "copy"));
    const note = await readFile(join(dataDir, "database-location.json"), "utf8");
    await writeFile(join(base, "copy", "database-location.json"), note);
    await expect(start(join(base, "copy"))).rejects.toThrow(
      /is a copy of .* Remove .* to begin with an empty database/,
    );
  });
});

async function childrenOf(parent: number): Promise<readonly number[]> {
  const numbers = (await readdir("/proc")).map(Number).filter((pid) => pid > 0);
  const parents = await Promise.all(numbers.map((pid) => parentOf(pid).catch(() => 0)));
  return numbers.filter((_pid, index) => parents[index] === parent);
}

/** Speaks just enough of the protocol to ask for the superuser's session, as another user of the machine. */
async function signInAs(uid: number, socketPath: string): Promise<string> {
  const program = `
    const body = Buffer.from("\\0\\x03\\0\\0user\\0countersign\\0database\\0countersign\\0\\0", "latin1");
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    const socket = require("node:net").connect(process.argv[1]);
    socket.on("error", (error) => { console.log(error.message); process.exit(); });
    socket.on("data", (chunk) => { console.log(chunk.toString("latin1")); process.exit(); });
    socket.write(Buffer.concat([length, body]));`;
  const child = spawn(process.execPath, ["-e", program, socketPath], { uid, gid: uid, cwd: "/", env: {} });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  await new Promise((resolve) => {
    child.on("close", resolve);
  });
  return said.join("");
}
