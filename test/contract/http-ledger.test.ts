/** The ledger over HTTP: what is given out verifies without this server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLedgerReader } from "../../src/adapters/postgres/ledger-reader.ts";
import { exportLedger } from "../../src/main/export-ledger.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";

describe("the ledger over HTTP", () => {
  let database: TestDatabase;
  let at: TestServer;
  let without: TestServer;
  const checkpoints: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    without = await openServer(database.url);
    const ledger = createLedgerReader(without.pool);
    const ledgerExport = {
      lines: () => exportLedger(ledger),
      newestCheckpoint: () => Promise.resolve(checkpoints[0] ?? null),
    };
    at = await openServer(database.url, {
      application: { orgId: without.app.orgId },
      server: { ledgerExport },
    });
    await at.server.inject({ url: "/v1/me", headers: as("ana") });
  });
  afterAll(async () => {
    await at.close();
    await without.close();
    await database.drop();
  });

  it("ledger R-VER-1: is given out entry by entry, with a last line that says how many there were", async () => {
    const answer = await at.server.inject({ url: "/v1/ledger/export?format=ndjson", headers: asAdmin });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
    const lines = answer.body.trimEnd().split("\n").map(objectIn);
    const last = lines.pop();
    const size = await at.app.reader.position();
    expect(last).toMatchObject({ count: size, first: 0, last: size - 1 });
    const positions = lines.map((line) => objectIn(textAt(line, "bytes"))["seq"]);
    expect(positions).toEqual(Array.from({ length: size }, (_, index) => index));
  });

  it("ledger R-CP-1: has a newest checkpoint once there is one", async () => {
    const before = await at.server.inject({ url: "/v1/ledger/checkpoint", headers: asAdmin });
    expect([before.statusCode, objectIn(before.body)["code"]]).toEqual([404, "route_not_found"]);
    checkpoints.push("localhost/test/ledger\n1\nAAAA\n");
    const after = await at.server.inject({ url: "/v1/ledger/checkpoint", headers: asAdmin });
    expect([after.statusCode, after.headers["content-type"], after.body]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "localhost/test/ledger\n1\nAAAA\n",
    ]);
  });

  it("engine R-API-8: is given out in no form that was not asked for", async () => {
    const answer = await at.server.inject({ url: "/v1/ledger/export?format=csv", headers: asAdmin });
    expect([answer.statusCode, objectIn(answer.body)["detail"]]).toEqual([422, "query.format must be ndjson"]);
  });

  it("identity section 10: is given to nobody more than six times a minute", async () => {
    const by = as("collector", ["AWE_ADMIN"]);
    const statuses: number[] = [];
    for (let number = 1; number <= 7; number += 1) {
      statuses.push((await at.server.inject({ url: "/v1/ledger/export", headers: by })).statusCode);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429]);
  });

  it("engine R-API-6: is not given out where the server has none to give", async () => {
    for (const url of ["/v1/ledger/export", "/v1/ledger/checkpoint"]) {
      expect((await without.server.inject({ url, headers: asAdmin })).statusCode).toBe(404);
    }
  });
});
