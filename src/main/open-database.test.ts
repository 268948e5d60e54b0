import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeOnEveryPostgres } from "../../test/support/test-database.ts";
import { openDatabase } from "./open-database.ts";
import { packageRoot } from "./package-root.ts";

const dataDir = join(tmpdir(), "countersign-unused");

describeOnEveryPostgres("DATABASE_URL", (database) => {
  it("means an external Postgres, which is migrated and not stopped", async () => {
    const { url } = await database.empty();
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const files = (await readdir(join(packageRoot(), "db", "migrations"))).filter((name) => name.endsWith(".sql"));
    const first = await openDatabase({ databaseUrl: url, dataDir, log });
    expect(first).toMatchObject({
      kind: "external",
      connectionString: url,
      migrated: files.map((_file, index) => index + 1),
    });
    await first.close();
    const second = await openDatabase({ databaseUrl: url, dataDir, log });
    expect(second.migrated).toEqual([]);
    expect(second.state()).toBe("running");
    await second.close();
  });
});

describe("a DATABASE_URL that cannot be used", () => {
  it.each([
    ["mysql://ann@db/approvals", "database_url_invalid"],
    ["postgres://ann@127.0.0.1:1/approvals", "database_unavailable"],
  ])("stops the start with a sentence: %s", async (databaseUrl, code) => {
    const opening = openDatabase({ databaseUrl, dataDir, log: () => undefined });
    await expect(opening).rejects.toMatchObject({ code });
    await expect(opening).rejects.toThrow(/^The database .*\.|^The database is unavailable: /);
  });
});
