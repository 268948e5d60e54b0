/**
 * `countersign secrets rotate`: rewrites every sealed value with the key that seals now, 500 at a time. What is done is
 * committed, so that a run that was ended goes on where it stopped (docs/spec/identity.md R-SEAL-3).
 */
import { resolve } from "node:path";
import type { Pool } from "pg";
import { connect } from "../adapters/postgres/connect.ts";
import { readInstallation } from "../adapters/postgres/installation.ts";
import { SEALED_KINDS, sealedOtherwise, sealingKeysInUse, type SealedKind } from "../adapters/postgres/sealed-rows.ts";
import { readKeyring, type Keyring } from "../adapters/sealing/keyring.ts";
import type { Application } from "../app/application.ts";
import { resealSecrets } from "../app/reseal-secrets.ts";
import { buildApplication } from "./build-application.ts";
import { withoutRacks } from "./build-deploy.ts";
import { CommitSignal } from "./commit-signal.ts";
import type { Environment, LoadedConfig } from "./config.ts";
import { identitySettings, portOf, publicUrlOf } from "./identity-settings.ts";
import { openLedger } from "./open-ledger.ts";
import { StartRefused } from "./start-refused.ts";
import { isDevelopmentOrigin } from "./start-rules.ts";
import { CannotVerify, withDatabaseOf } from "./verify-database.ts";

export interface RotatedSecrets {
  /** The key that seals now. */
  readonly keyId: string;
  readonly resealed: number;
  /** Could not be opened: their keys are missing, or they were copied there. */
  readonly unreadable: number;
}

export type RotationProgress = (done: number, total: number) => void;

const BATCH = 500;

/** Throws StartRefused, KeyringFault, CannotVerify or a database fault. */
export async function rotateSecrets(
  { config }: LoadedConfig,
  environment: Environment,
  onProgress: RotationProgress,
): Promise<RotatedSecrets> {
  const dataDir = resolve(config.countersign.data_dir);
  const { database_url: databaseUrl } = config.countersign;
  const installed = { config, environment, dataDir, onProgress };
  if (databaseUrl !== "") return await rotateAt(databaseUrl, installed);
  return await withDatabaseOf(dataDir, (url) => rotateAt(url, installed));
}

interface Installed {
  readonly config: LoadedConfig["config"];
  readonly environment: Environment;
  readonly dataDir: string;
  readonly onProgress: RotationProgress;
}

async function rotateAt(url: string, installed: Installed): Promise<RotatedSecrets> {
  const { config, environment, dataDir, onProgress } = installed;
  const pool = connect(url, { poolSize: 2, applicationName: "countersign-secrets" });
  try {
    const known = await readInstallation(pool);
    if (known === null) throw new CannotVerify("This database holds no installation of Countersign.");
    const development = isDevelopmentOrigin(known.origin);
    const keyring = await readKeyring(environment, dataDir);
    const opened = await openLedger(pool, {
      ...{ dataDir, development, full: false, publicUrl: config.countersign.public_url, say: () => undefined },
    });
    if (opened.report.findings.length > 0) {
      throw new StartRefused("tampered", "The ledger does not verify: nothing can be changed until it is restored.");
    }
    const publicUrl = publicUrlOf(config, await portOf(config));
    const { app, store } = buildApplication({
      ...{ pool, config, keyring, connectionString: url, orgId: opened.installation.orgId },
      ...{
        commits: new CommitSignal(),
        identity: identitySettings({ config, settings: [] }, { development, publicUrl }),
      },
      isQuarantined: () => false,
      deploy: withoutRacks(() => Date.now()),
      onFault: () => undefined,
      onIssuerFault: () => undefined,
    });
    return await rotateAll(app, { pool, keyring, onProgress }).finally(() => store.close());
  } finally {
    await pool.end();
  }
}

interface Rotation {
  readonly pool: Pool;
  readonly keyring: Keyring;
  readonly onProgress: RotationProgress;
}

async function rotateAll(app: Application, { pool, keyring, onProgress }: Rotation): Promise<RotatedSecrets> {
  const uses = await sealingKeysInUse(pool);
  const total = uses.filter(({ keyId }) => keyId !== keyring.sealing).reduce((sum, { count }) => sum + count, 0);
  const sum = { resealed: 0, unreadable: 0 };
  for (const kind of SEALED_KINDS) {
    for await (const ids of batches(pool, kind, keyring.sealing)) {
      const batch = await resealSecrets(app, kind, ids);
      sum.resealed += batch.resealed;
      sum.unreadable += batch.unreadable;
      onProgress(sum.resealed + sum.unreadable, total);
    }
  }
  return { keyId: keyring.sealing, ...sum };
}

async function* batches(pool: Pool, kind: SealedKind, keyId: string): AsyncGenerator<readonly string[]> {
  let after: string | null = null;
  for (;;) {
    const ids: readonly string[] = await sealedOtherwise(pool, kind, { keyId, after, limit: BATCH });
    const last = ids.at(-1);
    if (last === undefined) return;
    yield ids;
    // What could not be opened stays as it is: it must not come again.
    after = last;
  }
}
