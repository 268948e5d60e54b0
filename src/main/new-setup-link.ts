/** `countersign setup-link`: a new setup link beside a server, or without one (docs/spec/identity.md R-LOCAL-5). */
import { resolve } from "node:path";
import { connect } from "../adapters/postgres/connect.ts";
import { readKeyring } from "../adapters/sealing/keyring.ts";
import { buildApplication } from "./build-application.ts";
import { withoutRacks } from "./build-deploy.ts";
import { CommitSignal } from "./commit-signal.ts";
import type { Environment, LoadedConfig } from "./config.ts";
import { identitySettings, portOf, publicUrlOf } from "./identity-settings.ts";
import { offerSetup } from "./offer-setup.ts";
import { openLedger } from "./open-ledger.ts";
import { StartRefused } from "./start-refused.ts";
import { withDatabaseOf } from "./verify-database.ts";

/** Null when the installation has its administrator. Throws StartRefused, CannotVerify or a database fault. */
export async function newSetupLink({ config }: LoadedConfig, environment: Environment): Promise<string | null> {
  const dataDir = resolve(config.countersign.data_dir);
  const { database_url: databaseUrl } = config.countersign;
  if (databaseUrl !== "") return await linkAt(databaseUrl, { config, environment, dataDir });
  return await withDatabaseOf(dataDir, (url) => linkAt(url, { config, environment, dataDir }));
}

interface Installed {
  readonly config: LoadedConfig["config"];
  readonly environment: Environment;
  readonly dataDir: string;
}

async function linkAt(url: string, { config, environment, dataDir }: Installed): Promise<string | null> {
  const pool = connect(url, { poolSize: 2, applicationName: "countersign-setup-link" });
  try {
    const opened = await openLedger(pool, {
      ...{ dataDir, development: false, full: false, publicUrl: config.countersign.public_url, say: () => undefined },
    });
    if (opened.report.findings.length > 0) {
      throw new StartRefused("tampered", "The ledger does not verify: nothing can be changed until it is restored.");
    }
    const publicUrl = publicUrlOf(config, await portOf(config));
    const { app, store } = buildApplication({
      ...{ pool, config, connectionString: url, orgId: opened.installation.orgId, commits: new CommitSignal() },
      identity: identitySettings({ config, settings: [] }, { development: false, publicUrl }),
      keyring: await readKeyring(environment, dataDir),
      isQuarantined: () => false,
      deploy: withoutRacks(() => Date.now()),
      onFault: () => undefined,
    });
    return await offerSetup(app, dataDir).finally(() => store.close());
  } finally {
    await pool.end();
  }
}
