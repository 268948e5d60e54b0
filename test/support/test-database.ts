/**
 * A fresh, migrated database per test block, on every backend. Copying a template takes some 40 ms, so nothing is ever shared
 * or truncated.
 *
 *     describeOnEveryPostgres("the outbox", (database) => {
 *       it("…", async () => { const pool = connect(database.url); … });
 *     });
 */
import { randomUUID } from "node:crypto";
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { Client } from "pg";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { POSTGRES_BACKENDS, withDatabase } from "./postgres-backend.ts";
import type { PostgresAnswer, PostgresBackend } from "./postgres-backend.ts";

export interface TestDatabase {
  readonly backend: PostgresBackend;
  readonly url: string;
  /** Removes the database, cutting the connections that are still open. */
  drop(): Promise<void>;
}

/** The database of a block: its URL exists while the block's tests run, not while they are being collected. */
export interface BlockDatabase {
  readonly backend: PostgresBackend;
  readonly url: string;
  /** One more database, for a test that wants its own. Dropped with the block. */
  fresh(): Promise<TestDatabase>;
  /** A database without any table of ours, for tests of the migration itself. Dropped with the block. */
  empty(): Promise<TestDatabase>;
}

/** Cluster start on first use, and npm's download where no second Postgres is at hand. */
const FIRST_USE_TIMEOUT_MS = 240_000;

/** Runs the block once per backend, each time with a database of its own. */
export function describeOnEveryPostgres(name: string, block: (database: BlockDatabase) => void): void {
  for (const backend of POSTGRES_BACKENDS) {
    describe(`${name} (${backend} Postgres)`, () => {
      const made: TestDatabase[] = [];
      let own: TestDatabase | undefined;
      beforeAll(async () => {
        own = await createTestDatabase(backend);
        made.push(own);
      }, FIRST_USE_TIMEOUT_MS);
      afterAll(async () => {
        for (const database of made.splice(0)) await database.drop();
      }, FIRST_USE_TIMEOUT_MS);
      const remember = (database: TestDatabase): TestDatabase => {
        made.push(database);
        return database;
      };
      block({
        backend,
        get url() {
          if (own === undefined) throw new Error("The database's URL exists only while tests run");
          return own.url;
        },
        fresh: async () => remember(await createTestDatabase(backend)),
        empty: async () => remember(await createTestDatabase(backend, "template0")),
      });
    });
  }
}

/** A copy of the migrated template, or of another one. */
export async function createTestDatabase(
  backend: PostgresBackend = "embedded",
  otherTemplate?: string,
): Promise<TestDatabase> {
  const answer = await ask(backend);
  if ("error" in answer) throw new Error(`The ${backend} Postgres for tests could not start: ${answer.error}`);
  const name = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await administer(
    answer.adminUrl,
    `create database ${name} template ${otherTemplate ?? answer.template} encoding 'UTF8' strategy file_copy`,
  );
  return {
    backend,
    url: withDatabase(answer.adminUrl, name),
    drop: () => administer(answer.adminUrl, `drop database if exists ${name} with (force)`),
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function ask(backend: PostgresBackend): Promise<PostgresAnswer> {
  const socket = createConnection(inject("postgresBroker"));
  socket.write(backend);
  const value: unknown = JSON.parse(await text(socket));
  if (!isAnswer(value)) throw new Error("The test run's answer about its databases makes no sense");
  return value;
}

function isAnswer(value: unknown): value is PostgresAnswer {
  if (typeof value !== "object" || value === null) return false;
  if ("error" in value) return typeof value.error === "string";
  return (
    "adminUrl" in value &&
    typeof value.adminUrl === "string" &&
    "template" in value &&
    typeof value.template === "string"
  );
}
