import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { describeSchema } from "../support/postgres-schema.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const GOLDEN_FILE = join(packageRoot(), "test", "golden", "schema.sql");

describeOnEveryPostgres("the schema after all migrations", (database) => {
  it("is the one in test/golden/schema.sql, on every version of Postgres (GOLDEN=update rewrites it)", async () => {
    const pool = connect(database.url, { poolSize: 1 });
    const schema = await describeSchema(pool).finally(() => pool.end());
    if (process.env["GOLDEN"] === "update") await writeFile(GOLDEN_FILE, schema);
    expect(schema).toBe(await readFile(GOLDEN_FILE, "utf8"));
  });
});
