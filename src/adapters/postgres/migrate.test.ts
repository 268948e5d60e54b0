import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeOnEveryPostgres } from "../../../test/support/test-database.ts";
import { connect } from "./connect.ts";
import { DatabaseUnavailable } from "./database-fault.ts";
import { migrate, readMigrations } from "./migrate.ts";

const FIRST = "create table toys (id integer primary key);\ninsert into toys values (1);\n";
const SECOND = "alter table toys add column name text not null default '';\n";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "countersign-migrations-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
}

async function rowsOf(url: string, statement: string): Promise<readonly unknown[]> {
  const pool = connect(url, { poolSize: 1 });
  try {
    const result = await pool.query<Record<string, unknown>>(statement);
    return result.rows;
  } finally {
    await pool.end();
  }
}

describeOnEveryPostgres("migrations", (database) => {
  it("are applied in order, once, and only the new ones later", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": FIRST });
    const lines: string[] = [];
    const onProgress = (line: string): void => void lines.push(line);
    expect(await migrate(url, { directory, onProgress })).toEqual({ applied: [1], version: 1 });
    await write({ "0002_names.sql": SECOND });
    expect(await migrate(url, { directory, onProgress })).toEqual({ applied: [2], version: 2 });
    expect(await migrate(url, { directory, onProgress })).toEqual({ applied: [], version: 2 });
    expect(lines).toEqual(["Applying migration 0001_toys.sql.", "Applying migration 0002_names.sql."]);
    expect(await rowsOf(url, "select * from toys")).toEqual([{ id: 1, name: "" }]);
    expect(await rowsOf(url, "select version, name, length(sha256) as digits from schema_migrations")).toEqual([
      { version: 1, name: "toys", digits: 64 },
      { version: 2, name: "names", digits: 64 },
    ]);
  });

  it("leave nothing of a file that fails, and say which file and why", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": FIRST, "0002_broken.sql": "create table half (id integer);\nselect 1/0;" });
    await expect(migrate(url, { directory })).rejects.toMatchObject({
      code: "migration_failed",
      message: "Migration 0002_broken.sql could not be applied: division by zero.",
    });
    expect(await rowsOf(url, "select to_regclass('half') as half, to_regclass('toys')::text as toys")).toEqual([
      { half: null, toys: "toys" },
    ]);
    expect(await rowsOf(url, "select version from schema_migrations")).toEqual([{ version: 1 }]);
  });

  it("refuse a file that ends its own transaction", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": `${FIRST} commit;` });
    await expect(migrate(url, { directory })).rejects.toThrow(/ends its own transaction/);
  });

  it("refuse an applied file that was changed, but not one whose line ends were", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": FIRST });
    await migrate(url, { directory });
    await write({ "0001_toys.sql": FIRST.replaceAll("\n", "\r\n") });
    expect(await migrate(url, { directory })).toEqual({ applied: [], version: 1 });
    await write({ "0001_toys.sql": `${FIRST}\n` });
    await expect(migrate(url, { directory })).rejects.toMatchObject({ code: "migration_changed", retryable: false });
  });

  it("refuse a database that a newer version migrated", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": FIRST, "0002_names.sql": SECOND });
    await migrate(url, { directory });
    await rm(join(directory, "0002_names.sql"));
    await expect(migrate(url, { directory })).rejects.toMatchObject({ code: "database_newer" });
    await expect(migrate(url, { directory })).rejects.toThrow(/at schema version 2, this Countersign knows only 1/);
  });

  it("refuse a database whose table schema_migrations belongs to another program", async () => {
    const { url } = await database.empty();
    await rowsOf(url, "create table schema_migrations (id text)");
    await expect(migrate(url, { directory })).rejects.toMatchObject({ code: "database_not_ours" });
  });

  it("wait for each other when several processes start at once", async () => {
    const { url } = await database.empty();
    await write({ "0001_toys.sql": `${FIRST} select pg_sleep(0.2);`, "0002_names.sql": SECOND });
    const results = await Promise.all([1, 2, 3, 4].map(() => migrate(url, { directory })));
    expect(results.flatMap((result) => result.applied).sort()).toEqual([1, 2]);
    expect(await rowsOf(url, "select count(*) as count from toys")).toEqual([{ count: 1 }]);
  });

  it("may take longer than a statement of the server may", async () => {
    const { url } = await database.empty();
    await write({ "0001_slow.sql": "select pg_sleep(2.2);" });
    expect(await migrate(url, { directory })).toEqual({ applied: [1], version: 1 });
  });
});

describe("migration files", () => {
  it.each([["0002_gap.sql"], ["1_short.sql"], ["0001-dash.sql"], ["0001_Upper.sql"]])(
    "are refused as %s",
    async (name) => {
      await write({ [name]: "select 1" });
      await expect(readMigrations(directory)).rejects.toMatchObject({ code: "migration_files" });
    },
  );

  it("are refused with one number twice", async () => {
    await write({ "0001_a.sql": "", "0001_b.sql": "" });
    await expect(readMigrations(directory)).rejects.toThrow(/0001_b\.sql should be number 0002/);
  });

  it("need a database that answers", async () => {
    await expect(migrate("postgres://ann@127.0.0.1:1/approvals", { directory })).rejects.toBeInstanceOf(
      DatabaseUnavailable,
    );
  });
});
