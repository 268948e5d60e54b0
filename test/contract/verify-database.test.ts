import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runVerify } from "../../src/cli/run-verify.ts";
import type { Finding } from "../../src/ledger/verify.ts";
import { verifyDatabase } from "../../src/main/verify-database.ts";
import { call, startTestServer, temporaryDirectory } from "../support/running-server.ts";
import { cutOff, tampers, tamperWith } from "../support/tampering.ts";
import { describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";

const ANA = { name: "ana" } as const;
const REQUEST = { policy_key: "access.database", artifact_type: "access.grant", artifact_id: "x-1" } as const;

describeOnEveryPostgres("a ledger that was changed behind the server's back", (database) => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeAll(async () => {
    directory = await temporaryDirectory();
  });
  afterAll(async () => {
    await directory.remove();
  });

  /** A ledger with some forty entries, made and cleanly ended by a server. */
  async function madeLedger(
    name: string,
  ): Promise<{ place: { databaseUrl: string; dataDir: string }; test: TestDatabase }> {
    const test = await database.fresh();
    const place = { databaseUrl: test.url, dataDir: join(directory.path, name) };
    const server = await startTestServer(place);
    await server.close();
    return { place, test };
  }

  const findingsOf = async (place: { databaseUrl: string; dataDir?: string }): Promise<readonly Finding[]> =>
    (await verifyDatabase({ ...place, full: true, onProgress: () => undefined })).report.findings;

  it("ledger R-VER-1: an untouched ledger is sound, at every start and for the command", async () => {
    const { place } = await madeLedger("untouched");
    expect(await findingsOf(place)).toEqual([]);
    const again = await startTestServer(place);
    expect({ finding: again.finding, isNew: again.isNew }).toEqual({ finding: null, isNew: false });
    expect((await call(`${again.url}/v1/requests`, ANA, REQUEST)).status).toBe(201);
    await again.close();
    vi.spyOn(console, "log").mockReturnValue();
    expect(await runVerify({ database: place.databaseUrl, full: true })).toBe(0);
  });

  describe.each(tampers)("when somebody $how", ({ tampering, found }) => {
    it("ledger R-QUAR-1: the command finds it with status 1, and the server starts read-only", async () => {
      const { place } = await madeLedger(`tampered-${found.join("-")}-${String(Math.random())}`);
      await tamperWith(place.databaseUrl, tampering);
      const kinds = (await findingsOf(place)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => found.includes(kind))).not.toEqual([]);
      vi.spyOn(console, "log").mockReturnValue();
      expect(await runVerify({ database: place.databaseUrl, data: place.dataDir })).toBe(1);

      const server = await startTestServer(place);
      expect(server.finding).not.toBeNull();
      expect(await call(`${server.url}/v1/requests`, ANA)).toMatchObject({ status: 200 });
      const refused = await call(`${server.url}/v1/requests`, ANA, REQUEST);
      expect(refused).toMatchObject({ status: 503, body: { code: "quarantined" } });
      await server.close();
      expect((await readdir(place.dataDir)).filter((name) => name.startsWith("tamper-"))).toHaveLength(1);
    });
  });

  it("ledger R-CP-4: removing the newest entries and the checkpoints in the database shows against the exported ones", async () => {
    const { place } = await madeLedger("cut-off");
    await tamperWith(place.databaseUrl, (client, url) => cutOff(client, url, { alsoCheckpoints: true }));
    expect(await findingsOf({ databaseUrl: place.databaseUrl })).toEqual([]);
    expect((await findingsOf(place)).map(({ kind }) => kind)).toContain("rollback");
    const server = await startTestServer(place);
    expect(server.finding).toContain("rollback");
    await server.close();
  });

  it("ledger R-PRIV-1: with --full, a private value that was exchanged does not open its commitment", async () => {
    const { place } = await madeLedger("opening");
    await tamperWith(place.databaseUrl, (client) =>
      client.query(`update ledger_openings set value = '"mallory"' where seq = (select min(seq) from ledger_openings)`),
    );
    expect((await findingsOf(place)).map(({ kind }) => kind)).toEqual(["opening"]);
  });

  it("ledger R-QUAR-3: with --exit-on-tamper the server does not start, and leaves a report", async () => {
    const { place } = await madeLedger("exit");
    await tamperWith(place.databaseUrl, (client) => client.query("delete from ledger_entries where seq = 5"));
    await expect(startTestServer(place, { exitOnTamper: true })).rejects.toMatchObject({ code: "tampered" });
    const [file = ""] = (await readdir(place.dataDir)).filter((name) => name.startsWith("tamper-"));
    expect(await readFile(join(place.dataDir, file), "utf8")).toContain('"kind": "sequence"');
  });

  it("the command says with status 2 that it could not check", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    expect(await runVerify({ data: join(directory.path, "nothing-here") })).toBe(2);
    expect(await runVerify({ database: "postgres://nobody@127.0.0.1:1/nothing" })).toBe(2);
    expect(await runVerify({ server: "http://127.0.0.1:1" })).toBe(2);
    expect(await runVerify({})).toBe(2);
    expect(await runVerify({ data: directory.path, server: "http://127.0.0.1:1" })).toBe(2);
  });
});
