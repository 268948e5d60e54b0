/** Is this a Postgres that Countersign runs on? Version 15 or newer (docs/adr/0004-storage.md), storing text as UTF-8. */
import type { ClientBase, Pool } from "pg";
import { DatabaseUnusable } from "./database-fault.ts";

const OLDEST_VERSION_NUMBER = 150_000;

interface ServerSettings {
  readonly version: string;
  readonly version_number: number;
  readonly encoding: string;
}

export async function assertServerUsable(on: ClientBase | Pool): Promise<void> {
  const result = await on.query<ServerSettings>(
    `select current_setting('server_version') as version,
            current_setting('server_version_num')::integer as version_number,
            current_setting('server_encoding') as encoding`,
  );
  const server = result.rows[0];
  if (server === undefined || server.version_number < OLDEST_VERSION_NUMBER) {
    throw new DatabaseUnusable(
      "database_too_old",
      `Countersign needs Postgres 15 or newer; this server is ${server?.version ?? "of an unknown version"}.`,
    );
  }
  if (server.encoding !== "UTF8") {
    throw new DatabaseUnusable(
      "database_encoding",
      `The database stores text as ${server.encoding}; create one with encoding UTF8 (create database countersign encoding 'UTF8' template template0).`,
    );
  }
}
