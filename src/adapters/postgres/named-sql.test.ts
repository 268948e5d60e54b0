import { expect, it } from "vitest";
import { describeOnEveryPostgres } from "../../../test/support/test-database.ts";
import { connect } from "./connect.ts";
import { DatabaseUnavailable } from "./database-fault.ts";
import { sql } from "./named-sql.ts";

const addition = sql<{ sum: number }>("test_addition", "select $1::integer + $2::integer as sum");

describeOnEveryPostgres("named statements", (database) => {
  it("are prepared once per connection and run many times", async () => {
    const pool = connect(database.url, { poolSize: 1 });
    const sums = await Promise.all([1, 2, 3].map((number) => addition.run(pool, [number, 10])));
    expect(sums.map((result) => result.rows[0]?.sum)).toEqual([11, 12, 13]);
    const prepared = await pool.query("select count(*) as count from pg_prepared_statements where name = $1", [
      addition.name,
    ]);
    expect(prepared.rows).toEqual([{ count: 1 }]);
    await pool.end();
  });
});

it("engine R-STAGE-2: say that the database is unavailable in one class of fault", async () => {
  const pool = connect("postgres://ann@127.0.0.1:1/approvals");
  await expect(addition.run(pool, [1, 2])).rejects.toBeInstanceOf(DatabaseUnavailable);
  await pool.end();
});

it("cannot be mixed up: one name means one text, and no name is long enough to be cut", () => {
  expect(sql("test_addition", addition.text).name).toBe("test_addition");
  expect(() => sql("test_addition", "select 2")).toThrow(/two different statements/);
  expect(() => sql("x".repeat(64), "select 1")).toThrow(/cannot name a statement/);
  expect(() => sql("Not-A-Name", "select 1")).toThrow(/cannot name a statement/);
});
