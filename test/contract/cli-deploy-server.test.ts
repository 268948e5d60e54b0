/** `rack-gateway` against the server itself, with a simulated rack behind it: a token asks, waits, is approved, and deploys. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runVerifyBundle } from "../../src/cli/run-verify-bundle.ts";
import { DeployRequestsScene } from "../support/deploy-requests-scene.ts";
import { rackGateway, type RackGatewayRun } from "../support/rack-gateway-process.ts";
import { backupCodes, signInTerminal } from "../support/terminal-scene.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { TEST_VKEY } from "../support/test-evidence.ts";

const USE_MS = 120_000;

let database: TestDatabase;
let scene: DeployRequestsScene;
let url = "";
let folder = "";
let head = "";
let token = "";
let home = "";
let codes: string[] = [];

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
  codes = await backupCodes(scene.admin);
  await scene.cool([scene.admin]);
  home = mkdtempSync(join(tmpdir(), "countersign-home-"));
  await signInTerminal({ at: scene.at, browser: scene.admin, url, home });
}, USE_MS);
afterAll(async () => {
  for (const each of [folder, home]) rmSync(each, { recursive: true, force: true });
  await scene.close();
  await database.drop();
}, USE_MS);

function run(...args: readonly string[]): Promise<RackGatewayRun> {
  const env = { RACK_GATEWAY_URL: url, RACK_GATEWAY_API_TOKEN: token, CONVOX_APP: "myapp" };
  return rackGateway(args, { cwd: folder, env });
}

/** As the administrator who is signed in with `countersign login`. */
function asPerson(...args: readonly string[]): Promise<RackGatewayRun> {
  const env = { XDG_CONFIG_HOME: home, GATEWAY_CLI_CONFIG_DIR: home, CONVOX_APP: "myapp" };
  return rackGateway(["deploy", ...args], { cwd: folder, env, program: "countersign" });
}

const ASKING = ["deploy-approval", "request", "--message", "Deploy", "--git-commit"];

it(
  "deploy R-CLI-5 to R-CLI-9, R-CLI-12: asks, joins, waits through the long poll, is approved with notes, deploys, and is verified",
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
    const approved = await asPerson("approve", id, "--notes", "Reviewed diff, LGTM", "--mfa-code", codes.pop() ?? "");
    expect(approved.status).toBe(0);
    expect(approved.out).toMatch(new RegExp(`^✅ Deploy approval request ${id} approved \\(expires at 20.*\\)\n$`));
    const waited = await waiting;
    expect([waited.status, waited.out]).toEqual([0, expect.stringContaining(`request ${id} approved.\n`)]);
    const deployed = await run("deploy", "--wait");
    expect(deployed.status).toBe(0);
    expect(deployed.err).toMatch(
      /^Packaging source... OK\nUploading source... OK\nStarting build... OK\nPromoting R\w+... OK\n$/,
    );
    const shown = (await run("deploy-approval", "show", id)).out;
    expect(shown).toContain("Status:     deployed\n");
    expect(shown).toContain("Notes:      Reviewed diff, LGTM\n");

    const [trust, bundle] = [join(home, "trust.txt"), join(home, "approval.json")];
    writeFileSync(trust, `log ${TEST_VKEY}\nquorum none\n`);
    // Without an id it is the commit checked out here that must have been approved.
    const sound = await asPerson("verify", "--trust", trust, "--save", bundle);
    expect([sound.status, sound.out]).toEqual([0, expect.stringContaining("Sound: every check passed.\n")]);
    expect(sound.out).toMatch(/^outcome {5}approved$/m);
    expect(runVerifyBundle(bundle, { trust, json: true })).toBe(0);
  },
  USE_MS,
);
