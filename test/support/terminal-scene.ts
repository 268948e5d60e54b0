/** A server, an administrator, and a terminal at which they are signed in, for tests of what the command line does there. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { signIn } from "../../src/app/sign-in.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { commandInProcess } from "./command-in-process.ts";
import { personIdOf } from "./member-changes.ts";
import { must, signedIn, type TestBrowser } from "./signed-in.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";
import { openServer, type TestServer } from "./test-server.ts";

export interface TerminalRun {
  readonly status: number;
  /** Everything printed. */
  readonly text: string;
  /** What a program that reads along gets. */
  readonly out: string;
}

export class TerminalScene {
  readonly at: TestServer;
  readonly admin: TestBrowser;
  readonly url: string;
  readonly #database: TestDatabase;
  readonly #home: string;
  readonly #codes: string[];
  readonly #add: (program: Command) => void;

  private constructor(parts: {
    readonly at: TestServer;
    readonly admin: TestBrowser;
    readonly url: string;
    readonly database: TestDatabase;
    readonly home: string;
    readonly codes: string[];
    readonly add: (program: Command) => void;
  }) {
    ({ at: this.at, admin: this.admin, url: this.url } = parts);
    ({ database: this.#database, home: this.#home, codes: this.#codes, add: this.#add } = parts);
  }

  /** `add` adds the commands that are tried. */
  static async open(add: (program: Command) => void): Promise<TerminalScene> {
    const database = await createTestDatabase();
    const at = await openServer(database.url, { server: { development: false } });
    const admin = await signedIn(at);
    const url = await at.server.listen({ host: "127.0.0.1", port: 0 });
    const home = await mkdtemp(join(tmpdir(), "countersign-cli-"));
    await signInTerminal({ at, browser: admin, url, home });
    return new TerminalScene({ at, admin, url, database, home, add, codes: await backupCodes(admin) });
  }

  async close(): Promise<void> {
    await this.at.close();
    await this.#database.drop();
    await rm(this.#home, { recursive: true, force: true });
  }

  async run(...args: readonly string[]): Promise<TerminalRun> {
    const env = { XDG_CONFIG_HOME: this.#home };
    const { status, text, out } = await commandInProcess(args, { add: this.#add, env, wrongUsage: 2 });
    return { status, text, out: out.trimEnd() };
  }

  /** With a factor, as acts that need one ask for it. */
  prove(...args: readonly string[]): Promise<TerminalRun> {
    return this.run(...args, "--code", this.#codes.pop() ?? "");
  }
}

export interface Terminal {
  readonly at: TestServer;
  readonly browser: TestBrowser;
  /** Where the server is. */
  readonly url: string;
  /** What takes the place of `~/.config`. */
  readonly home: string;
}

/** As `countersign login` leaves it behind. */
export async function signInTerminal({ at, browser, url, home }: Terminal): Promise<void> {
  const opened = await signIn(at.app, {
    ...{ personId: personIdOf(browser.personId), kind: "cli", method: "cli", aal: 2, client: null, address: null },
  });
  if (isRefusal(opened)) throw new Error(opened.message);
  const server = { url, token: opened.token, name: "Rosa", email: null, expires_at: new Date().toISOString() };
  const folder = join(home, "countersign");
  await mkdir(folder, { mode: 0o700 });
  await chmod(folder, 0o700);
  const config = JSON.stringify({ current: url, servers: { [url]: server } });
  await writeFile(join(folder, "config.json"), config, { mode: 0o600 });
}

export async function backupCodes(browser: TestBrowser): Promise<string[]> {
  const made = must(await browser.post("/me/backup-codes", {}, { fresh: true }), 201);
  must(await browser.post("/me/backup-codes/confirm", { ceremony: made["ceremony"] }), 204);
  const list = made["codes"];
  return Array.isArray(list) ? list.filter((code) => typeof code === "string") : [];
}
