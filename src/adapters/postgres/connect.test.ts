import { createServer } from "node:net";
import type { Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Pool, QueryResult } from "pg";
import { describeOnEveryPostgres } from "../../../test/support/test-database.ts";
import { startPostgresProxy } from "../../../test/support/postgres-proxy.ts";
import { connect, connectWriter } from "./connect.ts";
import type { ConnectOptions, Writer } from "./connect.ts";
import { DatabaseUnavailable, DatabaseUnusable, isUnavailable } from "./database-fault.ts";

/** "503 within 2 s" leaves this much for the database. */
const ANSWER_BOUND_MS = 2_000;

const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function openPool(url: string, options: ConnectOptions = {}): Pool {
  const pool = connect(url, options);
  opened.push(() => pool.end());
  return pool;
}

function openWriter(url: string): Writer {
  const writer = connectWriter(url);
  opened.push(() => writer.end());
  return writer;
}

async function failure(work: Promise<unknown>): Promise<{ readonly error: unknown; readonly ms: number }> {
  const start = performance.now();
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, ms: performance.now() - start };
}

async function silentServer(): Promise<string> {
  const server: Server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  opened.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  );
  const address = server.address();
  return `postgres://ann@127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}/approvals`;
}

function onlyRow<Row extends object>(result: QueryResult<Row>): Row | undefined {
  return result.rows[0];
}

describeOnEveryPostgres("connections", (database) => {
  it("deliver values without loss: microseconds, exact integers, decimal text, parsed JSON, plain dates", async () => {
    const result = await openPool(database.url).query(
      `select '2026-11-20 10:54:40.257123+02'::timestamptz as instant, '2026-01-02T03:04:05Z'::timestamptz as whole,
              9007199254740991::bigint as exact, 0.10000000000000000001::numeric as decimal,
              '{"a":[1,{"b":null}]}'::jsonb as document, '2026-11-20'::date as day, count(*) as counted,
              array[1, null, 3]::bigint[] as exacts, '{}'::bigint[] as none,
              array['2026-11-20 08:54:40.5+00']::timestamptz[] as instants, array['a,b','{"']::text[] as texts`,
    );
    expect(onlyRow(result)).toEqual({
      instant: "2026-11-20T08:54:40.257123Z",
      whole: "2026-01-02T03:04:05.000000Z",
      exact: Number.MAX_SAFE_INTEGER,
      decimal: "0.10000000000000000001",
      document: { a: [1, { b: null }] },
      day: "2026-11-20",
      counted: 1,
      exacts: [1, null, 3],
      none: [],
      instants: ["2026-11-20T08:54:40.500000Z"],
      texts: ["a,b", '{"'],
    });
  });

  it("deliver no row rather than a wrong number", async () => {
    const pool = openPool(database.url);
    await expect(pool.query("select 9007199254740993::bigint as big")).rejects.toThrow(RangeError);
    await expect(pool.query("select 'infinity'::timestamptz as never")).rejects.toThrow(RangeError);
    expect(onlyRow(await pool.query("select 1 as works"))).toEqual({ works: 1 });
  });

  it("engine R-STAGE-2: give a slow statement up within 2 s and go on", async () => {
    const pool = openPool(database.url, { poolSize: 1 });
    const { error, ms } = await failure(pool.query("select pg_sleep(5)"));
    expect(isUnavailable(error)).toBe(true);
    expect(ms).toBeLessThan(ANSWER_BOUND_MS);
    expect(onlyRow(await pool.query("select 1 as works"))).toEqual({ works: 1 });
  });

  it("engine R-STAGE-2: give waiting for a lock up within 2 s", async () => {
    const holder = await openPool(database.url).connect();
    await holder.query("begin");
    await holder.query("select pg_advisory_xact_lock(42)");
    const { error, ms } = await failure(openPool(database.url).query("select pg_advisory_xact_lock(42)"));
    await holder.query("rollback");
    holder.release();
    expect(isUnavailable(error)).toBe(true);
    expect(ms).toBeLessThan(ANSWER_BOUND_MS);
  });

  it("engine R-STAGE-2: give up within 2 s when the network swallows the answer, and destroy that connection", async () => {
    const proxy = await startPostgresProxy(database.url);
    opened.push(() => proxy.close());
    const pool = openPool(proxy.url, { poolSize: 2 });
    const writer = await openWriter(proxy.url).client();
    await pool.query("select 1");
    proxy.freeze();
    const failures = await Promise.all([failure(pool.query("select 1")), failure(writer.query("select 1"))]);
    expect(failures.map(({ error }) => isUnavailable(error))).toEqual([true, true]);
    expect(Math.max(...failures.map(({ ms }) => ms))).toBeLessThan(ANSWER_BOUND_MS);
    expect(pool.totalCount).toBe(0);
  });

  it("are replaced after the server ended them, without a crash of the process", async () => {
    const broken: Error[] = [];
    const pool = openPool(database.url, {
      applicationName: "victim",
      onConnectionError: (error) => broken.push(error),
    });
    const held = await pool.connect();
    await pool.query("select 1");
    const inFlight = failure(held.query("select pg_sleep(1)"));
    const killer = openPool(database.url);
    await killer.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'");
    expect(isUnavailable((await inFlight).error)).toBe(true);
    held.release(true);
    await expect.poll(() => broken.length).toBe(1);
    expect(onlyRow(await pool.query("select 1 as works"))).toEqual({ works: 1 });
  });

  it("of the writer come back on the next use, and a broken one never does", async () => {
    const writer = openWriter(database.url);
    const first = await writer.client();
    expect(await writer.client()).toBe(first);
    const killed = failure(first.query("select pg_terminate_backend(pg_backend_pid())"));
    expect(isUnavailable((await killed).error)).toBe(true);
    await expect.poll(async () => (await writer.client()) === first).toBe(false);
    expect(isUnavailable((await failure(first.query("select 1"))).error)).toBe(true);
    const next = await writer.client();
    expect(onlyRow(await next.query("select 1 as works"))).toEqual({ works: 1 });
  });

  it("of the writer are pipelined, and a failed transaction cannot commit its rest", async () => {
    const client = await openWriter(database.url).client();
    await client.query("create table pipelined (id integer primary key)");
    const results = await Promise.allSettled([
      client.query("begin"),
      client.query("insert into pipelined values (1)"),
      client.query("insert into pipelined values (1)"),
      client.query("insert into pipelined values (2)"),
      client.query("commit"),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    const commit = results[4];
    // Postgres answers the commit of a failed transaction with ROLLBACK and no error: whoever commits must look.
    expect(commit.status === "fulfilled" ? commit.value.command : undefined).toBe("ROLLBACK");
    expect((await client.query("select id from pipelined")).rows).toEqual([]);
  });

  it("tell what the program did wrong apart from a database that is away", async () => {
    const pool = openPool(database.url);
    for (const statement of ["select 1/0", "selekt", "select missing", "select 'x'::integer"]) {
      expect(isUnavailable((await failure(pool.query(statement))).error)).toBe(false);
    }
    const client = await pool.connect();
    await client.query("begin read only");
    expect(isUnavailable((await failure(client.query("create table t (a integer)"))).error)).toBe(true);
    client.release(true);
  });
});

describe("a database that is away", () => {
  it.each([
    ["nobody listens", "postgres://ann@127.0.0.1:1/approvals"],
    ["there is no socket", "postgres://ann@/approvals?host=%2Ftmp%2Fcountersign-no-such-directory"],
    ["the name is unknown", "postgres://ann@database.invalid/approvals"],
  ])("engine R-STAGE-2: is recognized at once when %s", async (_why, url) => {
    const reading = await failure(openPool(url).query("select 1"));
    const writing = await failure(openWriter(url).client());
    expect(isUnavailable(reading.error)).toBe(true);
    expect(writing.error).toBeInstanceOf(DatabaseUnavailable);
    expect(writing.error).toMatchObject({ code: "database_unavailable", retryable: true });
    expect(Math.max(reading.ms, writing.ms)).toBeLessThan(ANSWER_BOUND_MS);
  });

  it("engine R-STAGE-2: is given up within 2 s when it accepts connections but says nothing", async () => {
    const url = await silentServer();
    const failures = await Promise.all([failure(openPool(url).query("select 1")), failure(openWriter(url).client())]);
    expect(failures.map(({ error }) => isUnavailable(error))).toEqual([true, true]);
    expect(Math.max(...failures.map(({ ms }) => ms))).toBeLessThan(ANSWER_BOUND_MS);
  });

  it.each([
    ["53100", "disk full"],
    ["53200", "out of memory"],
    ["53300", "too many connections"],
    ["58030", "input or output error"],
    ["25006", "read-only"],
    ["57P01", "shutting down"],
    ["57P02", "crashed"],
    ["57P03", "starting"],
    ["08006", "connection failure"],
    ["28P01", "password changed"],
    ["3D000", "database removed"],
  ])("engine R-STAGE-2: is what Postgres means by %s (%s)", (code, text) => {
    expect(isUnavailable(Object.assign(new Error(text), { code }))).toBe(true);
  });

  it.each(["23505", "23503", "40P01", "40001", "42601", "42P01", "22P02", "P0001", "XX000"])(
    "is not what Postgres means by %s",
    (code) => {
      expect(isUnavailable(Object.assign(new Error("a rule was broken"), { code }))).toBe(false);
    },
  );

  it("is not what a missing file is", () => {
    const missingFile = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", syscall: "open" });
    expect(isUnavailable(missingFile)).toBe(false);
    expect(isUnavailable(undefined)).toBe(false);
    expect(isUnavailable(new Error("wrapped", { cause: new Error("Connection terminated unexpectedly") }))).toBe(true);
  });

  it("is told apart from a URL that can never work, before anything connects", () => {
    expect(() => connect("postgres://ann@db/approvals?sslmode=verify-ca")).toThrow(DatabaseUnusable);
    expect(() => connectWriter("postgres://ann@db:port/approvals")).toThrow(DatabaseUnusable);
  });
});
