/**
 * The deploy gate from outside, as `npm start` shows it: a server in a process of its own, simulators of a rack, GitHub and CircleCI
 * around it, the real `rack-gateway`, and the commands and the workflow that the guide prints (deploy acceptance 66 to 69).
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DemoClient } from "../../demo/demo-client.ts";
import { demoPeople, type DemoPeople } from "../../demo/demo-people.ts";
import { playDeploy, programs } from "../../demo/demo-pipeline.ts";
import { openSurroundings, pushChange, REPO, type DemoSurroundings } from "../../demo/demo-rack.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { loadConfig } from "../../src/main/config.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { program } from "../support/program.ts";

const REQUESTS = "/deploy-approval-requests";

let around: DemoSurroundings;
let server: ChildProcess;
let people: DemoPeople;
let robin: DemoClient;
let folder: string;
let bin: string;
let url: string;
const ending = new AbortController();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "demo-test-"));
  // The database runs as another user when the tests run as root.
  chmodSync(folder, 0o755);
  const [port, dataDir] = [await freePort(), join(folder, "data")];
  url = `http://localhost:${String(port)}`;
  around = await openSurroundings(() => undefined);
  around.rack.addApp({ name: "other", manifest: "services:\n  web:\n    build: .\n" });
  bin = await programs();
  server = startServer(port, dataDir);
  await vi.waitFor(serverReady, { timeout: 90_000, interval: 500 });
  const { config } = loadConfig({}, { "countersign.port": port, "countersign.data_dir": dataDir });
  const made = await demoPeople({ config, dataDir, url });
  if (made === null) throw new Error("the ledger has an administrator");
  people = made;
  robin = new DemoClient(url);
  await robin.post("/v1/auth/invitations/accept", { token: people.invitation.split("#")[1] ?? "" });
  await robin.enrolPasskey();
}, 180_000);

afterAll(async () => {
  ending.abort();
  const ended = once(server, "close");
  server.kill("SIGTERM");
  await ended;
  await around.rack.close();
  await around.github.close();
  await around.circleci.close();
  for (const each of [bin, folder]) rmSync(each, { recursive: true, force: true });
}, 60_000);

describe("the guide's CircleCI workflow", () => {
  it("deploy R-CI-4, R-BIND-1, R-AUDIT-1: a run holds until a person approves, goes on by itself, and deploys", async () => {
    const story = await play(async (id) => {
      await robin.prove(...act(id, "approve", { notes: "Reviewed diff, LGTM" }));
    });
    expect(story.lines).toContainEqual(expect.stringMatching(/^deployed: myapp on the simulated rack runs release R/));
    const shown = await request(story.id);
    expect(shown).toMatchObject({
      status: "deployed",
      approval_notes: "Reviewed diff, LGTM",
      git_branch: "invoice-rounding",
    });
    const { metadata, link } = ciOf(shown);
    expect(link).toBe(`https://app.circleci.com/pipelines/gh/MyOrg/myapp/${metadata.number}`);
    const approvals = around.circleci.log.filter((call) =>
      call.startsWith(`POST /workflow/${metadata.workflow}/approve/`),
    );
    expect(approvals).toHaveLength(1);
    const names = JSON.stringify(await call(`${REQUESTS}/${story.id}/audit-logs`));
    for (const name of [
      "deploy_approval_request.create",
      "deploy_approval_request.approve",
      "build.create",
      "release.promote",
    ])
      expect(names).toContain(`"${name}"`);
  });

  it("deploy R-CI-5, R-CLI-7: a rejected run stays on hold, and who waits learns why", async () => {
    const before = around.rack.apps.get("myapp")?.release;
    const story = await play(async (id) => {
      await robin.post(`/api/v1${REQUESTS}/${id}/reject`, { notes: "not on a Friday" });
    });
    expect(story.lines).toContainEqual(expect.stringContaining(`${story.id} rejected: not on a Friday`));
    expect(story.lines.at(-1)).toBe("the pipeline ended without a deploy");
    expect((await request(story.id))["status"]).toBe("rejected");
    expect(around.rack.apps.get("myapp")?.release).toBe(before);
  });

  it("deploy R-CLI-5, R-CI-2, R-CI-3: the single-quoted metadata of the guide is filled in, and its run goes on", async () => {
    const change = pushChange(around);
    const workflow = around.circleci.addWorkflow({
      ...{ repo: REPO, revision: change.sha, name: "deploy" },
      jobs: [{ name: "approve_deploy_production", type: "approval", status: "on_hold" }],
    });
    const printed = await run(blocks("circleci.md").find((block) => block.includes('\'{"workflow_id"')) ?? "", {
      env: { CIRCLE_SHA1: change.sha, CIRCLE_BRANCH: change.branch, CIRCLE_WORKFLOW_ID: workflow.id },
    });
    const id = idIn(printed.out);
    const { metadata, link } = ciOf(await request(id));
    expect(metadata).toEqual({ workflow: workflow.id, number: "42" });
    expect(link).toBe("https://app.circleci.com/pipelines/gh/MyOrg/myapp/42");
    await robin.prove(...act(id, "approve"));
    await expect.poll(() => workflow.jobs[0]?.status, { timeout: 20_000 }).toBe("success");
  });
});

describe("the commands of the guide", () => {
  it("deploy R-REQ-3, R-CLI-2, R-CLI-7: asking, listing, and waiting with an abbreviated commit work as printed", async () => {
    const [ask = "", , list = "", wait = ""] = blocks("deploy-approvals.md").filter((text) =>
      text.startsWith("rack-gateway"),
    );
    const change = pushChange(around);
    const asked = await run(ask, { env: { CIRCLE_SHA1: change.sha, CIRCLE_BRANCH: change.branch } });
    expect(asked.status).toBe(0);
    const listed = await run(list);
    expect([listed.status, listed.out]).toEqual([0, expect.stringContaining(idIn(asked.out))]);

    const { directory, head } = repository("other");
    const token = textAt(
      await robin.prove("/api/v1/api-tokens", { name: "other", role: "cicd" }, "POST /api-tokens"),
      "token",
    );
    const env = { RACK_GATEWAY_API_TOKEN: token };
    const waiting = begin(wait.replace("abc123f", head.slice(0, 7)), { directory, env });
    await expect.poll(() => waiting.out(), { timeout: 30_000 }).toContain("Deploy approval request");
    const id = idIn(waiting.out());
    expect(await request(id, token)).toMatchObject({ git_commit_hash: head, app: "other", status: "pending" });
    await robin.prove(...act(id, "approve"));
    expect(await waiting.status).toBe(0);
    expect(waiting.out()).toContain(`Deploy approval request ${id} approved.`);

    const outside = mkdtempSync(join(folder, "outside-"));
    mkdirSync(join(outside, ".convox"));
    writeFileSync(join(outside, ".convox/app"), "other\n");
    const refused = await run(wait, { directory: outside, env });
    expect([refused.status, refused.err]).toEqual([
      20,
      expect.stringContaining("git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)"),
    ]);
  });
});

describe("npm start", () => {
  it("deploy R-RACKSIM-1: a rack of one's own is left alone, and so is whoever wants no demonstration", async () => {
    const wanted = ["--port", "8199", "--data", folder];
    expect(await launched(wanted)).toContain("RACK_HOST");
    expect(await launched([...wanted, "--no-demo"])).toEqual([]);
    expect(await launched(wanted, { RACK_HOST: "https://rack.example.com" })).toEqual([]);
  });
});

/** The names of the environment that the server is given, as scripts/start.mjs asks for them. */
async function launched(
  flags: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const root = packageRoot();
  const script = `
    import { launchDemo } from ${JSON.stringify(join(root, "demo/launch-demo.mjs"))};
    const given = await launchDemo(${JSON.stringify(root)}, ${JSON.stringify(flags)});
    console.log("names:" + Object.keys(given).join(","));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH: process.env["PATH"], HOME: folder, ...more },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 50_000,
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  await once(child, "close");
  const names = /^names:(.*)$/m.exec(printed)?.[1];
  if (names === undefined) throw new Error(`nothing was launched: ${printed}`);
  return names === "" ? [] : names.split(",");
}

interface Story {
  readonly id: string;
  readonly lines: readonly string[];
}

/** One deploy, decided once it waits. */
async function play(decide: (id: string) => Promise<void>): Promise<Story> {
  const lines: string[] = [];
  let id = "";
  const decided: Promise<void>[] = [];
  await playDeploy({
    ...{ around, people, url, signal: ending.signal },
    say: (line) => {
      lines.push(line);
      id = /requests\/([0-9a-f-]{36})$/.exec(line)?.[1] ?? id;
      if (id !== "" && decided.length === 0) decided.push(decide(id));
    },
  });
  await Promise.all(decided);
  return { id, lines };
}

function act(id: string, name: string, body: JsonObject = {}): [string, JsonObject, string] {
  const path = `${REQUESTS}/${id}/${name}`;
  return [`/api/v1${path}`, body, `POST ${path}`];
}

async function call(path: string, token = people.token): Promise<JsonObject> {
  const answer = await fetch(`${url}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
  return objectIn(await answer.text());
}

function request(id: string, token = people.token): Promise<JsonObject> {
  return call(`${REQUESTS}/${id}`, token);
}

function ciOf(shown: JsonObject): { metadata: { workflow: string; number: string }; link: string } {
  const metadata = objectIn(JSON.stringify(shown["ci_metadata"] ?? {}));
  const number = JSON.stringify(metadata["pipeline_number"] ?? null).replaceAll('"', "");
  return { metadata: { workflow: textAt(metadata, "workflow_id"), number }, link: textAt(shown, "ci", "url") };
}

/** The shell blocks of a page of the guide. */
function blocks(page: string): readonly string[] {
  const text = readFileSync(join(packageRoot(), "docs/guide", page), "utf8");
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

interface Shell {
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

interface Begun {
  readonly status: Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
}

function begin(script: string, { env = {}, directory = folder }: Shell = {}): Begun {
  const child = spawn("bash", ["-c", script], {
    cwd: directory,
    env: {
      ...{ PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: folder, GIT_CEILING_DIRECTORIES: folder },
      ...{ RACK_GATEWAY_URL: url, RACK_GATEWAY_API_TOKEN: people.token },
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const printed = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (printed.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (printed.err += chunk.toString()));
  const status = new Promise<number>((resolve) => {
    child.once("close", (code) => {
      resolve(code ?? -1);
    });
  });
  return { status, out: () => printed.out, err: () => printed.err };
}

async function run(script: string, shell: Shell = {}): Promise<{ status: number; out: string; err: string }> {
  const begun = begin(script, shell);
  return { status: await begun.status, out: begun.out(), err: begun.err() };
}

function idIn(text: string): string {
  const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(text)?.[0];
  if (id === undefined) throw new Error(`no request in: ${text}`);
  return id;
}

/** A working copy with one commit, whose `.convox/app` names the app. */
function repository(app: string): { readonly directory: string; readonly head: string } {
  const directory = mkdtempSync(join(folder, "repository-"));
  mkdirSync(join(directory, ".convox"));
  writeFileSync(join(directory, ".convox/app"), `${app}\n`);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", ...args], {
      cwd: directory,
      encoding: "utf8",
    });
  git("init", "--quiet");
  git("add", "-A");
  git("commit", "--quiet", "-m", "First");
  return { directory, head: git("rev-parse", "HEAD").trim() };
}

function startServer(port: number, dataDir: string): ChildProcess {
  const flags = ["dev", "--no-demo", "--port", String(port), "--data", dataDir];
  return spawn(process.execPath, [...program("countersign"), ...flags], {
    cwd: packageRoot(),
    env: { PATH: process.env["PATH"], HOME: folder, ...around.environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Throws until it is. */
async function serverReady(): Promise<void> {
  const answer = await fetch(`${url}/v1/awe/health`);
  if (!answer.ok) throw new Error(`the server answers ${String(answer.status)}`);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, "127.0.0.1"), "listening");
  const address = probe.address();
  const closed = once(probe.close(), "close");
  await closed;
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
