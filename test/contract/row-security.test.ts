/** The second wall between organizations: the database itself (docs/spec/identity.md R-ORG-3, docs/adr/0014-second-wall.md). */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCountingProxy } from "../../bench/wire-count.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { createReader, readerOf } from "../../src/adapters/postgres/reader.ts";
import { behindWall, READER_ROLE, type Asked } from "../../src/adapters/postgres/reading-wall.ts";
import type { Application } from "../../src/app/application.ts";
import { addressesOf, authorizationTable } from "../../src/http/authorization.ts";
import { buildServer } from "../../src/http/build-server.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import type { Reader } from "../../src/ports/reader.ts";
import { textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf } from "../support/machine-tokens.ts";
import { must, signedIn, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { readerOfAll, StoredApprovals } from "../support/stored-approvals.ts";
import { createTestDatabase, describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const MIGRATIONS = join(packageRoot(), "db", "migrations");

/** A reader whose every statement asks for `wanted`, on a source that may let it see less. */
function askingFor(wanted: string, own: Asked, installation: Pool): Reader {
  return readerOf({ own, installation }, { orgId: wanted });
}

describeOnEveryPostgres("the reading routes, asking for another organization's rows", (database) => {
  let at: TestServer;
  let ana: TestBrowser;
  let ben: TestBrowser;
  let first = "";
  let second = "";
  /** What a path's variables are filled with: things of Ana's. */
  const hers = new Map<string, string>();

  beforeAll(async () => {
    at = await openServer(database.url, { application: { identity: { development: false } } });
    const platform = await signedIn(at, { login: "platform", name: "Pat" });
    second = textAt(must(await platform.post("/orgs", { name: "Second", slug: "second" }, { fresh: true }), 201), "id");
    first = at.app.orgId;
    const roles = ["admin", "org_admin", "auditor"];
    ana = await signedInAs(at, platform, { roles, login: "secret-ana", name: "Secret Ana" });
    ben = await signedInAs(at, platform, { roles, login: "ben", organization: second });
    await makeThings();
  }, 60_000);

  afterAll(async () => {
    await at.close();
  });

  async function makeThings(): Promise<void> {
    const rules = [{ rule_type: "user", rule_value: { user_id: "secret-ana" } }];
    const stages = [{ name: "Secret stage", stage_order: 1, rules }];
    const policy = { policy_key: "secret", name: "Secret", artifact_type: "secret-thing", stages };
    must(await ana.post("/policies", policy, { fresh: true }), 201);
    must(await ana.post("/policies/secret/versions/1/activate", {}, { fresh: true }), 200);
    const asked = { policy_key: "secret", artifact_type: "secret-thing", artifact_id: "1", requester: "secret-rita" };
    const request = must(await ana.post("/requests", asked), 201);
    hers.set("/requests/:id", textAt(request, "request_id"));
    hers.set("/tasks/:id", textAt(request, "tasks", 0, "id"));
    hers.set("/people/:id", ana.personId);
    hers.set("/policies/:key", "secret");
    hers.set(":version", "1");
    const machine = await machineOf(ana, { name: "secret machine" });
    await tokenOf(ana, machine, { name: "secret token" });
    must(await ana.put("/directory/roles/secret-role", { members: ["secret-ana"] }, { fresh: true }), 200);
    must(await ana.put("/directory/groups?path=/secret-group", { members: ["secret-ana"] }, { fresh: true }), 200);
    const hour = 3_600_000;
    const delegation = {
      ...{ delegate_to: "secret-rita", reason: "secret leave" },
      starts_at: new Date(Date.now() + hour).toISOString(),
      ends_at: new Date(Date.now() + 24 * hour).toISOString(),
    };
    must(await ana.post("/delegations", delegation, { fresh: true }), 201);
  }

  /** Ben's own server, its reader replaced. Who Ben is, is still found: otherwise every call would end there. */
  async function told(by: TestBrowser, orgId: string, reader: Reader): Promise<ReadonlyMap<string, string>> {
    const own = at.app.forOrganization(orgId).reader;
    const replaced: Reader = {
      ...reader,
      person: (id) => own.person(id),
      identify: (principal) => own.identify(principal),
      records: (query) => own.records(query),
      organizations: () => own.organizations(),
    };
    const forOrganization = (id: string): Application => ({
      ...at.app.forOrganization(id),
      ...(id === orgId && { reader: replaced }),
    });
    const server = await buildServer({ ...at.options, app: { ...at.app, forOrganization } });
    const answers = new Map<string, string>();
    for (const path of readingPaths()) {
      const answer = await server.inject({ method: "GET", url: path, headers: { cookie: by.cookie } });
      answers.set(path, `${String(answer.statusCode)} ${answer.body}`);
    }
    await server.close();
    return answers;
  }

  function readingPaths(): readonly string[] {
    const rows = authorizationTable.filter(({ method, access }) => method === "GET" && access !== "public");
    return rows
      .map((row) => addressesOf(row).at(-1) ?? "")
      .filter((path) => !/\/(?:events|wait|export|waiting)\b/.test(path) || path.endsWith(":id/events"))
      .map((path) => [...hers].reduce((filled, [variable, value]) => fill(filled, variable, value), path))
      .map((path) => (path === "/v1/tasks" ? "/v1/tasks?assignee=*&status=open" : path));
  }

  function fill(path: string, variable: string, value: string): string {
    return path.replace(variable, variable.replace(/:[a-z]+$/, value));
  }

  /** Paths whose answer tells of something of Ana's, besides what the path itself says. */
  function leaks(answers: ReadonlyMap<string, string>): readonly string[] {
    const isHers = (body: string): boolean =>
      /secret (?:stage|machine|token|leave|ana)|secret-(?:thing|rita|ana|role|group)/i.test(body);
    return [...answers].filter(([, body]) => isHers(body)).map(([path]) => path.replace(/[0-9a-f-]{36}/, ":id"));
  }

  it("identity R-ORG-3: the rows of another organization do not leak where the statements ask for them", async () => {
    const walled = askingFor(first, behindWall(at.pool, second), at.pool);
    expect(leaks(await told(ben, second, walled))).toEqual([]);
  });

  it("identity R-ORG-3: it is the wall that keeps them: without it the same calls tell", async () => {
    const open = askingFor(first, at.pool, at.pool);
    const told = [
      ...["/v1/requests", "/v1/requests/:id", "/v1/requests/:id/events", "/v1/tasks?assignee=*&status=open"],
      ...["/v1/tasks/:id", "/v1/policies", "/v1/policies/secret/versions/1", "/v1/machines", "/v1/tokens"],
      ...["/v1/people", "/v1/directory/roles", "/v1/directory/groups", "/v1/delegations", "/v1/admin/audit"],
    ];
    expect(await leaksOf(open)).toEqual(expect.arrayContaining(told));
  });

  async function leaksOf(reader: Reader): Promise<readonly string[]> {
    return leaks(await told(ben, second, reader));
  }

  it("identity R-ORG-3: a person's own organization is read as before", async () => {
    const own = await told(ana, first, createReader(at.pool, { orgId: first }));
    expect(leaks(own)).toEqual(expect.arrayContaining(["/v1/requests", "/v1/tasks/:id", "/v1/people/:id"]));
  });

  it("identity R-ORG-3: statements without any condition see one organization, on every table that has one", async () => {
    const { rows } = await at.pool.query<{ name: string; walled: boolean; read: boolean }>(
      `select c.relname as name, c.relrowsecurity as walled, has_table_privilege('${READER_ROLE}', c.oid, 'select') as read
       from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname in ('org_id', 'org') order by 1`,
    );
    expect(rows.filter(({ walled }) => !walled)).toEqual([]);
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ read }) => !read).map(({ name }) => name)).toEqual([
      ...["ledger_entries", "one_time_links", "sessions"],
    ]);
    const readable = rows.filter(({ read, name }) => read && name !== "people");
    for (const { name } of readable) {
      const text = `select count(*) from ${name} where org_id is not null and org_id <> '${second}'`;
      const behind = await behindWall(at.pool, second).query<{ count: number }>({ text });
      expect([name, behind.rows[0]?.count]).toEqual([name, 0]);
    }
    const sees = await at.pool.query<{ count: number }>(`select count(*) from requests where org_id <> '${second}'`);
    expect(sees.rows[0]?.count).toBe(1);
    const known = await behindWall(at.pool, second).query<{ id: string }>({ text: "select id from people" });
    expect(known.rows.map(({ id }) => id)).toContain(ben.personId);
    expect(known.rows.map(({ id }) => id)).not.toContain(ana.personId);
  });

  it("identity R-ORG-3: what belongs to a request or a token goes with it", async () => {
    for (const text of ["select from request_timers", "select from displays", "select from token_uses"]) {
      await at.pool.query("insert into token_uses select id, now(), '::1' from api_tokens on conflict do nothing");
      expect((await behindWall(at.pool, second).query({ text })).rowCount).toBe(0);
    }
    const timers = await behindWall(at.pool, first).query({ text: "select from request_timers" });
    expect(timers.rowCount).toBe((await at.pool.query("select from request_timers")).rowCount);
    expect((await behindWall(at.pool, first).query({ text: "select from token_uses" })).rowCount).toBe(1);
  });

  it("identity R-ORG-3: a read that names no organization sees nothing", async () => {
    const client = await at.pool.connect();
    await client.query(`begin; set local role ${READER_ROLE}`);
    const seen = await client.query("select from requests union all select from policies union all select from people");
    await client.query("rollback");
    client.release();
    expect(seen.rowCount).toBe(0);
  });

  it("identity R-ORG-3: nothing stays on the connection: the next question of it is another organization's", async () => {
    const pool = connect(database.url, { poolSize: 1 });
    const count = { text: "select id from requests" };
    expect((await behindWall(pool, first).query(count)).rowCount).toBe(1);
    expect((await behindWall(pool, second).query(count)).rowCount).toBe(0);
    await expect(behindWall(pool, second).query({ text: "select 1 / 0" })).rejects.toThrow(/division by zero/);
    expect((await pool.query("select current_user = session_user as same")).rows).toEqual([{ same: true }]);
    expect((await pool.query(count)).rowCount).toBe(1);
    await pool.end();
  });

  it("identity R-ORG-3: a reader cannot write", async () => {
    const text = "update requests set requester = 'mallory'";
    await expect(behindWall(at.pool, first).query({ text })).rejects.toThrow(/read-only transaction|permission denied/);
  });
});

describe("what the wall costs", () => {
  it("identity R-ORG-3: a question behind the wall is one round trip, as one without it", async () => {
    const database = await createTestDatabase();
    const directory = await mkdtemp(join(tmpdir(), "countersign-wall-"));
    const counting = await startCountingProxy(database.url, directory);
    const pool = connect(counting.url, { poolSize: 1 });
    const reader = createReader(pool, { orgId: randomUUID() });
    await reader.policyVersions("warm-up");
    const before = counting.count();
    await reader.policyVersions("counted");
    const after = counting.count();
    expect(after.roundTrips - before.roundTrips).toBe(1);
    await pool.end();
    await counting.close();
    await rm(directory, { recursive: true, force: true });
    await database.drop();
  });
});

/** The embedded database admits nobody but its own user: these are an external one's. */
describe("row-level security under database users of every kind", () => {
  const endings: (() => Promise<unknown>)[] = [];

  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
  });

  interface Given {
    readonly url: string;
    readonly name: string;
    readonly admin: Client;
  }

  /** A database and a user who may connect to it; the user owns an empty one, and none that has our tables. */
  async function databaseFor(traits: string, template?: "template0"): Promise<Given> {
    const database = await createTestDatabase("external", template);
    const name = `wall_${randomUUID().slice(0, 8)}`;
    const admin = new Client(database.url);
    await admin.connect();
    endings.push(() => withAdministrator(`drop role ${name}`));
    endings.push(() => database.drop());
    endings.push(() => admin.end());
    await admin.query(`create role ${name} login password 'wall' ${traits}`);
    if (template !== undefined) {
      await admin.query(`alter database ${new URL(database.url).pathname.slice(1)} owner to ${name}`);
    }
    const url = new URL(database.url);
    url.username = name;
    url.password = "wall";
    return { url: url.toString(), name, admin };
  }

  async function withAdministrator(statement: string): Promise<void> {
    const database = await createTestDatabase("external", "template0");
    const admin = new Client(database.url);
    await admin.connect();
    await admin.query(statement);
    await admin.end();
    await database.drop();
  }

  /** What readers of two organizations see of a request of the first, asking for it by that one's name. */
  async function seenBy(url: string): Promise<{ readonly own: number; readonly other: number }> {
    const pool = connect(url, { poolSize: 2 });
    const stored = new StoredApprovals(pool);
    await stored.prepare();
    await stored.request({ requester: "ana" });
    const mine = await createReader(pool, { orgId: stored.orgId }).requests({ limit: 10 }, readerOfAll());
    const foreign = askingFor(stored.orgId, behindWall(pool, randomUUID()), pool);
    const theirs = await foreign.requests({ limit: 10 }, readerOfAll());
    await pool.end();
    return { own: mine.items.length, other: theirs.items.length };
  }

  const FORCED = "select count(*) from pg_class where relforcerowsecurity";

  it("identity R-ORG-3: an owner who may create roles reads in the reader's role, or is subject to the policies", async () => {
    const { url } = await databaseFor("createrole", "template0");
    await migrate(url, { directory: MIGRATIONS });
    expect(await seenBy(url)).toEqual({ own: 1, other: 0 });
  });

  it("identity R-ORG-3: on an owner who may not, the policies are forced, and writing and migrating go on", async () => {
    const { url, name, admin } = await databaseFor("nocreaterole", "template0");
    await migrate(url, { directory: MIGRATIONS });
    expect(await seenBy(url)).toEqual({ own: 1, other: 0 });
    expect((await migrate(url, { directory: MIGRATIONS })).applied).toEqual([]);
    expect((await admin.query<{ count: string }>(FORCED)).rows[0]?.count).not.toBe("0");
    // An administrator gives the role: then the owner reads the tables whole again, as pg_dump does.
    await admin.query(`grant ${READER_ROLE} to ${name}`);
    await migrate(url, { directory: MIGRATIONS });
    expect((await admin.query<{ count: string }>(FORCED)).rows[0]?.count).toBe("0");
    const pool = connect(url, { poolSize: 1 });
    const behind = await behindWall(pool, randomUUID()).query({ text: "select from requests" });
    const whole = await pool.query("set row_security = off; select from requests");
    expect([behind.rowCount, [whole].flat().at(-1)?.rowCount]).toEqual([0, 1]);
    await pool.end();
  });

  it("identity R-ORG-3: a user who owns nothing and may only read and write rows is subject to the policies", async () => {
    const { url, name, admin } = await databaseFor("nocreaterole");
    await admin.query(`grant select, insert, update, delete on all tables in schema public to ${name}`);
    await migrate(url, { directory: MIGRATIONS });
    expect(await seenBy(url)).toEqual({ own: 1, other: 0 });
  });

  it("identity R-ORG-3: a user above all policies who may not take on the role is refused at the start", async () => {
    const { url, name, admin } = await databaseFor("bypassrls", "template0");
    await expect(migrate(url, { directory: MIGRATIONS })).rejects.toMatchObject({ code: "reading_wall" });
    const pool = connect(url, { poolSize: 1 });
    const read = (): Promise<unknown> => behindWall(pool, randomUUID()).query({ text: "select from requests" });
    await expect(read()).rejects.toMatchObject({ code: "reading_wall" });
    await admin.query(`grant ${READER_ROLE} to ${name}`);
    await migrate(url, { directory: MIGRATIONS });
    expect(await read()).toMatchObject({ rowCount: 0 });
    await pool.end();
  });
});
