import { describe, expect, it } from "vitest";
import { parseConnectionUrl } from "./connection-url.ts";
import { DatabaseUnusable } from "./database-fault.ts";

describe("the database URL", () => {
  it.each(["postgres", "postgresql", "postgresql+asyncpg", "POSTGRESQL", "postgresql+psycopg2"])(
    "is read with the scheme %s",
    (scheme) => {
      expect(parseConnectionUrl(`${scheme}://ann:s%3Fcret@db.example:6432/approvals`)).toEqual({
        connectionString: "postgres://ann:s%3Fcret@db.example:6432/approvals",
        options: "",
      });
    },
  );

  it("keeps a Unix socket directory and hands the server options out", () => {
    expect(
      parseConnectionUrl("postgres://countersign@/countersign?host=%2Ftmp%2Fa&options=-c%20work_mem%3D8MB"),
    ).toEqual({ connectionString: "postgres://countersign@/countersign?host=%2Ftmp%2Fa", options: "-c work_mem=8MB" });
  });

  it.each([
    ["ssl=require", "sslmode=require&uselibpqcompat=true"],
    ["ssl=true", "sslmode=require&uselibpqcompat=true"],
    ["sslmode=verify-ca&sslrootcert=%2Fca.pem", "sslmode=verify-ca&sslrootcert=%2Fca.pem&uselibpqcompat=true"],
    ["sslmode=verify-full", "sslmode=verify-full"],
    ["ssl=false", "sslmode=disable"],
  ])("gives the TLS word %s its meaning in Postgres", (asked, read) => {
    expect(parseConnectionUrl(`postgres://ann@db/approvals?${asked}`).connectionString).toBe(
      `postgres://ann@db/approvals?${read}`,
    );
  });

  it.each([
    "mysql://ann:s3cret@db/approvals",
    "ann:s3cret@db/approvals",
    "postgres://ann:s3cret@db/approvals?sslmode=prefer",
    "postgres://ann:s3cret@db/approvals?ssl=maybe",
    "",
  ])("is refused without repeating its password: %s", (url) => {
    const parse = (): unknown => parseConnectionUrl(url);
    expect(parse).toThrow(DatabaseUnusable);
    expect(parse).toThrow(/The database URL cannot be used/);
    expect(parse).not.toThrow(/s3cret/);
  });
});
