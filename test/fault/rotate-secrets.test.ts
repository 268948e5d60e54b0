/** `countersign secrets rotate` in a process of its own, killed in between, on every Postgres. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseKeyring } from "../../src/adapters/sealing/keyring.ts";
import { createSealing } from "../../src/adapters/sealing/sealing.ts";
import { factorSecret } from "../../src/app/factor-places.ts";
import { countersign, type CountersignProcess } from "../support/countersign-process.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const SECRETS = 1_700;
const WAIT = { timeout: 60_000, interval: 5 };

function key(id: string): string {
  return `${id}:${randomBytes(32).toString("base64")}`;
}

describeOnEveryPostgres("rotating the sealing keys", (database) => {
  const [OLD, NEW] = [key("old"), key("new")];
  const running: CountersignProcess[] = [];
  let data = "";
  let url = "";
  let client: Client;

  beforeEach(async () => {
    data = await mkdtemp("/tmp/countersign-rotate-");
    ({ url } = await database.fresh());
    client = new Client(url);
    await client.connect();
    await install();
  });
  afterEach(async () => {
    for (const process of running.splice(0)) {
      process.kill("SIGKILL");
      await process.exited;
    }
    await client.end();
    await rm(data, { recursive: true, force: true });
  });

  function run(args: readonly string[], keys: string): CountersignProcess {
    const process = countersign([...args, "--data", join(data, "data"), "--database", url], {
      COUNTERSIGN_SEALING_KEYS: keys,
    });
    running.push(process);
    return process;
  }

  /** A start makes the installation; then the server has done its part. */
  async function install(): Promise<void> {
    const server = run(["dev", "--no-demo", "--port", "0"], OLD);
    await server.url;
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    // What the start itself has sealed is not counted here.
    await client.query("delete from webhook_secrets");
  }

  async function enrolSecrets(): Promise<ReadonlyMap<string, string>> {
    const seals = createSealing(parseKeyring(OLD, "test"));
    const person = randomUUID();
    const secrets = new Map(Array.from({ length: SECRETS }, () => [randomUUID(), randomBytes(20).toString("hex")]));
    await client.query(
      `insert into people (id, org_id, assignee, status, created_at, entry_seq)
       select $1, id, 'ana', 'active', now(), 0 from organizations limit 1`,
      [person],
    );
    await client.query(
      `insert into factors (id, person_id, type, name, secret, created_at, usable_at, entry_seq)
       select id, $1, 'totp', 'Phone', secret, now(), now(), 0
       from json_to_recordset($2) as given(id uuid, secret text)`,
      [
        person,
        JSON.stringify([...secrets].map(([id, secret]) => ({ id, secret: seals.seal(secret, factorSecret(id)) }))),
      ],
    );
    return secrets;
  }

  async function sealedWith(keyId: string): Promise<number> {
    const { rows } = await client.query<{ count: string }>(
      "select count(*) as count from factors where split_part(secret, '.', 2) = $1",
      [keyId],
    );
    return Number(rows[0]?.count);
  }

  it("identity R-SEAL-3: goes on where a kill -9 stopped it, in whole batches of 500, and loses nothing", async () => {
    const secrets = await enrolSecrets();
    const killed = run(["secrets", "rotate"], `${NEW},${OLD}`);
    await expect.poll(() => killed.printed(), WAIT).toContain(`500 of ${String(SECRETS)} secrets`);
    killed.kill("SIGKILL");
    expect(await killed.exited).toBe("SIGKILL");
    const before = await sealedWith("new");
    expect([500, 1_000, 1_500]).toContain(before);
    const resumed = run(["secrets", "rotate", "--json"], `${NEW},${OLD}`);
    expect(await resumed.exited).toBe(0);
    expect(resumed.printed()).toContain(`{"key":"new","resealed":${String(SECRETS - before)},"unreadable":0}`);
    expect(await sealedWith("new")).toBe(SECRETS);
    const seals = createSealing(parseKeyring(NEW, "test"));
    const { rows } = await client.query<{ id: string; secret: string }>("select id, secret from factors");
    expect(new Map(rows.map(({ id, secret }) => [id, seals.open(secret, factorSecret(id))]))).toEqual(secrets);
    const verified = run(["verify", "--full"], NEW);
    expect([await verified.exited, verified.printed()]).toEqual([0, expect.stringContaining("Sound")]);
  }, 180_000);

  it("identity R-SEAL-3: a key that still seals something cannot be dropped: the start is refused with counts", async () => {
    await enrolSecrets();
    const refused = run(["dev", "--no-demo", "--port", "0"], NEW);
    expect(await refused.exited).toBe(2);
    expect(refused.printed()).toContain(`old (${String(SECRETS)})`);
    expect(refused.printed()).toContain("sealing_key_missing");
    // Neither can what nobody holds a key for be rotated; it stays as it is.
    const rotated = run(["secrets", "rotate"], NEW);
    expect([await rotated.exited, await sealedWith("old")]).toEqual([1, SECRETS]);
    expect(rotated.printed()).toContain(`${String(SECRETS)} could not be opened`);
  }, 180_000);
});
