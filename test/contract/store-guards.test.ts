/** What the database itself refuses, whoever asks: the last wall before the laws (ledger R-APP-3, R-APP-4). */
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describe } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { createDelegation } from "../../src/app/create-delegation.ts";
import { putDirectoryEntry } from "../../src/app/put-directory-entry.ts";
import { useGrant } from "../../src/app/grant-act.ts";
import { startDevelopmentSession } from "../../src/app/development-session.ts";
import {
  activate,
  ask,
  decide,
  done,
  openRaceWorld,
  racePolicy,
  taskOf,
  type RaceWorld,
} from "../support/race-world.ts";
import { everyRecord } from "../support/every-record.ts";
import { principal } from "../support/test-application.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const HOUR = 3_600_000;

/** Tables without a position in the ledger, each with the reason that was accepted in review. */
const WITHOUT_POSITION: Readonly<Record<string, string>> = {
  ledger_entries: "is the ledger",
  ledger_head: "is where the ledger stands",
  ledger_openings: "belongs to an entry by its own column seq",
  ledger_checkpoints: "is checked by its signature",
  organizations:
    "names the entry of its last change; the first one is made with the ledger itself, before there is an entry",
  ceremonies: "lives for minutes; what it leads to is an entry",
  chat_told: "is how far entries were told in a chat, which is no act",
  deploy_archives: "proves itself by the digest in its id; forgotten after eight days",
  deploy_trees: "proves itself: its id is the hash of what it lists",
  deploy_vcs_facts: "is a copy of what version control said a minute ago, on which nothing rests",
  effect_attempts: "is the worker's note of what it tried",
  cli_logins: "lives for a minute; the session it leads to is an entry",
  failure_counts: "is a counter",
  login_states: "lives for ten minutes; the session it leads to is an entry",
  rate_windows: "is a counter",
  spent_proofs: "only says that something was used; what it was used for is an entry",
  statements: "lives for two minutes; the decision holds it",
  token_uses: "is when a token was last used, which is no act",
  views: "lives for half an hour; a signed decision holds it",
  request_timers: "is when to look again, computed from rows that have positions",
  schema_migrations: "is about the schema, checked at every start",
};

/** Tables whose rows are added with an entry and never change: there is no later entry that a change could name. */
const ONLY_ADDED: readonly string[] = ["audit_records", "events", "grant_uses", "idempotency_keys"];

/** Tables with a guard of their own: archives never change, and of an effect only what became of it does. */
const GUARDED_OTHERWISE: readonly string[] = ["deploy_objects", "effects"];

const ENTRY = {
  ...{ kind: "org.created", actor: "sys_test", credential: null, resource: null, request: null },
} as const;

interface StateTable {
  readonly name: string;
  readonly position: boolean;
  readonly reference: boolean;
  readonly guard: boolean;
}

describeOnEveryPostgres("the database's own guards", (database) => {
  let world: RaceWorld;
  let client: Client;

  beforeAll(async () => {
    world = await openRaceWorld(database.url, ["ann"]);
    await fill(world);
    client = new Client(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await world.close();
  });

  async function tables(): Promise<readonly StateTable[]> {
    const { rows } = await client.query<StateTable>(
      `select c.relname as name,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'entry_seq' and a.attnotnull
           and a.atttypid = 'bigint'::regtype) as position,
         exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.condeferred
           and k.confrelid = 'ledger_entries'::regclass) as reference,
         exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid where t.tgrelid = c.oid
           and p.proname = 'entry_seq_grows' and t.tgenabled <> 'D') as guard
       from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1`,
    );
    return rows;
  }

  it("ledger R-APP-3: every table names the entry behind each row, or stands in a reviewed list", async () => {
    const all = await tables();
    const uncovered = all.filter(({ position, reference }) => !position || !reference).map(({ name }) => name);
    expect(uncovered.sort()).toEqual(Object.keys(WITHOUT_POSITION).sort());
    const unguarded = all.filter(({ position, guard }) => position && !guard).map(({ name }) => name);
    expect(unguarded.sort()).toEqual([...ONLY_ADDED, ...GUARDED_OTHERWISE].sort());
  });

  it("ledger R-APP-3: a row of state cannot change without a later entry, in any table", async () => {
    for (const { name } of (await tables()).filter(({ guard }) => guard)) {
      const { rowCount } = await client.query(`select from ${name}`);
      expect([name, rowCount]).not.toEqual([name, 0]);
      for (const position of ["entry_seq", "entry_seq - 1"]) {
        await expect(client.query(`update ${name} set entry_seq = ${position}`), name).rejects.toMatchObject({
          code: "23000",
          message: `${name} row changed without a ledger entry`,
        });
      }
    }
  });

  it("ledger R-APP-3: a row cannot name an entry that does not exist", async () => {
    for (const { name } of (await tables()).filter(({ position }) => position)) {
      await expect(client.query(`update ${name} set entry_seq = 1000000000 + entry_seq`), name).rejects.toMatchObject({
        // An archive does not even get so far.
        code: name === "deploy_objects" ? "P0001" : "23503",
      });
    }
  });

  it.each([
    "update ledger_entries set text = text",
    "delete from ledger_entries where seq = 0",
    "truncate ledger_entries cascade",
    "insert into ledger_entries select * from ledger_entries where seq = 0",
  ])("ledger R-APP-4: refused even for who owns the database: %s", async (statement) => {
    const { rows: before } = await client.query("select count(*), max(chain) from ledger_entries");
    await expect(client.query(statement)).rejects.toThrow(/never changed or removed|duplicate key/);
    expect((await client.query("select count(*), max(chain) from ledger_entries")).rows).toEqual(before);
  });

  it("engine R-SOD-4: what must be unique is unique in the database as well", async () => {
    for (const statement of [
      again("decisions", { action: "reject" }),
      again("policies", { version: 2 }, "status = 'active'"),
      again("tasks", { position: 99 }, "status = 'open'"),
      again("events", { entry_seq: 0 }),
    ]) {
      await expect(client.query(statement), statement).rejects.toMatchObject({ code: "23505" });
    }
  });
});

/** A row once more, under a new id and with these columns changed. */
function again(table: string, changed: object, where = "true"): string {
  const columns = `jsonb_build_object('id', gen_random_uuid()) || '${JSON.stringify(changed)}'::jsonb`;
  return `insert into ${table} select (jsonb_populate_record(known, ${columns})).* from ${table} known where ${where} limit 1`;
}

/** A row in every table of state. */
async function fill(world: RaceWorld): Promise<void> {
  const [{ app }] = world.sides;
  const policyKey = await activate(world, racePolicy("line", [{ people: ["ann"] }, { people: ["ben"] }]));
  const call = { scope: "caller and route", key: "key", bodyHash: "body", render: () => ({ status: 201, body: {} }) };
  const request = done(await ask(app, world.admin, { policyKey }, call));
  done(await decide(app, world.actor("ann"), taskOf(request, "ann"), "approve"));
  const soon = await activate(world, racePolicy("soon", [{ people: ["ann"] }]));
  const asked = done(await ask(app, world.admin, { policyKey: soon }, { ...call, key: "soon" }));
  done(await decide(app, world.actor("ann"), taskOf(asked, "ann"), "approve"));
  const use = { requestId: asked.id, by: "caller", digest: asked.digest, action: null } as const;
  done(await useGrant(app, world.admin, use, null));
  const times = { startsAt: Date.now(), endsAt: Date.now() + HOUR };
  const absence = { userId: null, delegateTo: "ben", ...times, reason: null, policyKeys: [], artifactTypes: [] };
  done(await createDelegation(app, world.actor("ann"), absence, null));
  done(await putDirectoryEntry(app, world.admin, { kind: "role", client: "", name: "officer", members: ["ann"] }));
  done(await startDevelopmentSession(app, { principal: principal("ann"), client: null, address: null }));
  const { person: ann } = world.actor("ann");
  if (ann === null) throw new Error("ann is a person");
  const known = everyRecord(app.orgId, ann.id, Date.now());
  const one = { ...known, deployApproval: { ...known.deployApproval, requestId: request.id } };
  const entries = [describe({ ...ENTRY, org: ledgerId("org", app.orgId), data: { key: "every.record" } }, app)];
  const records = Object.fromEntries(Object.entries(one).map(([kind, record]) => [kind, [record]]));
  const displays = [{ digest: `sha256:${"0".repeat(64)}`, requestId: request.id, document: {} }];
  await app.store.submit({
    name: "every_record",
    needs: {},
    alone: true,
    carryOut: () => ({ answer: null, changes: { entries, records, displays } }),
  });
}
