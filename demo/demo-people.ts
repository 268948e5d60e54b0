/**
 * Who takes part in the demonstration of the deploy gate: an administrator who sets it up and makes the pipeline's token, and an
 * invitation for whoever watches, who comes in by it with a passkey or an authenticator of their own. Nobody is let off a factor:
 * the first administrator comes by the setup link, as everywhere (docs/spec/identity.md R-LOCAL-5).
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { connect } from "../src/adapters/postgres/connect.ts";
import { readKeyring } from "../src/adapters/sealing/keyring.ts";
import { makeSetupLink } from "../src/app/setup-link.ts";
import { buildApplication } from "../src/main/build-application.ts";
import { withoutRacks } from "../src/main/build-deploy.ts";
import { CommitSignal } from "../src/main/commit-signal.ts";
import type { Config } from "../src/main/config-schema.ts";
import { identitySettings } from "../src/main/identity-settings.ts";
import { openLedger } from "../src/main/open-ledger.ts";
import { databaseUrlFile } from "../src/main/verify-database.ts";
import { DemoClient } from "./demo-client.ts";

export interface DemoPlace {
  readonly config: Config;
  readonly dataDir: string;
  /** Where the console is. */
  readonly url: string;
}

const memory = z.object({ token: z.string(), invitation: z.url() });
/** What is kept from one start to the next. */
export type DemoPeople = z.output<typeof memory>;

/** Null when this ledger has an administrator who is not ours: the demonstration does not interfere then. */
export async function demoPeople(place: DemoPlace): Promise<DemoPeople | null> {
  const file = join(place.dataDir, "deploy-demo.json");
  const kept = await readFile(file, "utf8").catch(() => null);
  if (kept !== null) return memory.parse(JSON.parse(kept));
  const token = await setupToken(place);
  if (token === null) return null;
  const made = await settle(place.url, token);
  await writeFile(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}

async function settle(url: string, token: string): Promise<DemoPeople> {
  const operator = new DemoClient(url);
  const about = { name: "Olga Operator", email: "olga@example.com", login: "olga", organization: "MyOrg" };
  await operator.post("/v1/setup", { token, ...about });
  await operator.enrolPasskey();
  const pipeline = { name: "myapp-pipeline", role: "cicd", racks: ["production"], apps: ["myapp"] };
  const made = await operator.prove("/api/v1/api-tokens", pipeline, "POST /api-tokens");
  const guest = { name: "Robin Reviewer", email: "robin@example.com", login: "robin", roles: ["admin"] };
  const invited = await operator.prove("/v1/people", guest, "POST /people");
  return memory.parse({ token: made["token"], invitation: invited["link"] });
}

/** As `countersign setup-link` makes one, on a ledger of development. */
async function setupToken({ config, dataDir, url: publicUrl }: DemoPlace): Promise<string | null> {
  const url = await readFile(databaseUrlFile(dataDir), "utf8");
  const pool = connect(url, { poolSize: 2, applicationName: "countersign-demo" });
  try {
    const opened = await openLedger(pool, {
      ...{ dataDir, development: true, full: false, publicUrl, say: () => undefined },
    });
    if (opened.report.findings.length > 0) return null;
    const { app, store } = buildApplication({
      ...{ pool, config, connectionString: url, orgId: opened.installation.orgId, commits: new CommitSignal() },
      identity: identitySettings({ config, settings: [] }, { development: true, publicUrl }),
      keyring: await readKeyring(process.env, dataDir),
      isQuarantined: () => false,
      deploy: withoutRacks(() => Date.now()),
      onFault: () => undefined,
    });
    const link = await makeSetupLink(app).finally(() => store.close());
    return link?.token ?? null;
  } finally {
    await pool.end();
  }
}
