/** The application on a database of its own, without HTTP: the shipped Postgres with its shipped, durable settings. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { connect } from "../src/adapters/postgres/connect.ts";
import type { BatchTools } from "../src/adapters/postgres/batch.ts";
import { PolicyCache } from "../src/adapters/postgres/working-set.ts";
import type { Application } from "../src/app/application.ts";
import { mintPerson } from "../src/app/mint-person.ts";
import { buildApplication } from "../src/main/build-application.ts";
import { withoutRacks } from "../src/main/build-deploy.ts";
import { CommitSignal } from "../src/main/commit-signal.ts";
import { loadConfig } from "../src/main/config.ts";
import { identitySettings } from "../src/main/identity-settings.ts";
import { openDatabase } from "../src/main/open-database.ts";
import { nodeSha256, openLedger } from "../src/main/open-ledger.ts";
import { randomId } from "../src/main/random-id.ts";
import type { CommandStore } from "../src/ports/command-store.ts";

export interface Workbench {
  readonly url: string;
  readonly dataDir: string;
  readonly pool: Pool;
  readonly tools: BatchTools;
  /** The server's own version, such as 18.4. */
  readonly postgres: string;
  /** The use cases over this store. */
  application(store: CommandStore): Application;
  /** Removes the database as well. */
  close(): Promise<void>;
}

const POLICIES_MAX = 1_000;

export async function openWorkbench(): Promise<Workbench> {
  const dataDir = await makeDataDirectory();
  const database = await openDatabase({ databaseUrl: undefined, dataDir, log: () => undefined });
  const url = database.connectionString;
  const pool = connect(url, { applicationName: "bench-reader", poolSize: 4, statementTimeoutMs: false });
  const { installation } = await openLedger(pool, {
    dataDir,
    publicUrl: "http://127.0.0.1",
    development: true,
    full: true,
    say: () => undefined,
  });
  const { orgId } = installation;
  const tools = { sha256: nodeSha256, random: (length: number) => new Uint8Array(randomBytes(length)), orgId };
  const clock = (): number => Date.now();
  const loaded = loadConfig({}, {});
  const { config } = loaded;
  const { app, store: unused } = buildApplication({
    ...{ connectionString: url, pool, orgId, config, commits: new CommitSignal() },
    identity: identitySettings(loaded, { development: true, publicUrl: "http://localhost" }),
    keyring: { sealing: "bench", keys: new Map([["bench", randomBytes(32)]]) },
    isQuarantined: () => false,
    deploy: withoutRacks(() => Date.now()),
    onFault: (error) => {
      throw error;
    },
  });
  return {
    url,
    dataDir,
    pool,
    tools: {
      orgId,
      sha256: nodeSha256,
      clock,
      newId: randomId,
      policies: new PolicyCache(POLICIES_MAX),
      mint: (name, world) => mintPerson(name, world, tools),
    },
    postgres: await serverVersion(pool),
    application: (store) => ({ ...app, store }),
    async close() {
      await unused.close();
      await pool.end();
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The database runs as another user when root starts it: it has to pass through. */
export async function makeDataDirectory(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  await chmod(dataDir, 0o711);
  return dataDir;
}

async function serverVersion(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ version: string }>("select current_setting('server_version') as version");
  return rows[0]?.version ?? "unknown";
}
