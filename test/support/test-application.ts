/** The real application on a real database, without HTTP: for tests of use cases, storage and races. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { Client, type Pool } from "pg";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createCommandStore, type PostgresCommandStore } from "../../src/adapters/postgres/command-store.ts";
import { createPasskeys } from "../../src/adapters/factors/passkeys.ts";
import { createPasswords } from "../../src/adapters/factors/passwords.ts";
import { createTotp } from "../../src/adapters/factors/totp.ts";
import { createReader } from "../../src/adapters/postgres/reader.ts";
import { createFailureCounter, createRateCounter, createScratch } from "../../src/adapters/postgres/scratch.ts";
import { createSealing } from "../../src/adapters/sealing/sealing.ts";
import { PolicyCache } from "../../src/adapters/postgres/working-set.ts";
import type { DeployParts } from "../../src/app/deploy/deploy-parts.ts";
import type { Application, ApplicationSettings, IdentitySettings } from "../../src/app/application.ts";
import { identify, type Principal } from "../../src/app/identify.ts";
import { LastSeen } from "../../src/app/last-seen.ts";
import { OrganizationDirectory } from "../../src/app/organization-directory.ts";
import { mintPerson } from "../../src/app/mint-person.ts";
import { RefusalDesk } from "../../src/app/refusal-desk.ts";
import type { NewId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { admitted, type Actor } from "../../src/app/admitted-actor.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { emptyHead } from "../../src/ledger/head.ts";
import { buildIdentityProviders } from "../../src/main/build-identity-providers.ts";
import { randomId } from "../../src/main/random-id.ts";
import type { Sha256 } from "../../src/ledger/sha256.ts";
import { testDeployParts } from "./test-deploy-parts.ts";

export const ORIGIN = "localhost/test/ledger";

export interface TestApplication {
  readonly app: Application;
  readonly store: PostgresCommandStore;
  readonly pool: Pool;
  /** Moves the clock that commands see. */
  advance(milliseconds: number): void;
  person(name: string, options?: Partial<Principal>): Promise<Actor>;
  admin(name?: string): Promise<Actor>;
  close(): Promise<void>;
}

export const sha256: Sha256 = (data) => createHash("sha256").update(data).digest();

const newId: NewId = randomId;

/** Puts the organization and the empty ledger into a fresh database. */
export async function initialize(url: string): Promise<string> {
  const orgId = randomUUID();
  const head = emptyHead(ORIGIN, sha256);
  const client = new Client(url);
  await client.connect();
  await client.query("insert into organizations (id, name, created_at) values ($1, 'Test', now())", [orgId]);
  await client.query(
    "insert into ledger_head (origin, size, root, chain, ranges, last_at) values ($1, $2, $3, $4, $5, $6)",
    [ORIGIN, head.size, head.root, head.chain, head.ranges, head.lastAt],
  );
  await client.end();
  return orgId;
}

export interface TestApplicationOptions {
  readonly orgId: string;
  readonly settings?: Partial<ApplicationSettings>;
  readonly identity?: Partial<IdentitySettings>;
  readonly batchMax?: number;
  readonly deploy?: Partial<DeployParts>;
  readonly managedPolicies?: readonly JsonObject[];
}

export function openApplication(url: string, options: TestApplicationOptions): TestApplication {
  let offset = 0;
  const clock = (): number => Date.now() + offset;
  const random = (length: number): Uint8Array => randomBytes(length);
  const store = createCommandStore({
    connectionString: url,
    orgId: options.orgId,
    sha256,
    clock,
    newId,
    policies: new PolicyCache(1_000),
    mint: (name, world) => mintPerson(name, world, { sha256, random, orgId: world.orgId }),
    isQuarantined: () => false,
    ...(options.batchMax === undefined ? {} : { batchMax: options.batchMax }),
  });
  const pool = connect(url, { applicationName: "test-reader", poolSize: 4 });
  const settings: ApplicationSettings = {
    adminOverride: "allow",
    defaultTtlHours: 8760,
    enforceArtifactType: true,
    delegationMaxDays: 90,
    readScope: "participants",
    machineRequests: { perMinute: 60, open: 500 },
    ...options.settings,
  };
  const identity: IdentitySettings = { ...TEST_IDENTITY, ...options.identity };
  const { origin, hostname } = new URL(identity.publicUrl);
  const shared = {
    scratch: createScratch(pool),
    rates: createRateCounter(pool),
    failures: createFailureCounter(pool),
    seals: createSealing({ sealing: "test", keys: new Map([["test", randomBytes(32)]]) }),
    passkeys: createPasskeys({ rpId: hostname, origin, rpName: "Countersign" }),
    totp: createTotp(),
    passwords: createPasswords(),
    ...buildIdentityProviders({
      outbound: { allow: [], allowHttp: false, development: true },
      clock,
      warn: () => undefined,
    }),
    ...{ settings, identity, sha256, random, newId, clock, lastSeen: new LastSeen() },
    refusals: new RefusalDesk((error) => {
      throw error;
    }),
    organizations: new OrganizationDirectory(createReader(pool, { orgId: options.orgId }), clock),
    deploy: { ...testDeployParts(clock), ...options.deploy },
    managedPolicies: options.managedPolicies ?? [],
  };
  const forOrganization = (orgId: string): Application => {
    const reader = createReader(pool, { orgId });
    return { ...shared, reader, store: store.forOrganization(orgId), orgId, forOrganization };
  };
  const app = forOrganization(options.orgId);
  const person = async (name: string, more: Partial<Principal> = {}): Promise<Actor> => {
    const actor = await identify(app, { ...principal(name), ...more });
    if (isRefusal(actor)) throw new Error(actor.message);
    return admitted(actor);
  };
  return {
    app,
    store,
    pool,
    advance: (milliseconds) => {
      offset += milliseconds;
    },
    person,
    admin: (name = "admin") => person(name, { roles: ["AWE_ADMIN"] }),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}

/** What the server of these tests says of itself. */
const TEST_IDENTITY: IdentitySettings = {
  publicUrl: "https://approvals.example.com",
  stepUpWindowSeconds: 600,
  coolDownHours: 24,
  webIdleSeconds: 3_600,
  webSeconds: 86_400,
  cliSeconds: 86_400,
  sessionsPerPerson: 20,
  trustedDeviceDays: 30,
  backupCodesDecide: true,
  requireMfaAll: false,
  stepUpForJwt: false,
  apiTokenMaxDays: 365,
  personTokenAudience: null,
  peopleIssuers: [],
  said: { factor_cool_down_hours: { by: "environment", variable: "COUNTERSIGN_FACTOR_COOL_DOWN" } },
  development: true,
};

/** A token whose subject, user name and display name all differ, as a real identity provider's do. */
export function principal(name: string): Principal {
  return {
    issuer: "https://idp.example",
    subject: `subject-of-${name}`,
    assignee: name,
    name: `Display ${name}`,
    email: `${name}@example.com`,
    clientId: "staff-portal",
    machine: false,
    roles: [],
  };
}
