/**
 * The kill harness: SIGKILL for the server and for its database, at random times under
 * load. COUNTERSIGN_KILL_ROUNDS says how often. What was acknowledged is on the disk of a driver that is not killed.
 */
import { randomInt } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { socketDirectoryOf } from "../../src/adapters/embedded-postgres/start-embedded-postgres.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { doubled, missingFrom, readJournal, type Acknowledged } from "../support/kill-journal.ts";
import { clusterProcesses, serverPid } from "../support/postgres-launcher.ts";
import { brokenRules } from "../support/race-end.ts";
import { startServerProcess, verifyDataDirectory, type ServerProcess } from "../support/server-process.ts";

const ROUNDS = Number(process.env["COUNTERSIGN_KILL_ROUNDS"] ?? 50);
/** Load between two kills, in milliseconds. */
const LOAD = { min: 300, max: 1_500 } as const;
const CONCURRENCY = 8;
const VERIFY_EVERY = 10;
const RECOVERY = { timeout: 30_000, interval: 100 } as const;
const ROUND_MAX_MS = 45_000;

let base = "";
let data = "";
let cluster = "";
let server: ServerProcess;
let driver: ChildProcess | undefined;
let pool: Pool | undefined;

beforeEach(async () => {
  base = await mkdtemp("/tmp/countersign-kill-");
  await chmod(base, 0o755);
  data = join(base, "data");
  cluster = join(data, "pg18");
  server = startServerProcess(data, "0");
});

afterEach(async () => {
  driver?.kill("SIGKILL");
  await pool?.end();
  server.kill("SIGKILL");
  await server.exited;
  await expect.poll(() => clusterProcesses(cluster), RECOVERY).toEqual([]);
  await rm(base, { recursive: true, force: true, maxRetries: 20 });
  await rm(socketDirectoryOf(cluster), { recursive: true, force: true });
});

it(
  "engine R-STAGE-2: killed again and again, alone or with its database, it loses nothing acknowledged and doubles nothing",
  async () => {
    const url = await server.url;
    const port = new URL(url).port;
    const database = connect(await server.databaseUrl, { poolSize: 1, statementTimeoutMs: false });
    pool = database;
    const journal = join(base, "journal");
    await writeFile(journal, "");
    const failures = startDriver(url, journal);
    let compared = 0;
    let downMs = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await progress(journal, failures);
      await delay(randomInt(LOAD.min, LOAD.max));
      const killedAt = performance.now();
      if (round % 2 === 0) {
        server.kill("SIGKILL");
        await server.exited;
        server = startServerProcess(data, port);
        await server.url;
      } else {
        process.kill(await serverPid(cluster), "SIGKILL");
      }
      await progress(journal, failures);
      downMs = Math.max(downMs, performance.now() - killedAt);
      const lines = await readJournal(journal);
      await expectKept(database, lines.slice(compared), lines.length);
      compared = lines.length;
      if (round % VERIFY_EVERY === VERIFY_EVERY - 1) await expectSound();
    }
    stopDriver();
    const lines = await readJournal(journal);
    await expectKept(database, lines, lines.length);
    await database.end();
    pool = undefined;
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    await expectSound();
    const flows = lines.filter(({ kind }) => kind === "approved").length;
    expect(flows).toBeGreaterThan(ROUNDS);
    process.stdout.write(
      `${String(ROUNDS)} kills: ${String(lines.length)} answers acknowledged, ${String(flows)} flows approved, longest pause ${downMs.toFixed(0)} ms\n`,
    );
  },
  ROUND_MAX_MS + ROUNDS * ROUND_MAX_MS,
);

/** The driver says on standard error what it cannot explain. */
function startDriver(url: string, journal: string): readonly string[] {
  const failures: string[] = [];
  const script = join(packageRoot(), "test", "support", "kill-driver-process.ts");
  driver = fork(script, [url, journal, String(CONCURRENCY)], {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  driver.stderr?.on("data", (chunk: Buffer) => failures.push(chunk.toString("utf8")));
  return failures;
}

function stopDriver(): void {
  driver?.kill("SIGTERM");
  driver = undefined;
}

/** Flows go on: more of them end well than were under way, so that one of them was whole after this moment. */
async function progress(journal: string, failures: readonly string[]): Promise<void> {
  const approved = async (): Promise<number> => (await readFile(journal, "utf8")).split('"approved"').length;
  const before = await approved();
  await expect
    .poll(async () => (failures.length > 0 ? failures.join("") : (await approved()) > before + CONCURRENCY), RECOVERY)
    .toBe(true);
}

async function expectKept(database: Pool, lines: readonly Acknowledged[], total: number): Promise<void> {
  expect(total).toBeGreaterThan(0);
  expect(await missingFrom(database, lines)).toEqual([]);
  expect(await doubled(database)).toEqual([]);
  expect(await brokenRules(database)).toEqual({});
}

async function expectSound(): Promise<void> {
  const { status, text } = await verifyDataDirectory(data);
  expect(text).toContain("Sound");
  expect(status).toBe(0);
}
