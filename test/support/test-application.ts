/** The real application on a real database, without HTTP: for tests of use cases, storage and races. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { Client, type Pool } from "pg";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createCommandStore, type PostgresCommandStore } from "../../src/adapters/postgres/command-store.ts";
import { createReader } from "../../src/adapters/postgres/reader.ts";
import { PolicyCache } from "../../src/adapters/postgres/working-set.ts";
import type { Application, ApplicationSettings } from "../../src/app/application.ts";
import { identify, type Principal } from "../../src/app/identify.ts";
import { mintPerson } from "../../src/app/mint-person.ts";
import type { NewId } from "../../src/core/ids.ts";
import type { Actor } from "../../src/core/person.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { emptyHead } from "../../src/ledger/head.ts";
import { randomId } from "../../src/main/random-id.ts";
import type { Sha256 } from "../../src/ledger/sha256.ts";

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
  readonly batchMax?: number;
}

export function openApplication(url: string, options: TestApplicationOptions): TestApplication {
  let offset = 0;
  const clock = (): number => Date.now() + offset;
  const random = (length: number): Uint8Array => randomBytes(length);
  const tools = { sha256, random, orgId: options.orgId };
  const store = createCommandStore({
    connectionString: url,
    orgId: options.orgId,
    sha256,
    clock,
    newId,
    policies: new PolicyCache(1_000),
    mint: (name, world) => mintPerson(name, world, tools),
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
    ...options.settings,
  };
  const app: Application = { store, reader: createReader(pool, { orgId: options.orgId }), settings, ...tools, clock };
  const person = async (name: string, more: Partial<Principal> = {}): Promise<Actor> => {
    const actor = await identify(app, { ...principal(name), ...more });
    if (isRefusal(actor)) throw new Error(actor.message);
    return actor;
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
