/**
 * From a configuration to a running server, and from there to its clean end. What a start has opened is closed again when a
 * later step fails; a process that is killed leaves nothing behind that the next start would stumble over.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Pool } from "pg";
import type { Logger } from "pino";
import { connect } from "../adapters/postgres/connect.ts";
import { createChatTold } from "../adapters/postgres/chat-told.ts";
import { createHousekeeping } from "../adapters/postgres/housekeeping.ts";
import { missingSealingKeys } from "../adapters/postgres/sealed-rows.ts";
import type { Application } from "../app/application.ts";
import { applyDueTimers } from "../app/apply-due-timers.ts";
import { keepDefaultSecret } from "../app/effects/webhook-secret.ts";
import { exhaustedMail } from "../app/effects/exhausted-mail.ts";
import { channelTelling } from "../app/deploy/tell-channels.ts";
import { reconcilePromotes } from "../app/deploy/reconcile-promotes.ts";
import { recordSystemEvent } from "../app/record-system-event.ts";
import { buildServer } from "../http/build-server.ts";
import type { SecretsWatch } from "../http/server-options.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { Finding } from "../ledger/verify.ts";
import { startChatLoop } from "../worker/chat-loop.ts";
import { startCheckpointLoop } from "../worker/checkpoint-loop.ts";
import { startPromoteLoop } from "../worker/promote-loop.ts";
import { startSweepLoop } from "../worker/sweep-loop.ts";
import { startTimerLoop } from "../worker/timer-loop.ts";
import { readKeyring, type Keyring } from "../adapters/sealing/keyring.ts";
import type { WebhookSender } from "../ports/webhook-sender.ts";
import { buildApplication } from "./build-application.ts";
import { keepConfiguredProvider } from "./configured-provider.ts";
import { serverOptions } from "./build-http.ts";
import { CommitSignal } from "./commit-signal.ts";
import type { Environment, LoadedConfig } from "./config.ts";
import type { Config } from "./config-schema.ts";
import { seedDemo } from "./demo/seed-demo.ts";
import { deployEffectWorks } from "./deploy-effects.ts";
import { effectWorks, mailParts, webhookSenderOf } from "./effect-works.ts";
import { logEffectTrouble } from "./effect-log.ts";
import { keepEffects } from "./keep-effects.ts";
import { keepSessions } from "./keep-sessions.ts";
import { keepTokens } from "./keep-tokens.ts";
import { evidenceSource } from "./evidence-source.ts";
import { findingSentence, LedgerGuard } from "./ledger-guard.ts";
import { keepManagedPolicies } from "./managed-policies.ts";
import { databaseUrlFile } from "./verify-database.ts";
import { identitySettings, portOf, publicUrlOf } from "./identity-settings.ts";
import { csrfTokens, readServerKey } from "./server-key.ts";
import { forgetUsedLink, inviteConfiguredPeople, offerSetup } from "./offer-setup.ts";
import { openDeployGate } from "./open-deploy-gate.ts";
import { openDatabase, type OpenDatabase } from "./open-database.ts";
import { nodeSha256, openLedger, tamperReport, type OpenLedger } from "./open-ledger.ts";
import { assertPasskeySite } from "./passkey-site.ts";
import { productVersion } from "./product-version.ts";
import { assertMayStart, openDoors } from "./start-rules.ts";
import { assertSealingKeys } from "./sealing-keys.ts";
import { createSecretsWatch } from "./secrets-watch.ts";
import { StartRefused } from "./start-refused.ts";

export interface StartOptions {
  readonly development: boolean;
  /** Fills a ledger that this start makes with a demonstration; only in development mode. */
  readonly demo: boolean;
  /** A finding ends the process instead of making it read-only (ledger R-QUAR-3). */
  readonly exitOnTamper: boolean;
  /** People's passkeys may be left behind by a change of the public name (R-FACT-3). */
  readonly acceptRpIdChange: boolean;
  readonly fullVerification: boolean;
  readonly environment: Environment;
  readonly log: Logger;
  /** Lines for the person at the terminal. */
  readonly say: (line: string) => void;
  /** Told when a running server finds that the ledger was changed, after the report is written. */
  readonly onTamper: (findings: readonly Finding[]) => void;
}

export interface RunningServer {
  /** Where people open the console. */
  readonly publicUrl: string;
  readonly url: string;
  readonly dataDir: string;
  readonly vkey: string;
  /** True when this start made the ledger. */
  readonly isNew: boolean;
  /** What verification found; null when the ledger is whole. */
  readonly finding: string | null;
  /** Ends cleanly: calls under way are finished, the stop is recorded and signed. */
  close(): Promise<void>;
}

/** What has been opened, in the order of opening; closed in reverse. */
type Closing = (() => Promise<void>)[];

/** Throws ConfigFault, StartRefused, SigningKeyFault or a database fault, whose messages are for the person at the terminal. */
export async function startServer(loaded: LoadedConfig, options: StartOptions): Promise<RunningServer> {
  const closing: Closing = [];
  try {
    return await open(loaded, options, closing);
  } catch (error) {
    await closeAll(closing, options.log);
    throw error;
  }
}

/** What everything else stands on. */
interface Ground {
  readonly database: OpenDatabase;
  readonly dataDir: string;
  readonly pool: Pool;
  readonly opened: OpenLedger;
  readonly guard: LedgerGuard;
  readonly keyring: Keyring;
  readonly serverKey: Uint8Array;
  readonly port: number;
  readonly publicUrl: string;
}

async function openGround({ config }: LoadedConfig, options: StartOptions, closing: Closing): Promise<Ground> {
  const { development, say } = options;
  assertMayStart(config, development, options.environment);
  for (const door of openDoors(config, development, options.environment)) say(door);
  const dataDir = resolve(config.countersign.data_dir);
  await mkdir(dataDir, { recursive: true });
  const database = await openConfiguredDatabase(config, dataDir, options);
  closing.push(() => database.close());
  if (database.kind === "embedded") closing.push(await announce(dataDir, database.connectionString));
  const pool = connect(database.connectionString, { applicationName: "countersign-reader" });
  closing.push(() => pool.end());
  const opened = await openLedger(pool, {
    ...{ dataDir, development, say, full: options.fullVerification, publicUrl: config.countersign.public_url },
  });
  const guard = await guardOf(opened, dataDir, options);
  const port = await portOf(config);
  const keyring = await readKeyring(options.environment, dataDir);
  await assertSealingKeys(pool, keyring);
  const publicUrl = publicUrlOf(config, port);
  await assertPasskeySite(pool, new URL(publicUrl).hostname, { accepted: options.acceptRpIdChange, say });
  const serverKey = await readServerKey(options.environment, dataDir);
  return { database, dataDir, pool, opened, guard, keyring, serverKey, port, publicUrl };
}

async function open(loaded: LoadedConfig, options: StartOptions, closing: Closing): Promise<RunningServer> {
  const { config } = loaded;
  const { development, log } = options;
  const ground = await openGround(loaded, options, closing);
  const { database, dataDir, pool, opened, guard, keyring, serverKey, port, publicUrl } = ground;
  const commits = new CommitSignal();
  const onFault = (error: unknown): void => {
    log.warn({ err: error }, "the database failed");
  };
  const deploy = openDeployGate({
    ...{ config, environment: options.environment, development, serverKey, log },
    application: (): Application => app,
  });
  closing.push(() => deploy.close());
  const { app, store } = buildApplication({
    deploy: deploy.parts,
    ...{ pool, config, commits, onFault, keyring },
    onIssuerFault: (cause) => {
      log.warn({ err: cause }, "an identity provider failed");
    },
    identity: identitySettings(loaded, { development, publicUrl }),
    connectionString: database.connectionString,
    orgId: opened.installation.orgId,
    isQuarantined: () => guard.quarantined,
  });
  closing.push(() => store.close());
  const schema = await schemaVersion(pool);
  const parts = { loaded, options, pool, app, guard, commits, opened, schema };
  await recordStart(parts, closing);
  if (!guard.quarantined) {
    await keepDefaultSecrets(app);
    await keepConfiguredProvider(app, config);
    await keepManagedPolicies(app, log);
  }
  const csrfToken = csrfTokens(serverKey);
  const webhooks = webhookSenderOf(config, { development, serverKey });
  const { ledger } = opened;
  const evidence = evidenceSource({ pool, ledger, sha256: nodeSha256, checkpoint: () => guard.checkpoint() });
  const secrets = secretsOf(pool, keyring, app);
  const http = serverOptions({
    ...{ config, development, app, guard, ledger, commits, log, csrfToken, evidence, secrets, webhooks },
  });
  const server = await buildServer(http);
  // Ends after the server, so that the last uses are written too.
  closing.push(keepTokens({ pool, app, guard, database, desk: http.tokens, onError: onFault }));
  closing.push(
    keepSessions({ app, housekeeping: createHousekeeping(pool), isPaused: () => guard.quarantined, onError: onFault }),
  );
  closing.push(() => server.close());
  const url = await listen(server, config.countersign.host, port);
  startLoops(parts, closing);
  closing.push(startEffects(parts, { database, webhooks }, onFault));
  await welcomePeople(parts, dataDir, closing);
  return {
    ...{ url, publicUrl, dataDir, vkey: opened.vkey, isNew: opened.isNew, finding: guard.finding },
    close: () => closeAll(closing, log, server),
  };
}

/** Begins what was decided to be done outside; answers how to end it. */
function startEffects(
  { loaded: { config }, options: { log }, pool, app, guard }: Parts,
  { database, webhooks }: { readonly database: OpenDatabase; readonly webhooks: WebhookSender },
  onError: (error: unknown) => void,
): () => Promise<void> {
  const { webhook } = config.awe;
  return keepEffects({
    ...{ pool, app, guard, database, onError, follows: exhaustedMail(app), onTrouble: logEffectTrouble(log) },
    work: { ...effectWorks(config, app, webhooks), ...deployEffectWorks(app, mailParts(config, app)) },
    ...{ fallbackMs: webhook.poll_interval_seconds * 1_000, webhooksAtOnce: webhook.concurrency },
    ...{ webhooksPerHost: webhook.per_host, webhookHoldMs: webhook.order_hold_seconds * 1_000 },
  });
}

/** Every organization has a secret for callers that have none of their own (engine R-HOOK-6). */
async function keepDefaultSecrets(app: Application): Promise<void> {
  for (const { id } of await app.reader.organizations()) await keepDefaultSecret(app.forOrganization(id));
}

function secretsOf(pool: Pool, keyring: Keyring, { seals, clock }: Application): SecretsWatch {
  return createSecretsWatch({ missingKeys: () => missingSealingKeys(pool, keyring), seals, clock });
}

async function openConfiguredDatabase(config: Config, dataDir: string, { say }: StartOptions): Promise<OpenDatabase> {
  const { database_url: databaseUrl, pg_bin_dir: binDir } = config.countersign;
  const database = await openDatabase({
    databaseUrl: databaseUrl === "" ? undefined : databaseUrl,
    dataDir,
    ...(binDir !== "" && { binDir }),
    log: say,
  });
  return database;
}

/** Where the running database is, for tools that are given the data directory; it is reached only through this machine's files. */
async function announce(dataDir: string, connectionString: string): Promise<() => Promise<void>> {
  const file = databaseUrlFile(dataDir);
  await writeFile(file, connectionString, { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** In quarantine from the first moment when the start found something (ledger R-QUAR-1). */
async function guardOf(opened: OpenLedger, dataDir: string, options: StartOptions): Promise<LedgerGuard> {
  const { ledger, files, seed, report, installation } = opened;
  const tell = (findings: readonly Finding[]): void => {
    for (const finding of findings) options.log.error(`The ledger was changed: ${findingSentence(finding)}`);
  };
  const { findings } = report;
  if (findings.length > 0) {
    tell(findings);
    const file = await writeTamperReport(dataDir, { ...report, findings });
    options.say(
      `The ledger does not verify; the findings are in ${file}. Nothing can be changed until it is restored.`,
    );
    if (options.exitOnTamper) throw new StartRefused("tampered", `The ledger does not verify: see ${file}.`);
  }
  return new LedgerGuard({
    ...{ ledger, files, seed, findings, sha256: nodeSha256, clock: () => Date.now() },
    origin: installation.origin,
    verified: report.head,
    signedSize: report.checkpoint ?? 0,
    onFindings: (found) => {
      tell(found);
      writeTamperReport(dataDir, { origin: installation.origin, findings: found })
        .catch((error: unknown) => {
          options.log.error({ err: error }, "the report of the findings could not be written");
        })
        .finally(() => {
          options.onTamper(found);
        });
    },
  });
}

async function writeTamperReport(
  dataDir: string,
  report: { readonly origin: string; readonly findings: readonly Finding[] },
): Promise<string> {
  const now = Date.now();
  const file = join(dataDir, `tamper-${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}.json`);
  await writeFile(file, tamperReport(report, now), { mode: 0o600 });
  return file;
}

interface Parts {
  readonly loaded: LoadedConfig;
  readonly options: StartOptions;
  readonly pool: Pool;
  readonly app: Application;
  readonly guard: LedgerGuard;
  readonly commits: CommitSignal;
  readonly opened: OpenLedger;
  readonly schema: number;
}

/** The start is an entry; so is the clean stop, which is signed with everything before it. */
async function recordStart(parts: Parts, closing: Closing): Promise<void> {
  const { loaded, options, app, guard, opened, schema } = parts;
  if (guard.quarantined) return;
  const process = { version: productVersion(), schema, dev: options.development, config_digest: digestOf(loaded) };
  await recordSystemEvent(app, "system.started", process);
  closing.push(async () => {
    if (guard.quarantined) return;
    await recordSystemEvent(app, "system.stopped", process);
    await guard.checkpoint();
  });
  if (opened.isNew && options.development && options.demo) await seedDemo(app);
  await guard.checkpoint();
}

/** Where nobody proves who they are, nobody needs to be set up. */
async function welcomePeople(parts: Parts, dataDir: string, closing: Closing): Promise<void> {
  const { loaded, options, app, guard, commits } = parts;
  if (options.development || guard.quarantined) return;
  await inviteConfiguredPeople(app, loaded.config, (sentence) => {
    options.log.warn(sentence);
  });
  const link = await offerSetup(app, dataDir);
  if (link === null) return;
  options.say(`Set up this installation within the hour: ${link}`);
  const forgetting = forgetUsedLink(app, dataDir, (listener) => commits.subscribe(listener));
  closing.push(async () => {
    forgetting.stop();
    await Promise.resolve();
  });
}

function digestOf({ settings }: LoadedConfig): string {
  const text = canonicalJson(Object.fromEntries(settings.map(({ key, value }) => [key, JSON.stringify(value)])));
  return `sha256:${Buffer.from(nodeSha256(Buffer.from(text, "utf8"))).toString("hex")}`;
}

async function schemaVersion(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ version: number }>("select max(version) as version from schema_migrations");
  return rows[0]?.version ?? 1;
}

function startLoops({ loaded, options, pool, app, guard, commits }: Parts, closing: Closing): void {
  const onError = (error: unknown): void => {
    options.log.warn({ err: error }, "a round of background work failed and will be repeated");
  };
  const subscribe = (listener: (size: number) => void): (() => void) => commits.subscribe(listener);
  const checkpoints = startCheckpointLoop({
    ...{ subscribe, onError },
    checkpoint: () => guard.checkpoint(),
    signedSize: () => guard.signedSize,
  });
  closing.push(() => checkpoints.stop());
  const timers = startTimerLoop({
    ...{ subscribe, onError, timers: app.reader, clock: app.clock },
    apply: (id) => applyDueTimers(app, id),
    fallbackMs: loaded.config.awe.sla.check_interval_seconds * 1_000,
    isPaused: () => guard.quarantined,
  });
  closing.push(() => timers.stop());
  const sweeps = startSweepLoop({
    ...{ onError, clock: app.clock, housekeeping: createHousekeeping(pool) },
    answersTtlHours: loaded.config.awe.idempotency.ttl_hours,
    attemptsDays: loaded.config.awe.webhook.log_days,
    isPaused: () => guard.quarantined,
  });
  closing.push(() => sweeps.stop());
  const chats = startChatLoop({
    ...{ onError, subscribe: (listener) => commits.subscribe(listener), isPaused: () => guard.quarantined },
    tell: channelTelling(app, createChatTold(pool)),
  });
  closing.push(() => chats.stop());
  const startedAt = app.clock();
  const promotes = startPromoteLoop({
    reconcile: () => reconcilePromotes(app, { startedAt }),
    isPaused: () => guard.quarantined,
    onError,
  });
  closing.push(() => promotes.stop());
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    throw code === "EADDRINUSE"
      ? new StartRefused(
          "port_in_use",
          `Port ${String(port)} is in use by another program: choose another with --port.`,
        )
      : new StartRefused("cannot_listen", `The server cannot listen on ${host} port ${String(port)} (${code}).`);
  }
  const [address] = server.addresses();
  const bound = typeof address === "object" ? address.port : port;
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${shown.includes(":") ? `[${shown}]` : shown}:${String(bound)}`;
}

/** Calls under way have this long to end; then their connections are cut. */
const FINISH_MS = 5_000;

async function closeAll(closing: Closing, log: Logger, server?: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => {
    server?.server.closeAllConnections();
  }, FINISH_MS);
  for (const close of closing.splice(0).reverse()) {
    await close().catch((error: unknown) => {
      log.warn({ err: error }, "something did not close cleanly");
    });
  }
  clearTimeout(cut);
}
