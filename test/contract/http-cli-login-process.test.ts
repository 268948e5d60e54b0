/** The command line signs in at a real server, in processes of their own, and leaves nothing behind when it signs out. */
import { stat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { countersign, type CountersignProcess } from "../support/countersign-process.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { temporaryDirectory } from "../support/running-server.ts";
import { must, signedIn, type TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

let database: TestDatabase;
let at: TestServer;
let admin: TestBrowser;
let base = "";
let home: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
  admin = await signedIn(at);
  base = await at.server.listen({ host: "127.0.0.1", port: 0 });
  home = await temporaryDirectory();
});
afterAll(async () => {
  await at.close();
  await database.drop();
  await home.remove();
});

function run(...args: readonly string[]): CountersignProcess {
  // No program that could open a browser on the machine that runs the tests.
  return countersign(args, { XDG_CONFIG_HOME: home.path, PATH: "/nonexistent" });
}

async function printed(process: CountersignProcess, pattern: RegExp): Promise<string> {
  await expect.poll(() => process.printed(), { timeout: 30_000 }).toMatch(pattern);
  return pattern.exec(process.printed())?.[1] ?? "";
}

it("identity R-TERM-1, R-TERM-6: signs in through the browser, acts, and signs out on the server and here", async () => {
  const process = run("login", base);
  const address = new URL(await printed(process, /^Opening (\S+)$/m));
  const code = await printed(process, /must show this code: (\S+)$/m);
  expect(code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  expect(address.href).not.toContain(code.replace("-", ""));
  const query = Object.fromEntries(address.searchParams);
  expect(address.pathname).toBe("/auth/cli");
  const authorized = await admin.post("/auth/cli/authorize", { ...query, port: Number(query["port"]) });
  const redirect = textAt(must(authorized, 201), "redirect");
  const wrong = new URL(redirect);
  wrong.searchParams.set("state", "A".repeat(43));
  expect((await fetch(wrong)).status).toBe(404);
  expect(await (await fetch(redirect)).text()).toContain("close this window");
  expect(await process.exited).toBe(0);
  expect(process.printed()).toContain("as Rosa Root");

  const file = join(home.path, "countersign", "config.json");
  expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
  expect(((await stat(join(home.path, "countersign"))).mode & 0o777).toString(8)).toBe("700");
  const token = textAt(objectIn(await readFile(file, "utf8")), "servers", base, "token");

  const who = run("whoami", "--json");
  expect(await who.exited).toBe(0);
  expect(objectIn(who.printed())).toMatchObject({ assignee: "root", session: { kind: "cli" } });

  const out = run("logout");
  expect(await out.exited).toBe(0);
  expect(await readFile(file, "utf8")).not.toContain(token);
  const after = await at.server.inject({ url: "/v1/me", headers: { authorization: `Bearer ${token}` } });
  expect(after.statusCode).toBe(401);
  const nobody = run("whoami");
  expect([await nobody.exited, nobody.printed()]).toEqual([2, expect.stringContaining("not signed in")]);
}, 120_000);
