/** `rack-gateway` against the server itself, with a simulated rack behind it: a token asks, waits, is approved, and deploys. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DeployRequestsScene } from "../support/deploy-requests-scene.ts";
import { rackGateway, type RackGatewayRun } from "../support/rack-gateway-process.ts";
import { must } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const USE_MS = 120_000;

let database: TestDatabase;
let scene: DeployRequestsScene;
let url = "";
let folder = "";
let head = "";
let token = "";

beforeAll(async () => {
  database = await createTestDatabase();
  scene = await DeployRequestsScene.open(database.url);
  url = await scene.at.server.listen({ host: "127.0.0.1", port: 0 });
  folder = mkdtempSync(join(tmpdir(), "rack-gateway-test-"));
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  git("init", "--quiet");
  git("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "--quiet", "--allow-empty", "-m", "First");
  head = git("rev-parse", "HEAD").trim();
  writeFileSync(join(folder, "convox.yml"), `services:\n  web:\n    image: registry.example.com/myapp:${head}\n`);
  token = (await scene.token()).authorization.replace("Bearer ", "");
  await scene.cool([scene.admin]);
}, USE_MS);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await scene.close();
  await database.drop();
}, USE_MS);

function run(...args: readonly string[]): Promise<RackGatewayRun> {
  const env = { RACK_GATEWAY_URL: url, RACK_GATEWAY_API_TOKEN: token, CONVOX_APP: "myapp" };
  return rackGateway(args, { cwd: folder, env });
}

const ASKING = ["deploy-approval", "request", "--message", "Deploy", "--git-commit"];

it(
  "deploy R-CLI-5 to R-CLI-9: asks, joins, waits through the long poll, is approved, and deploys what was approved",
  async () => {
    const early = await run("deploy");
    expect([early.status, early.err.split("\n")[0]]).toEqual([
      ...[20, "Error: No active deploy approval found for this commit"],
    ]);
    const asked = await run(...ASKING, head.slice(0, 8));
    expect([asked.status, asked.out]).toEqual([0, expect.stringMatching(/^Deploy approval request \S+ created /)]);
    const id = /request (\S+) created/.exec(asked.out)?.[1] ?? "";
    const waiting = run(...ASKING, head, "--wait");
    const listed = await run("deploy-approval", "list", "--status", "pending");
    expect(listed.out).toContain(`${id}  pending `);
    must(await scene.act(scene.admin, { public_id: id }, "approve", { notes: "ok" }), 200);
    const waited = await waiting;
    expect([waited.status, waited.out]).toEqual([0, expect.stringContaining(`request ${id} approved.\n`)]);
    const deployed = await run("deploy", "--wait");
    expect(deployed.status).toBe(0);
    expect(deployed.err).toMatch(
      /^Packaging source... OK\nUploading source... OK\nStarting build... OK\nPromoting R\w+... OK\n$/,
    );
    expect((await run("deploy-approval", "show", id)).out).toContain("Status:     deployed\n");
  },
  USE_MS,
);
