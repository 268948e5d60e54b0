/** `countersign machine` and `countersign token` against a server, as a terminal that is signed in runs them. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signIn } from "../../src/app/sign-in.ts";
import { addMachineCommands } from "../../src/cli/machine-commands.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { personIdOf } from "../support/member-changes.ts";
import { must, signedIn, type TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const USE_MS = 120_000;

describe("the command line for machines", () => {
  let database: TestDatabase;
  let at: TestServer;
  let admin: TestBrowser;
  let url = "";
  let home = "";
  let codes: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    at = await openServer(database.url, { server: { development: false } });
    admin = await signedIn(at);
    url = await at.server.listen({ host: "127.0.0.1", port: 0 });
    home = await mkdtemp(join(tmpdir(), "countersign-cli-"));
    await signInTerminal();
    codes = await backupCodes();
  }, USE_MS);
  afterAll(async () => {
    await at.close();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  }, USE_MS);

  async function signInTerminal(): Promise<void> {
    const opened = await signIn(at.app, {
      ...{ personId: personIdOf(admin.personId), kind: "cli", method: "cli", aal: 2, client: null, address: null },
    });
    if (isRefusal(opened)) throw new Error(opened.message);
    const server = { url, token: opened.token, name: "Rosa", email: null, expires_at: new Date().toISOString() };
    const folder = join(home, "countersign");
    await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o700);
    const config = JSON.stringify({ current: url, servers: { [url]: server } });
    await writeFile(join(folder, "config.json"), config, { mode: 0o600 });
  }

  async function backupCodes(): Promise<string[]> {
    const made = must(await admin.post("/me/backup-codes", {}, { fresh: true }), 201);
    must(await admin.post("/me/backup-codes/confirm", { ceremony: made["ceremony"] }), 204);
    const list = made["codes"];
    return Array.isArray(list) ? list.filter((code) => typeof code === "string") : [];
  }

  interface Ran {
    readonly status: number;
    /** Everything printed. */
    readonly text: string;
    /** What a program that reads along gets. */
    readonly out: string;
  }

  /** In this process, as the command does it: a process of its own takes seconds to start. */
  async function run(...args: readonly string[]): Promise<Ran> {
    const printed: string[] = [];
    const out: string[] = [];
    const print = (...values: readonly unknown[]): void => {
      printed.push(...values.map(String), "\n");
    };
    const answer = (...values: readonly unknown[]): void => {
      out.push(...values.map(String));
      print(...values);
    };
    vi.stubEnv("XDG_CONFIG_HOME", home);
    const spies = [vi.spyOn(console, "log").mockImplementation(answer)];
    spies.push(vi.spyOn(console, "error").mockImplementation(print));
    try {
      const program = new Command("countersign").exitOverride().configureOutput({ writeErr: print });
      addMachineCommands(program);
      await program.parseAsync([...args], { from: "user" });
      return { status: Number(process.exitCode), text: printed.join(""), out: out.join("") };
    } catch (error) {
      if (error instanceof CommanderError) return { status: 2, text: printed.join(""), out: "" };
      throw error;
    } finally {
      process.exitCode = 0;
      vi.unstubAllEnvs();
      for (const spy of spies) spy.mockRestore();
    }
  }

  /** With a factor, as acts that need one ask for it. */
  function prove(...args: readonly string[]): Promise<Ran> {
    return run(...args, "--code", codes.pop() ?? "");
  }

  it(
    "identity section 7: a machine is added, gets a token, which is printed alone, rotated and revoked; and is retired",
    async () => {
      const unproven = await run("machine", "add", "builder", "--kind", "ci", "--owner", "me");
      expect([unproven.status, unproven.out]).toEqual([1, ""]);
      expect(unproven.text).toContain("mfa_required");
      const added = await prove("machine", "add", "builder", "--kind", "ci", "--owner", "me");
      expect(added.status).toBe(0);
      expect(added.out).toMatch(/^builder {2}[0-9a-f-]{36}$/);

      const scope = ["--scope", "approval:request:create", "approval:request:read"];
      const limits = ["--cidr", "127.0.0.0/8", "--days", "30"];
      const created = await prove("token", "create", "--machine", "Builder", "--name", "ci", ...scope, ...limits);
      expect(created.status).toBe(0);
      const secret = created.out;
      expect(secret).toMatch(/^cst_[0-9A-Za-z]{49}$/);
      const authorization = `Bearer ${secret}`;
      expect((await fetch(`${url}/v1/me`, { headers: { authorization } })).status).toBe(200);

      const listed = await run("token", "list", "--machine", "builder", "--json");
      const { items } = objectIn(`{"items":${listed.out}}`);
      expect(items).toMatchObject([{ machine: "builder", limits: { cidrs: ["127.0.0.0/8"] } }]);
      expect(listed.text).not.toContain(secret.slice(4, -4));
      const id = textAt(items, 0, "id");

      const rotated = await prove("token", "rotate", id, "--overlap-hours", "0");
      expect(rotated.status).toBe(0);
      expect(rotated.out).toMatch(/^cst_[0-9A-Za-z]{49}$/);
      expect((await fetch(`${url}/v1/me`, { headers: { authorization } })).status).toBe(401);
      expect(await prove("token", "revoke", id)).toMatchObject({ status: 0 });
      expect((await run("token", "list")).text).not.toContain(id);

      expect((await run("machine", "list")).text).toMatch(/builder +root +0/);
      expect(await prove("machine", "change", "builder", "--name", "maker")).toMatchObject({ status: 0 });
      expect(await prove("machine", "retire", "maker")).toMatchObject({ status: 0 });
      expect((await run("machine", "list", "--retired")).text).toContain("maker");
    },
    USE_MS,
  );

  it(
    "tells what is wrong, with exit status 1 for a refusal and 2 for what cannot be asked",
    async () => {
      const wide = ["--machine", "nobody's", "--name", "x", "--scope", "approval:task:decide"];
      expect(await prove("token", "create", ...wide)).toMatchObject({ status: 1 });
      const unknown = await prove("machine", "add", "x", "--kind", "ci", "--owner", "nobody at all");
      expect(unknown.status).toBe(1);
      expect(unknown.text).toContain("Exactly one person");
      expect(await run("token", "create", "--name", "x")).toMatchObject({ status: 2 });
      expect(await run("token", "list", "--server", "https://elsewhere.example")).toMatchObject({ status: 2 });
    },
    USE_MS,
  );
});
