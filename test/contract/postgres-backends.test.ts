import { expect, it } from "vitest";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

describeOnEveryPostgres("a test database", (database) => {
  it("is what its backend promises: the shipped Postgres on a socket, or another one over TCP", async () => {
    const pool = connect(database.url, { poolSize: 1 });
    const result = await pool
      .query<{ major: number; is_tcp: boolean }>(
        "select current_setting('server_version_num')::integer / 10000 as major, inet_client_addr() is not null as is_tcp",
      )
      .finally(() => pool.end());
    const found = result.rows[0];
    expect(found?.is_tcp).toBe(database.backend === "external");
    if (database.backend === "embedded") expect(found?.major).toBe(18);
    else expect(found?.major).toBeGreaterThanOrEqual(15);
  });

  it("belongs to its block alone", async () => {
    const [one, other] = await Promise.all([database.fresh(), database.fresh()]);
    expect(new Set([one.url, other.url, database.url]).size).toBe(3);
    const pool = connect(one.url, { poolSize: 1 });
    await pool.query("create table marks (id integer)");
    await pool.end();
    const otherPool = connect(other.url, { poolSize: 1 });
    const found = await otherPool.query("select to_regclass('marks') as marks").finally(() => otherPool.end());
    expect(found.rows).toEqual([{ marks: null }]);
  });
});
