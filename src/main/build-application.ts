/** Puts the application together: the store that writes, the reader that reads, and the settings of the use cases. */
import { randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { createCommandStore, type PostgresCommandStore } from "../adapters/postgres/command-store.ts";
import { createReader } from "../adapters/postgres/reader.ts";
import { PolicyCache } from "../adapters/postgres/working-set.ts";
import type { Application } from "../app/application.ts";
import { mintPerson } from "../app/mint-person.ts";
import type { CommitSignal } from "./commit-signal.ts";
import type { Config } from "./config-schema.ts";
import { nodeSha256 } from "./open-ledger.ts";
import { randomId } from "./random-id.ts";

export interface BuildApplicationOptions {
  readonly connectionString: string;
  readonly pool: Pool;
  readonly orgId: string;
  readonly config: Config;
  readonly commits: CommitSignal;
  readonly isQuarantined: () => boolean;
  readonly onFault: (error: unknown) => void;
}

export interface BuiltApplication {
  readonly app: Application;
  readonly store: PostgresCommandStore;
}

/** Compiled policies that are kept in memory; far more than any installation has in use at a time. */
const POLICIES_KEPT = 1_000;

export function buildApplication(options: BuildApplicationOptions): BuiltApplication {
  const { connectionString, pool, orgId, commits, isQuarantined, onFault } = options;
  const { awe } = options.config;
  const random = (length: number): Uint8Array => randomBytes(length);
  const clock = (): number => Date.now();
  const tools = { sha256: nodeSha256, random, orgId };
  const store = createCommandStore({
    ...{ connectionString, orgId, sha256: nodeSha256, clock, isQuarantined, onFault },
    newId: randomId,
    policies: new PolicyCache(POLICIES_KEPT),
    mint: (name, world) => mintPerson(name, world, tools),
    onCommit: (size) => {
      commits.emit(size);
    },
  });
  const app: Application = {
    store,
    reader: createReader(pool, { orgId }),
    settings: {
      adminOverride: awe.decisions.admin_override,
      defaultTtlHours: awe.requests.default_ttl_hours,
      enforceArtifactType: awe.requests.enforce_artifact_type,
      delegationMaxDays: awe.delegation.max_days,
      readScope: awe.access.read_scope,
    },
    ...{ orgId, sha256: nodeSha256, random, clock },
  };
  return { app, store };
}
