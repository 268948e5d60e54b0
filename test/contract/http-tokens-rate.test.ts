/** How often one credential may write, and what its answers say about it (docs/spec/identity.md R-AUTHZ-2). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, openServer, type TestServer } from "../support/test-server.ts";

describe("a limit of writes per credential", () => {
  let database: TestDatabase;
  let at: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    at = await openServer(database.url, { server: { limits: { perMinute: 2, streamsPerPerson: 5 } } });
  });
  afterAll(async () => {
    await at.close();
    await database.drop();
  });

  interface Said {
    readonly status: number;
    readonly limit: unknown;
    readonly remaining: unknown;
    readonly reset: number;
    readonly wait: unknown;
  }

  async function write(name: string, mount = "/v1"): Promise<Said> {
    const answer = await at.server.inject({
      ...{ method: "POST", url: `${mount}/requests`, headers: as(name), payload: {} },
    });
    const { headers } = answer;
    return {
      status: answer.statusCode,
      limit: headers["x-ratelimit-limit"],
      remaining: headers["x-ratelimit-remaining"],
      reset: Number(headers["x-ratelimit-reset"]),
      wait: headers["retry-after"],
    };
  }

  it.each(["/v1", "/v1/awe"])(
    "identity R-AUTHZ-2: is told with every write, and how long to wait (%s)",
    async (mount) => {
      const name = `writer of ${mount}`;
      // So that the minute does not end between two of the calls.
      at.advance(60_000 - (at.app.clock() % 60_000));
      expect(await write(name, mount)).toMatchObject({ status: 422, limit: "2", remaining: "1", wait: undefined });
      expect(await write(name, mount)).toMatchObject({ status: 422, remaining: "0", wait: undefined });
      const refused = await write(name, mount);
      expect(refused).toMatchObject({ status: 429, limit: "2", remaining: "0" });
      expect(refused.reset).toBeGreaterThan(0);
      expect(refused.wait).toBe(String(refused.reset));
      expect(await write(`${name}'s neighbour`, mount)).toMatchObject({ status: 422, remaining: "1" });
      at.advance(60_000);
      expect(await write(name, mount)).toMatchObject({ status: 422, remaining: "1" });
    },
  );

  it("api R-API-7: reading is not limited, and says nothing of limits", async () => {
    const answer = await at.server.inject({ url: "/v1/requests", headers: as("reader") });
    expect([answer.statusCode, answer.headers["x-ratelimit-limit"]]).toEqual([200, undefined]);
  });
});
