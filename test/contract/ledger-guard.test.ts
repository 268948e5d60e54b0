import { once } from "node:events";
import { createServer } from "node:http";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { checkpointFiles } from "../../src/adapters/data-directory/checkpoint-files.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createLedgerReader } from "../../src/adapters/postgres/ledger-reader.ts";
import { runVerify } from "../../src/cli/run-verify.ts";
import { verifyServer } from "../../src/cli/verify-server.ts";
import type { Finding } from "../../src/ledger/verify.ts";
import { exportLedger } from "../../src/main/export-ledger.ts";
import { LedgerGuard } from "../../src/main/ledger-guard.ts";
import { nodeSha256, openLedger, type OpenLedger } from "../../src/main/open-ledger.ts";
import { call, startTestServer, temporaryDirectory } from "../support/running-server.ts";
import { tampers, tamperWith } from "../support/tampering.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const ANA = { name: "ana" } as const;
const REQUEST = { policy_key: "access.database", artifact_type: "access.grant", artifact_id: "x-1" } as const;

describeOnEveryPostgres("the ledger of a running server", (database) => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let place: { databaseUrl: string; dataDir: string };
  let pool: Pool;
  let opened: OpenLedger;
  let guard: LedgerGuard;
  let told: (readonly Finding[])[];
  let places = 0;
  let now = Date.now();
  const nextMinute = (): number => (now += 60_000);

  beforeAll(async () => {
    directory = await temporaryDirectory();
  });
  afterAll(async () => {
    await directory.remove();
  });
  beforeEach(async () => {
    places += 1;
    const { url } = await database.fresh();
    place = { databaseUrl: url, dataDir: join(directory.path, String(places)) };
    await (await startTestServer(place)).close();
    pool = connect(url);
    const { dataDir } = place;
    opened = await openLedger(pool, { dataDir, publicUrl: "", development: true, full: true, say: () => undefined });
    told = [];
    guard = guardOf(opened);
  });
  afterEach(async () => {
    await pool.end();
  });

  function guardOf({ ledger, seed, report, installation }: OpenLedger): LedgerGuard {
    return new LedgerGuard({
      ...{ ledger, seed, sha256: nodeSha256, clock: nextMinute, origin: installation.origin },
      ...{ verified: report.head, signedSize: report.checkpoint ?? 0, findings: report.findings },
      files: checkpointFiles(place.dataDir),
      onFindings: (findings) => told.push(findings),
    });
  }

  const notes = (): Promise<string[]> => readdir(join(place.dataDir, "checkpoints"));
  const append = async (): Promise<void> => {
    const server = await startTestServer(place);
    await call(`${server.url}/v1/requests`, ANA, REQUEST);
    await server.close();
  };

  it("ledger R-CP-2: nothing new is not signed again, new entries are", async () => {
    const before = await notes();
    await guard.checkpoint();
    expect(await notes()).toEqual(before);
    await append();
    const after = await notes();
    expect(after.length).toBeGreaterThan(before.length);
    await guard.checkpoint();
    expect(guard.quarantined).toBe(false);
    expect(guard.signedSize).toBe((await opened.ledger.standing())?.head.size);
  });

  describe.each(tampers.filter(({ how }) => !how.includes("checkpoint")))("when somebody $how", ({ tampering }) => {
    it("ledger R-VER-1: the next round finds it, signs nothing, and tells once", async () => {
      await guard.checkpoint();
      const before = await notes();
      await tamperWith(place.databaseUrl, tampering);
      await guard.checkpoint();
      await guard.checkpoint();
      expect({ quarantined: guard.quarantined, told: told.length }).toEqual({ quarantined: true, told: 1 });
      expect(guard.finding).not.toBeNull();
      expect(await notes()).toEqual(before);
    });
  });

  it("ledger R-CP-3: entries that do not follow from those before are never signed", async () => {
    await append();
    await tamperWith(place.databaseUrl, (client) =>
      client.query(
        `update ledger_entries set text = replace(text, '"at":"20', '"at":"19') where seq = (select max(seq) from ledger_entries)`,
      ),
    );
    const before = await notes();
    await guard.checkpoint();
    expect({ quarantined: guard.quarantined, notes: await notes() }).toEqual({ quarantined: true, notes: before });
  });

  it("a database that is away is no finding", async () => {
    const away = connect("postgres://nobody@127.0.0.1:1/nothing");
    const other = guardOf({ ...opened, ledger: createLedgerReader(away) });
    await expect(other.checkpoint()).rejects.toMatchObject({ name: "Unavailable" });
    expect(other.quarantined).toBe(false);
    await away.end();
  });

  describe("as a server exports it", () => {
    async function served<Answer>(
      change: (lines: string[]) => string[],
      work: (url: string) => Promise<Answer>,
    ): Promise<Answer> {
      const text: string[] = [];
      for await (const chunk of exportLedger(opened.ledger)) text.push(chunk);
      const lines = change(text.join("").split("\n").slice(0, -1));
      const note = (await opened.ledger.newestCheckpoint())?.note ?? "";
      const server = createServer((request, response) => {
        response.setHeader("x-countersign-mode", "development");
        response.end(
          request.url?.startsWith("/v1/ledger/export") === true ? lines.map((line) => `${line}\n`).join("") : note,
        );
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      try {
        return await work(`http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}/`);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    }
    const findings = (change: (lines: string[]) => string[]): Promise<readonly Finding[]> =>
      served(change, async (url) => (await verifyServer({ url, onProgress: () => undefined })).findings);

    it("it verifies by itself", async () => {
      expect(await findings((lines) => lines)).toEqual([]);
      vi.spyOn(console, "log").mockReturnValue();
      expect(
        await served(
          (lines) => lines,
          (server) => runVerify({ server, key: opened.vkey }),
        ),
      ).toBe(0);
    });

    it("a key other than the known one is a finding", async () => {
      vi.spyOn(console, "log").mockReturnValue();
      const key = opened.vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+");
      expect(
        await served(
          (lines) => lines,
          (server) => runVerify({ server, key }),
        ),
      ).toBe(1);
    });

    it.each<[string, (lines: string[]) => string[]]>([
      ["an entry left out", (lines) => lines.toSpliced(5, 1)],
      ["the newest entries left out", (lines) => lines.toSpliced(-4, 3)],
      ["the end cut off", (lines) => lines.slice(0, -1)],
      ["two entries exchanged", (lines) => lines.toSpliced(5, 2, lines[6] ?? "", lines[5] ?? "")],
      ["an entry edited", (lines) => lines.with(5, (lines[5] ?? "").replace('\\"at\\":\\"20', '\\"at\\":\\"19'))],
    ])("%s is found", async (_how, change) => {
      expect(await findings(change)).not.toEqual([]);
    });
  });
});
