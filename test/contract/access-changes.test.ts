/** Hearing of changes of access: in other connections' commits, after a lost connection, and never twice for nothing. */
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterEach, expect, it } from "vitest";
import { watchAccessChanges, type AccessChanges } from "../../src/adapters/postgres/access-changes.ts";
import { createTokenUses } from "../../src/adapters/postgres/token-uses.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { startFaultyNetwork } from "../support/faulty-network.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const SOON = { timeout: 10_000, interval: 5 };

describeOnEveryPostgres("changes of access", (database) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  function watch(url: string): { readonly changes: AccessChanges; heard: number; readonly errors: unknown[] } {
    const errors: unknown[] = [];
    const changes = watchAccessChanges(url, { onError: (error) => errors.push(error) });
    const watched = { changes, heard: 0, errors };
    changes.subscribe(() => {
      watched.heard += 1;
    });
    closing.push(() => changes.close());
    return watched;
  }

  async function other(): Promise<Client> {
    const client = new Client(database.url);
    await client.connect();
    closing.push(() => client.end());
    return client;
  }

  const insert = "insert into organizations (id, name, created_at) values ($1, 'Another', now())";

  it("identity R-TOK-9: are heard within a second of the commit of any process, and not before it", async () => {
    const watched = watch(database.url);
    await watched.changes.listening;
    const before = watched.heard;
    const client = await other();
    await client.query("begin");
    await client.query(insert, [randomUUID()]);
    await client.query("select 1");
    expect(watched.heard).toBe(before);
    const committed = performance.now();
    await client.query("commit");
    await expect.poll(() => watched.heard, SOON).toBe(before + 1);
    expect(performance.now() - committed).toBeLessThan(1_000);
  });

  it("identity R-TOK-9: a connection that is cut counts as a change, and is made again", async () => {
    const network = await startFaultyNetwork(database.url);
    closing.push(() => network.close());
    const watched = watch(network.url);
    await watched.changes.listening;
    const before = watched.heard;
    network.cutAll();
    // Once for the loss and once for what may have been missed meanwhile.
    await expect.poll(() => watched.heard, SOON).toBeGreaterThanOrEqual(before + 2);
    expect(watched.errors.length).toBeGreaterThan(0);
    const again = watched.heard;
    await (await other()).query(insert, [randomUUID()]);
    await expect.poll(() => watched.heard, SOON).toBe(again + 1);
  });

  it("identity R-TOK-9: a connection that the network lost without a word is noticed", async () => {
    const network = await startFaultyNetwork(database.url);
    closing.push(() => network.close());
    const watched = watch(network.url);
    await watched.changes.listening;
    const before = watched.heard;
    network.freeze();
    await expect.poll(() => watched.heard, SOON).toBeGreaterThan(before);
    network.repair();
    const lost = watched.heard;
    await expect.poll(() => watched.heard, SOON).toBeGreaterThan(lost);
  });

  it("ends without waiting for a database that is away", async () => {
    const watched = watch("postgres://nobody@127.0.0.1:1/none");
    await expect.poll(() => watched.errors.length, SOON).toBeGreaterThan(0);
    await watched.changes.close();
    await watched.changes.listening;
  });

  it("identity R-TOK-8: last uses are written in one statement, and an older one never replaces a newer", async () => {
    const pool = connect(database.url);
    closing.push(() => pool.end());
    const uses = createTokenUses(pool);
    const [one, two] = [randomUUID(), randomUUID()];
    await uses.write([
      { tokenId: one, usedAt: 2_000, address: "192.0.2.1" },
      { tokenId: two, usedAt: 1_000, address: null },
    ]);
    await uses.write([{ tokenId: one, usedAt: 1_000, address: "192.0.2.9" }]);
    await uses.write([{ tokenId: two, usedAt: 3_000, address: "2001:db8::1" }]);
    await uses.write([]);
    const { rows } = await pool.query(
      "select token_id, round(extract(epoch from used_at) * 1000)::integer as used_at, address from token_uses order by used_at",
    );
    expect(rows).toEqual([
      { token_id: one, used_at: 2_000, address: "192.0.2.1" },
      { token_id: two, used_at: 3_000, address: "2001:db8::1" },
    ]);
  });
});
