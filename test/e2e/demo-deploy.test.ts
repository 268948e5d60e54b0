/**
 * The deploy gate from outside, as `npm start` shows it: a server in a process of its own, simulators of a rack, GitHub and CircleCI
 * around it, the real `rack-gateway`, and the commands and the workflow that the guide prints (deploy acceptance 66 to 69).
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { DemoClient } from "../../demo/demo-client.ts";
import { demoPeople, type DemoPeople } from "../../demo/demo-people.ts";
import { playDeploy } from "../../demo/demo-pipeline.ts";
import { openSurroundings, pushChange, REPO, type DemoSurroundings } from "../../demo/demo-rack.ts";
import { ensureSigningKey } from "../../src/adapters/data-directory/signing-key.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { verifierKeyOf } from "../../src/ledger/note.ts";
import { loadConfig } from "../../src/main/config.ts";
import { openDeployGate } from "../../src/main/open-deploy-gate.ts";
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
  bin = join(folder, "bin");
  mkdirSync(bin);
  const words = [process.execPath, ...program("rack-gateway")].map((word) => `'${word}'`).join(" ");
  writeFileSync(join(bin, "rack-gateway"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
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
  rmSync(folder, { recursive: true, force: true });
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
    const asked = await run(printed("circleci.md", "rack-gateway deploy-approval request", "CIRCLE_SHA1"), {
      env: { CIRCLE_SHA1: change.sha, CIRCLE_BRANCH: change.branch, CIRCLE_WORKFLOW_ID: workflow.id },
    });
    const id = idIn(asked.out);
    const { metadata, link } = ciOf(await request(id));
    expect(metadata).toEqual({ workflow: workflow.id, number: "42" });
    expect(link).toBe("https://app.circleci.com/pipelines/gh/MyOrg/myapp/42");
    await robin.prove(...act(id, "approve"));
    await expect.poll(() => workflow.jobs[0]?.status, { timeout: 20_000 }).toBe("success");
  });
});

describe("the commands of the guide", () => {
  it("deploy R-REQ-3, R-CLI-8, R-CLI-12: asking, listing, approving with notes and verifying work as printed", async () => {
    const page = "deploy-approvals.md";
    const change = pushChange(around);
    const asked = await run(printed(page, "rack-gateway deploy-approval request", "CIRCLE_SHA1"), {
      env: { CIRCLE_SHA1: change.sha, CIRCLE_BRANCH: change.branch },
    });
    expect(asked.status).toBe(0);
    const id = idIn(asked.out);
    const listed = await run(printed(page, "rack-gateway deploy-approval list"));
    expect([listed.status, listed.out]).toEqual([0, expect.stringContaining(id)]);

    const person = await robinsTerminal();
    const approve = printed(page, "rack-gateway deploy-approval approve").replace("<request-id>", id);
    const [code = ""] = await backupCodes();
    const approved = await run(approve, { ...person, input: `${code}\n` });
    expect([approved.status, approved.out]).toEqual([
      0,
      expect.stringContaining(`✅ Deploy approval request ${id} approved`),
    ]);
    // The factor is asked for after the request was shown.
    expect(approved.err).toMatch(/Commit: +[0-9a-f]{40}[\s\S]*Enter MFA code/);
    expect((await request(id))["approval_notes"]).toBe("Reviewed diff, LGTM");

    const verify = printed(page, "rack-gateway deploy-approval verify").replace("<request-id>", id);
    writeFileSync(join(folder, "trust.txt"), "");
    const untold = await run(verify.replace("--trust trust.txt", ""), person);
    expect(untold.status).toBe(2);
    // It names whose key is needed; the key itself comes from whoever runs the server.
    const [, origin = ""] = /name and id are (\S+)\+[0-9a-f]{8}>/.exec(untold.err) ?? [];
    const key = verifierKeyOf(await ensureSigningKey(join(folder, "data")), origin);
    writeFileSync(join(folder, "trust.txt"), `log ${key}\nquorum none\n`);
    const verified = await run(verify, person);
    expect([verified.status, verified.out]).toEqual([0, expect.stringContaining("Sound: every check passed.")]);
  }, 60_000);

  it("deploy R-REQ-3, R-CLI-2, R-CLI-7: waiting with an abbreviated commit, without app and branch, works as printed", async () => {
    const wait = printed("deploy-approvals.md", "rack-gateway deploy-approval request", "abc123f");
    const { directory, head } = repository("myapp", "short-commit");
    onGithub(head, "short-commit");
    const waiting = begin(wait.replace("abc123f", head.slice(0, 7)), { directory });
    await expect.poll(() => waiting.out(), { timeout: 30_000 }).toContain("Deploy approval request");
    const id = idIn(waiting.out());
    expect(await request(id)).toMatchObject({
      ...{ git_commit_hash: head, app: "myapp", git_branch: "short-commit", status: "pending" },
    });
    await robin.prove(...act(id, "approve"));
    expect(await waiting.status).toBe(0);
    expect(waiting.out()).toContain(`Deploy approval request ${id} approved.`);
  });

  it("deploy R-REQ-3: outside any repository, and without version control, it is told that the commit is no full one", async () => {
    const wait = printed("deploy-approvals.md", "rack-gateway deploy-approval request", "abc123f");
    const made = await robin.prove("/api/v1/api-tokens", { name: "other", role: "cicd" }, "POST /api-tokens");
    const outside = mkdtempSync(join(folder, "outside-"));
    mkdirSync(join(outside, ".convox"));
    writeFileSync(join(outside, ".convox/app"), "other\n");
    const env = { RACK_GATEWAY_API_TOKEN: textAt(made, "token") };
    const refused = await run(wait, { directory: outside, env });
    expect([refused.status, refused.err]).toEqual([
      20,
      expect.stringContaining("git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)"),
    ]);
  });

  it.each([
    ["github-actions.md", (commit: string, branch: string) => ({ GITHUB_SHA: commit, GITHUB_REF_NAME: branch })],
    ["jenkins.md", (commit: string, branch: string) => ({ GIT_COMMIT: commit, BRANCH_NAME: branch })],
  ] as const)(
    "deploy R-CLI-7, R-CLI-9: the pipeline of %s waits, and deploys what was approved",
    async (page, variables) => {
      const change = pushChange(around);
      const directory = mkdtempSync(join(folder, "checkout-"));
      for (const [path, content] of Object.entries(change.files)) writeFileSync(join(directory, path), content);
      const shell = { directory, env: variables(change.sha, change.branch) };
      const [wait = "", deploy = ""] = pipelineCommands(page);
      const waiting = begin(wait, shell);
      await expect.poll(() => waiting.out(), { timeout: 30_000 }).toContain("Deploy approval request");
      const id = idIn(waiting.out());
      await robin.prove(...act(id, "approve"));
      expect(await waiting.status).toBe(0);
      const deployed = await run(deploy, shell);
      expect([deployed.status, deployed.err]).toEqual([0, expect.stringContaining("Promoting R")]);
      expect((await request(id))["status"]).toBe("deployed");
    },
    60_000,
  );

  it("deploy R-SETTINGS-1: every environment that the guide prints is one that the server starts with", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(join(folder, "countersign.private-key.pem"), pem);
    const rack = { RACK: "production", RACK_HOST: "https://rack.example.com", RACK_TOKEN: "t" };
    for (const page of PAGES) {
      for (const block of blocks(page).filter((text) => text.startsWith("export "))) {
        const shown = await run(`set -eu\n${printed(page, block).replaceAll(/<[^>]+>/g, "placeholder")}\nenv -0`);
        const told = new Map(shown.out.split("\0").map((line) => [line.split("=")[0], line.replace(/^[^=]*=/, "")]));
        const names = [...block.matchAll(/\b([A-Z_]+)=/g)].map(([, name = ""]) => name);
        expect(names.filter((name) => (told.get(name) ?? "") !== "")).toEqual(names);
        const environment = { ...rack, ...Object.fromEntries(names.map((name) => [name, told.get(name)])) };
        await openedWith(environment);
      }
    }
  });

  it("deploy section 15: the call that tells whose CircleCI token it is works as printed", async () => {
    const ask = printed("circleci.md", "curl")
      .replace("https://circleci.com/api/v2", around.circleci.url)
      .replace("<circleci token>", around.circleci.token);
    const answered = await run(ask);
    expect([answered.status, answered.out]).toEqual([0, expect.stringContaining('"login"')]);
  });

  it("deploy section 24, case 80: every command block of the guide was run here, or says why it cannot be", () => {
    const all = PAGES.flatMap((page) => blocks(page).map((block) => `${page}: ${block}`));
    const left = all.filter((block) => !executed.has(block));
    expect(left).toEqual(all.filter((block) => NOT_RUN.some(({ start }) => block.startsWith(start))));
    expect(NOT_RUN.filter(({ start }) => !left.some((block) => block.startsWith(start)))).toEqual([]);
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

/** What the guide says of this gate. */
const PAGES = [
  ...["deploy-approvals.md", "circleci.md", "github-actions.md", "jenkins.md", "upgrading-from-rack-gateway.md"],
] as const;

/** Blocks that are not run here, each with its reason. */
const NOT_RUN = [
  {
    start: "github-actions.md: rack-gateway deploy-approval request --oidc",
    reason: "GitHub gives a job its identity; test/contract/cli-rack-login.test.ts plays GitHub for this command",
  },
] as const;

const executed = new Set<string>();

/** The block that starts like this and holds this, which is about to be run. */
function printed(page: string, start: string, part = ""): string {
  const [block, ...more] = blocks(page).filter((text) => text.startsWith(start) && text.includes(part));
  if (block === undefined || more.length > 0) throw new Error(`${page} has not one block of ${start} ${part}`);
  executed.add(`${page}: ${block}`);
  return block;
}

/** What a page's pipeline runs with our command: to wait, and to deploy. */
function pipelineCommands(page: string): readonly string[] {
  const text = readFileSync(join(packageRoot(), "docs/guide", page), "utf8");
  const [, kind = "", block = ""] = /^```(yaml|groovy)\n([\s\S]*?)^```$/m.exec(text) ?? [];
  const commands =
    kind === "yaml"
      ? workflowSchema.parse(parseYaml(block)).jobs.deploy.steps.flatMap(({ run: command }) => command ?? [])
      : [...block.matchAll(/\bsh '''([\s\S]*?)'''|\bsh '([^']+)'/g)].map(([, long, short]) => long ?? short ?? "");
  return commands.filter((command) => command.includes("rack-gateway"));
}

const workflowSchema = z.object({
  jobs: z.object({ deploy: z.object({ steps: z.array(z.object({ run: z.string().optional() })) }) }),
});

/** As a start opens it, which throws what it cannot start with; nothing is called. */
async function openedWith(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { config } = loadConfig(environment, {
    "countersign.racks": [{ name: "staging", host: "https://staging.example.com", token_env: "RACK_TOKEN" }],
  });
  const opened = openDeployGate({
    ...{ config, environment, development: false, serverKey: new Uint8Array(32), log: pino({ enabled: false }) },
    application: () => {
      throw new Error("nobody asks");
    },
  });
  await opened.close();
}

/** A terminal of Robin's, who has come in by `rack-gateway login` and the browser. */
async function robinsTerminal(): Promise<Shell> {
  const home = mkdtempSync(join(folder, "terminal-"));
  const shell = { env: { GATEWAY_CLI_CONFIG_DIR: home, RACK_GATEWAY_API_TOKEN: "", RACK_GATEWAY_URL: "" } };
  const login = begin(`rack-gateway login production ${url} --no-open`, shell);
  await expect.poll(() => login.err(), { timeout: 30_000 }).toMatch(/^Code: /m);
  const query = Object.fromEntries(new URL(/^Auth URL: (\S+)$/m.exec(login.err())?.[1] ?? "").searchParams);
  const { redirect } = await robin.post("/v1/auth/cli/authorize", { ...query, port: Number(query["port"]) });
  await fetch(typeof redirect === "string" ? redirect : "");
  expect(await login.status).toBe(0);
  return shell;
}

async function backupCodes(): Promise<readonly string[]> {
  const { ceremony = null, codes } = await robin.prove("/v1/me/backup-codes", {}, "POST /me/backup-codes");
  await robin.post("/v1/me/backup-codes/confirm", { ceremony }).catch((error: unknown) => {
    // It answers without a body.
    if (!(error instanceof SyntaxError)) throw error;
  });
  return Array.isArray(codes) ? codes.filter((code) => typeof code === "string") : [];
}

/** The shell blocks of a page of the guide, those in its lists too. */
function blocks(page: string): readonly string[] {
  const text = readFileSync(join(packageRoot(), "docs/guide", page), "utf8");
  return [...text.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

interface Shell {
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Nothing is there to be read unless it is given. */
  readonly input?: string;
}

interface Begun {
  readonly status: Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
}

function begin(script: string, { env = {}, directory = folder, input }: Shell = {}): Begun {
  const child = spawn("bash", ["-c", script], {
    cwd: directory,
    env: {
      ...{ PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: folder, GIT_CEILING_DIRECTORIES: folder },
      ...{ RACK_GATEWAY_URL: url, RACK_GATEWAY_API_TOKEN: people.token },
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 60_000,
  });
  child.stdin.end(input);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  const status = new Promise<number>((resolve) => {
    child.once("close", (code) => {
      resolve(code ?? -1);
    });
  });
  return { status, out: () => text.out, err: () => text.err };
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

/** GitHub has it on this branch, with a pull request. */
function onGithub(sha: string, branch: string): void {
  const github = around.github.repository(REPO);
  const main = github.branches.get("main") ?? "";
  const made = github.commit({ files: { "convox.yml": "services: {}\n" } });
  const commit = github.history.add({ ...made, sha, parents: [main] });
  github.push(branch, commit);
  github.pull(branch, commit);
}

/** A working copy with one commit on a branch, whose `.convox/app` names the app. */
function repository(app: string, branch: string): { readonly directory: string; readonly head: string } {
  const directory = mkdtempSync(join(folder, "repository-"));
  mkdirSync(join(directory, ".convox"));
  writeFileSync(join(directory, ".convox/app"), `${app}\n`);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", ...args], {
      cwd: directory,
      encoding: "utf8",
    });
  git("init", "--quiet", `--initial-branch=${branch}`);
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
