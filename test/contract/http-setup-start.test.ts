/** A start says how the first administrator comes in, and invites those whom the configuration names. */
import { existsSync } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { loadConfig } from "../../src/main/config.ts";
import { newSetupLink } from "../../src/main/new-setup-link.ts";
import type { RunningServer } from "../../src/main/start-server.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { startTestServer, temporaryDirectory } from "../support/running-server.ts";
import { SoftwareAuthenticator } from "../support/software-authenticator.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

let database: TestDatabase;
let data: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  database = await createTestDatabase();
  data = await temporaryDirectory();
});
afterAll(async () => {
  await database.drop();
  await data.remove();
});

const LINK = /http:\/\/localhost:\d+\/app\/setup#([A-Za-z0-9_-]{43})/;

async function setUp(url: string, token: string): Promise<Response> {
  const about = { token, organization: "Example", name: "Rosa", email: "rosa@example.com", login: "rosa" };
  const headers = { "content-type": "application/json" };
  return fetch(`${url}/v1/setup`, { method: "POST", headers, body: JSON.stringify(about) });
}

/** Enrols a passkey with the session that setting up gave. */
async function enrol({ url, publicUrl }: RunningServer, set: Response): Promise<void> {
  const me = objectIn(await set.text());
  const [cookie = ""] = (set.headers.get("set-cookie") ?? "").split(";");
  const own = { cookie, origin: publicUrl, "x-csrf-token": textAt(me, "csrf_token") };
  const post = async (path: string, body: object): Promise<JsonObject> => {
    const headers = { ...own, "content-type": "application/json" };
    const answer = await fetch(`${url}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect([path, answer.status]).toEqual([path, 201]);
    return objectIn(await answer.text());
  };
  const { ceremony, options } = await post("/me/factors/passkey/options", {});
  const response = new SoftwareAuthenticator({ origin: publicUrl }).register(options ?? null);
  await post("/me/factors/passkey", { ceremony, response, name: "Key" });
}

it("identity R-LOCAL-5: the link is one line at start and a file for its owner alone; a new start replaces it", async () => {
  const place = { databaseUrl: database.url, dataDir: data.path };
  const first: string[] = [];
  const one = await startTestServer(place, { development: false, demo: false, say: (line) => first.push(line) });
  const told = first.filter((line) => LINK.test(line));
  expect(told).toHaveLength(1);
  const token = LINK.exec(told[0] ?? "")?.[1] ?? "";
  const file = join(data.path, "setup-link");
  expect(await readFile(file, "utf8")).toContain(token);
  expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
  await one.close();

  const second: string[] = [];
  const two = await startTestServer(place, { development: false, demo: false, say: (line) => second.push(line) });
  const newer = LINK.exec(second.join("\n"))?.[1] ?? "";
  expect(newer).not.toBe(token);
  expect((await setUp(two.url, token)).status).toBe(404);
  const loaded = loadConfig({}, { "countersign.data_dir": data.path, "countersign.database_url": database.url });
  const newest = LINK.exec((await newSetupLink(loaded, {})) ?? "")?.[1] ?? "";
  expect((await setUp(two.url, newer)).status).toBe(404);
  const set = await setUp(two.url, newest);
  expect(set.status).toBe(201);
  await access(file);
  await enrol(two, set);
  await expect.poll(() => existsSync(file)).toBe(false);
  expect(await newSetupLink(loaded, {})).toBeNull();
  await two.close();
}, 120_000);

it("identity R-LOCAL-5: development mode, where nobody proves who they are, sets nobody up", async () => {
  const [other, place] = [await createTestDatabase(), await temporaryDirectory()];
  const said: string[] = [];
  const running = await startTestServer(
    { databaseUrl: other.url, dataDir: place.path },
    { demo: false, say: (line) => said.push(line) },
  );
  expect(said.join("\n")).not.toMatch(/setup#/);
  await expect(access(join(place.path, "setup-link"))).rejects.toThrow();
  await running.close();
  await other.drop();
  await place.remove();
}, 60_000);

it("identity R-LOCAL-7, deploy R-LOGIN-4: the configuration's people are invited with their role, and known ones stay as they are", async () => {
  const [other, place] = [await createTestDatabase(), await temporaryDirectory()];
  const at = { databaseUrl: other.url, dataDir: place.path };
  const people = async (): Promise<unknown> => {
    const client = new Client(other.url);
    await client.connect();
    const { rows } = await client.query(
      `select person.email, person.status, array_agg(given.role || ' ' || given.source) as roles from people person
       join role_grants given on given.person_id = person.id and given.ended_at is null
       group by person.id order by person.email`,
    );
    await client.end();
    return rows;
  };
  const ana = { email: "ana@example.com", status: "invited", roles: ["admin environment"] };
  const ben = { email: "ben@example.com", status: "invited", roles: ["viewer environment"] };
  const start = async (environment: Readonly<Record<string, string>>): Promise<void> => {
    const running = await startTestServer(at, { development: false, demo: false }, environment);
    await running.close();
  };
  await start({ ADMIN_USERS: "ana@example.com", VIEWER_USERS: " Ben@example.com, ben@example.com" });
  expect(await people()).toEqual([ana, ben]);
  await start({ ADMIN_USERS: "ANA@example.com,ben@example.com", DEPLOYER_USERS: "ana@example.com" });
  expect(await people()).toEqual([ana, ben]);
  await other.drop();
  await place.remove();
}, 120_000);
