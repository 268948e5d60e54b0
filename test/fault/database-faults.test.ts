/**
 * The database fails in every way we know, at every point of a command: nobody waits longer than 2 s, success is only said of
 * what the ledger holds, nothing is half-written, and afterwards everything works without a restart (ledger R-APP-5).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  socketDirectoryOf,
  startEmbeddedPostgres,
} from "../../src/adapters/embedded-postgres/start-embedded-postgres.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import type { Once } from "../../src/app/idempotency.ts";
import type { Request } from "../../src/core/request.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { Unavailable } from "../../src/ports/unavailable.ts";
import { startFaultyNetwork, type FaultyNetwork } from "../support/faulty-network.ts";
import { brokenRules } from "../support/race-end.ts";
import { activate, ask, openRaceWorld, racePolicy, verdictOf, type RaceWorld } from "../support/race-world.ts";
import { describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { as, openServer } from "../support/test-server.ts";
import { verifyDatabase } from "../support/verify-database.ts";

/** What is promised for an answer, and for working again once the database does. */
const ANSWER_MAX_MS = 2_000;
const RECOVERY_MAX_MS = 5_000;
const PEOPLE = ["ann", "ben"] as const;

let world: RaceWorld;
let url = "";

describeOnEveryPostgres("a database behind a network that fails", (database) => {
  let fresh: TestDatabase;
  let network: FaultyNetwork;

  beforeEach(async () => {
    fresh = await database.fresh();
    url = fresh.url;
    network = await startFaultyNetwork(url);
    world = await openRaceWorld(network.url, PEOPLE);
    await activate(world, racePolicy("one", [{ people: ["ann", "ben"] }]));
  });
  afterEach(async () => {
    await world.close();
    await network.close();
  });

  for (const at of ["begin", "lock_head", "load_idempotency", "load_people_by_name", "write_batch", "commit"]) {
    for (const how of ["cut", "freeze"] as const) {
      it(`ledger R-APP-5: ${how} before ${at}: refused in time, nothing written, works again`, async () => {
        network.arm({ at, delivered: false, how });
        await expectRefusal(create("key"));
        expect(await made()).toBe(0);
        network.repair();
        expect(await createAgain("key")).toBe("done");
        await expectWhole(1);
      });
    }
  }

  it("ledger R-APP-5: a commit whose answer is lost is looked up, and success answered because the ledger holds it", async () => {
    network.arm({ at: "commit", delivered: true, how: "cut" });
    const commands = ["a", "b", "c"].map((key) => create(key));
    for (const answer of await Promise.all(commands)) expect(verdictOf(answer)).toBe("done");
    expect(await createAgain("a")).toBe("replayed");
    await expectWhole(3);
  });

  it("ledger R-APP-5: a lost commit answers everybody of its transaction, also whom it failed", async () => {
    network.arm({ at: "commit", delivered: true, how: "cut" });
    const before = create("before");
    const poison = world.sides[0].store.submit({
      name: "throws",
      needs: {},
      carryOut: () => {
        throw new Error("poison");
      },
    });
    const after = create("after");
    await expect(poison).rejects.toThrow("poison");
    for (const answer of await Promise.all([before, after])) expect(verdictOf(answer)).toBe("done");
    await expectWhole(2);
  });

  it("ledger R-APP-5: a commit that nobody can look up is never called a success, and asking again gives its answer", async () => {
    network.arm({ at: "commit", delivered: true, how: "freeze" });
    await expectRefusal(create("key"));
    network.repair();
    expect(await createAgain("key")).toBe("replayed");
    await expectWhole(1);
  });

  it("ledger R-APP-5: a database that answers too slowly is unavailable, and no queue builds up behind it", async () => {
    network.slow(250);
    await Promise.all(Array.from({ length: 100 }, (_, index) => expectRefusal(create(`slow ${String(index)}`))));
    network.repair();
    expect(await createAgain("key")).toBe("done");
    expect(await verifyDatabase(url)).toEqual([]);
  });

  it("ledger R-APP-5: connections that break again and again lose nothing and double nothing", async () => {
    const keys = Array.from({ length: 400 }, (_, index) => `key ${String(index)}`);
    const queue = keys.entries();
    const cuts: Promise<void>[] = [];
    const worker = async (): Promise<void> => {
      for (const [index, key] of queue) {
        await untilAnswered(key);
        // A little later each time, so that the cuts meet transactions at every stage.
        if (index % 8 === 0) cuts.push(delay(index % 13).then(() => network.cutAll()));
      }
    };
    await Promise.all(Array.from({ length: 24 }, worker));
    await Promise.all(cuts);
    await expectWhole(keys.length);
  });
});

describeOnEveryPostgres("a database that refuses to write", (database) => {
  let admin: Client;

  beforeEach(async () => {
    url = (await database.fresh()).url;
    world = await openRaceWorld(url, PEOPLE);
    await activate(world, racePolicy("one", [{ people: ["ann", "ben"] }]));
    admin = new Client(url);
    await admin.connect();
  });
  afterEach(async () => {
    await admin.end();
    await world.close();
  });

  it("ledger R-APP-5: while somebody holds the head for a minute every command is refused, and reading goes on", async () => {
    await admin.query("begin");
    await admin.query("select from ledger_head for update");
    await Promise.all(["a", "b", "c"].map((key) => expectRefusal(create(key))));
    expect(await world.sides[0].app.reader.position()).toBeGreaterThan(0);
    await admin.query("rollback");
    expect(await createAgain("a")).toBe("done");
    await expectWhole(1);
  });

  for (const [when, definition] of [
    ["when rows are written", "trigger full_disk before insert on ledger_entries"],
    [
      "when the transaction commits",
      "constraint trigger full_disk after insert on ledger_entries deferrable initially deferred",
    ],
  ] as const) {
    it(`ledger R-APP-5: a full disk ${when} is a refusal, and works again when there is room`, async () => {
      await failWith("53100", "could not extend file: No space left on device");
      await admin.query(`create ${definition} for each row execute function fail()`);
      await Promise.all(["a", "b", "c"].map((key) => expectRefusal(create(key))));
      expect(await world.sides[0].app.reader.position()).toBeGreaterThan(0);
      expect(await made()).toBe(0);
      await admin.query("drop trigger full_disk on ledger_entries");
      expect(await createAgain("a")).toBe("done");
      await expectWhole(1);
    });
  }

  it("ledger R-APP-5: a database that became read-only refuses, and the next primary is found without a restart", async () => {
    const { database: name = "" } = admin;
    await admin.query(`alter database ${name} set default_transaction_read_only = on`);
    await cutWriters();
    await expectRefusal(create("key"));
    await admin.query("set default_transaction_read_only = off");
    await admin.query(`alter database ${name} reset default_transaction_read_only`);
    expect(await createAgain("key")).toBe("done");
    await expectWhole(1);
  });

  it("ledger R-APP-5: conflicts with a foreign transaction are tried again, and refused after three times", async () => {
    await failWith("40001", "could not serialize access");
    await admin.query("create sequence attempts");
    await admin.query(
      `create trigger conflict before insert on requests for each row when (nextval('attempts') % 4 <> 3) execute function fail()`,
    );
    expect(verdictOf(await create("third attempt"))).toBe("done");
    await admin.query("drop trigger conflict on requests");
    await admin.query("create trigger conflict before insert on requests for each row execute function fail()");
    await expectRefusal(create("never"));
    await admin.query("drop trigger conflict on requests");
    await expectWhole(1);
  });

  it("ledger R-APP-5: an entry that cannot be written leaves no row, at whichever table it fails", async () => {
    await failWith("XX001", "invalid page in block");
    for (const table of [
      "ledger_entries",
      "ledger_openings",
      "requests",
      "stage_runs",
      "seats",
      "tasks",
      "events",
      "ledger_head",
    ]) {
      await admin.query(
        `create trigger broken before insert or update on ${table} for each row execute function fail()`,
      );
      await expect(create("key")).rejects.toThrow("invalid page");
      await admin.query(`drop trigger broken on ${table}`);
      expect(await made()).toBe(0);
      expect(await verifyDatabase(url)).toEqual([]);
    }
    expect(await createAgain("key")).toBe("done");
    await expectWhole(1);
  });

  async function failWith(state: string, message: string): Promise<void> {
    await admin.query(
      `create function fail() returns trigger language plpgsql as $$ begin
         raise exception '${message}' using errcode = '${state}'; end $$`,
    );
  }

  async function cutWriters(): Promise<void> {
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign-writer'",
    );
  }
});

describeOnEveryPostgres("a server without its database", (database) => {
  it.each([
    ["is silent", (network: FaultyNetwork) => network.freeze()],
    ["takes seconds", (network: FaultyNetwork) => network.slow(3_000)],
  ])(
    "ledger R-APP-5: while it %s, every call is answered 503 in time, and everything works again without a restart",
    async (_how, fail) => {
      const fresh = await database.fresh();
      const network = await startFaultyNetwork(fresh.url);
      const at = await openServer(network.url);
      const call = async (method: "GET" | "POST", path: string, payload?: object): Promise<number> => {
        const headers = as("root", ["AWE_ADMIN"]);
        const started = performance.now();
        const answer = await at.server.inject({
          method,
          url: path,
          headers,
          ...(payload !== undefined && { payload }),
        });
        expect(performance.now() - started).toBeLessThan(ANSWER_MAX_MS);
        return answer.statusCode;
      };
      const create = (): Promise<number> =>
        call("POST", "/v1/requests", { policy_key: "one", artifact_type: "payout", artifact_id: "p-1" });
      expect(await call("POST", "/v1/policies", racePolicy("one", [{ people: ["ann"] }]))).toBe(201);
      expect(await call("POST", "/v1/policies/one/versions/1/activate", {})).toBe(200);
      expect(await create()).toBe(201);
      fail(network);
      for (let round = 0; round < 2; round += 1) {
        expect(await Promise.all([create(), call("GET", "/v1/requests"), create(), call("GET", "/v1/tasks")])).toEqual([
          503, 503, 503, 503,
        ]);
        expect(await call("GET", "/healthz")).toBe(200);
      }
      network.repair();
      await expect.poll(create, { timeout: RECOVERY_MAX_MS, interval: 50 }).toBe(201);
      expect(await call("GET", "/v1/requests")).toBe(200);
      expect(await verifyDatabase(fresh.url)).toEqual([]);
      await at.close();
      await network.close();
    },
  );
});

describe("a database that is stopped", () => {
  it("ledger R-APP-5: everybody is refused in time while it is down, and served without a restart when it is back", async () => {
    const base = await mkdtemp("/tmp/countersign-down-");
    const dataDir = join(base, "data");
    const start = (): ReturnType<typeof startEmbeddedPostgres> =>
      startEmbeddedPostgres({ dataDir, log: () => undefined });
    let embedded = await start();
    url = embedded.connectionString;
    await migrate(url, { directory: join(packageRoot(), "db", "migrations") });
    world = await openRaceWorld(url, PEOPLE);
    await activate(world, racePolicy("one", [{ people: ["ann", "ben"] }]));
    expect(verdictOf(await create("before"))).toBe("done");

    await embedded.stop();
    await Promise.all(Array.from({ length: 200 }, (_, index) => expectRefusal(create(`down ${String(index)}`))));

    embedded = await start();
    expect(await createAgain("after")).toBe("done");
    await expectWhole(2);
    await world.close();
    await embedded.stop();
    await rm(base, { recursive: true, force: true, maxRetries: 20 });
    await rm(socketDirectoryOf(embedded.cluster), { recursive: true, force: true });
  });
});

function create(key: string): ReturnType<typeof ask> {
  const call: Once<Request> = {
    scope: "caller and route",
    key,
    bodyHash: key,
    render: ({ id }) => ({ status: 201, body: { id } }),
  };
  return ask(world.sides[0].app, world.admin, { policyKey: "one" }, call);
}

/** Refused as unavailable, and soon enough. */
async function expectRefusal(answer: Promise<object>): Promise<void> {
  const started = performance.now();
  await expect(answer).rejects.toBeInstanceOf(Unavailable);
  expect(performance.now() - started).toBeLessThan(ANSWER_MAX_MS);
}

/** As a client would: the same call again, until it is answered. */
async function createAgain(key: string): Promise<string> {
  const started = performance.now();
  const verdict = await untilAnswered(key);
  expect(performance.now() - started).toBeLessThan(RECOVERY_MAX_MS);
  return verdict;
}

async function untilAnswered(key: string): Promise<string> {
  for (;;) {
    try {
      return verdictOf(await create(key));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await delay(10);
    }
  }
}

/** Requests in the database, asked past the network. */
async function made(): Promise<number> {
  const client = new Client(url);
  await client.connect();
  const { rowCount } = await client.query("select from requests");
  await client.end();
  return rowCount ?? 0;
}

/** Asked past the network, whose connections may just have been cut. */
async function expectWhole(requests: number): Promise<void> {
  expect(await made()).toBe(requests);
  const pool = connect(url);
  expect(await brokenRules(pool)).toEqual({});
  await pool.end();
  expect(await verifyDatabase(url)).toEqual([]);
}
