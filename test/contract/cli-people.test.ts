/** `countersign user` and `countersign org` against a server, as a terminal that is signed in runs them. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signIn } from "../../src/app/sign-in.ts";
import { addPeopleCommands } from "../../src/cli/people-commands.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { objectIn } from "../support/json-answer.ts";
import { personIdOf } from "../support/member-changes.ts";
import { must, signedIn, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const USE_MS = 120_000;

describe("the command line for people", () => {
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
    home = await mkdtemp(join(tmpdir(), "countersign-people-"));
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
      addPeopleCommands(program);
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
    "identity section 6: somebody is invited, found, given roles, locked and suspended from a terminal",
    async () => {
      const invited = await prove("user", "invite", "nina@example.com", "--login", "nina", "--role", "viewer", "ops");
      expect(invited.status).toBe(0);
      // The link alone is what a program that reads along gets.
      expect(invited.out).toMatch(/^\S+\/app\/invitation#[A-Za-z0-9_-]{43}$/);
      expect((await run("user", "list", "--status", "invited")).out).toMatch(
        /nina +\S* *nina@example\.com +invited +ops,viewer/,
      );
      const roles = await prove("user", "roles", "nina", "deployer", "--json");
      expect(JSON.parse(roles.out)).toEqual([{ role: "deployer", source: "admin" }]);
      expect((await run("user", "roles", "nina")).out).toContain("deployer");
      expect((await prove("user", "suspend", "nina@example.com", "--reason", "never came")).out).toContain(
        "is suspended",
      );
      expect(JSON.parse((await run("user", "show", "nina", "--json")).out)).toMatchObject({ status: "suspended" });
      expect((await prove("user", "reactivate", "nina", "--reason", "a mistake")).status).toBe(0);
    },
    USE_MS,
  );

  it(
    "identity section 1: locking from a terminal ends the sessions, and every refusal says why and answers 1",
    async () => {
      const held = await signedInAs(at, admin, { login: "held", roles: ["viewer"] });
      const unproven = await run("user", "lock", "held", "--reason", "lost laptop");
      expect([unproven.status, unproven.out]).toEqual([1, ""]);
      expect(unproven.text).toContain("mfa_required");
      expect((await prove("user", "lock", "held", "--reason", "lost laptop")).status).toBe(0);
      expect((await held.get("/me")).statusCode).toBe(401);
      const again = await prove("user", "lock", "held", "--reason", "again");
      expect([again.status, again.text]).toEqual([1, expect.stringContaining("(wrong_state)")]);
      const nobody = await run("user", "show", "nobody-at-all");
      expect([nobody.status, nobody.text]).toEqual([1, expect.stringContaining("(not_found)")]);
      expect((await run("user", "lock", "held")).status).toBe(2);
      expect((await prove("user", "unlock", "held", "--reason", "found it")).status).toBe(0);
      expect((await prove("user", "recover", "held")).out).toMatch(/\/app\/recover#/);
    },
    USE_MS,
  );

  it(
    "identity section 7: organizations are listed, made and suspended by whoever runs the platform",
    async () => {
      expect((await run("org", "list")).out).toContain("active");
      const made = await prove("org", "create", "M\u00fcller & Co.", "--json");
      expect(objectIn(made.out)).toMatchObject({ slug: "muller-co", status: "active" });
    },
    USE_MS,
  );
});
