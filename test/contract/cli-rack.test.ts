/** The rack commands of `rack-gateway` and `countersign rack`, against a simulated rack. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { objectIn } from "../support/json-answer.ts";
import { openRackFront, type RackFront } from "../support/rack-front.ts";
import { rackGateway, type RackGatewayCall, type RackGatewayRun } from "../support/rack-gateway-process.ts";
import { openRackSimulator, type RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import type { ExecCall, ExecScript } from "../support/rack-simulator/simulated-rack.ts";

const PROCESS_MS = 60_000;
const MANIFEST = "services:\n  web:\n    image: registry.example.com/myapp:latest\n";

let rack: RackSimulator;
let front: RackFront;
let folder = "";
let source = "";
let head = "";
let execScript: (call: ExecCall) => ExecScript = () => ({});
let promoteOutcome: "running" | "rollback" = "running";
let buildFailure: string | null = null;

beforeAll(async () => {
  rack = await openRackSimulator({
    onExec: (call) => execScript(call),
    onPromote: () => promoteOutcome,
    onBuild: () => buildFailure,
  });
  rack.addApp({ name: "myapp", manifest: MANIFEST, env: { PORT: "3000" } });
  front = await openRackFront(rack);
  folder = mkdtempSync(join(tmpdir(), "rack-gateway-test-"));
  source = join(folder, "myapp");
  const files = {
    ...{
      "convox.yml": MANIFEST,
      "web.rb": "run\n",
      "log/dev.log": "noise",
      "log/keep.log": "kept",
      "src/log/x.log": "x",
    },
    ...{ ".dockerignore": "# noise\nlog/*\n!log/keep.log\nDockerfile\n", Dockerfile: "FROM scratch\n" },
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), content);
  }
  chmodSync(join(source, "web.rb"), 0o775);
  symlinkSync("web.rb", join(source, "main.rb"));
  mkdirSync(join(source, "empty"));
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: source, encoding: "utf8" });
  git("init", "--quiet");
  git("add", "-A");
  git("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "--quiet", "-m", "First");
  head = git("rev-parse", "HEAD").trim();
});
afterAll(async () => {
  await front.close();
  await rack.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  [execScript, promoteOutcome, buildFailure] = [() => ({}), "running", null];
  front.answers(() => null);
  rack.forgetCalls();
});

function run(args: readonly string[], call: RackGatewayCall = {}): Promise<RackGatewayRun> {
  const env = { RACK_GATEWAY_URL: front.url, RACK_GATEWAY_API_TOKEN: "rgw_token", ...call.env };
  return rackGateway(args, { cwd: source, ...call, env });
}

/** As somebody who is logged in. */
function asPerson(args: readonly string[], call: RackGatewayCall = {}): Promise<RackGatewayRun> {
  return run(args, { ...call, env: { RACK_GATEWAY_API_TOKEN: "session" } });
}

function app(): ReturnType<RackSimulator["rack"]["app"]> {
  return rack.rack.app("myapp");
}

async function entriesOf(archive: Buffer): Promise<readonly string[]> {
  const reading = extract();
  reading.end(gunzipSync(archive));
  const entries: string[] = [];
  for await (const entry of reading) {
    const { name, type, mode, linkname, uid, gid, mtime } = entry.header;
    expect([uid, gid, mtime.getTime()]).toEqual([0, 0, 0]);
    entries.push([type, mode.toString(8), name, type === "symlink" ? linkname : ""].join(" ").trim());
    entry.resume();
  }
  return entries;
}

describe("deploying", () => {
  it(
    "deploy R-CLI-9: packs, uploads, builds with the commit, shows the log, and promotes",
    async () => {
      const ran = await run(["deploy", "--description", "First", "--wait"]);
      const release = app().release;
      expect(ran).toEqual({
        status: 0,
        out: "Running: docker pull registry.example.com/myapp:latest\n",
        err: `Packaging source... OK\nUploading source... OK\nStarting build... OK\nPromoting ${release}... OK\n`,
      });
      const built = [...app().builds.values()].at(-1);
      expect(built).toMatchObject({ gitSha: head, description: "First", release });
      const upload = front.calls.find(({ path }) => path.includes("/objects/tmp/"));
      expect(upload?.headers).toMatchObject({ "countersign-git-sha": head, authorization: "Bearer rgw_token" });
      expect(upload?.headers["content-length"]).toMatch(/^\d+$/);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: the archive honours .dockerignore, leaves out .git, and is the same whenever its files are",
    async () => {
      const hashes: string[] = [];
      for (const time of [1_000_000, 2_000_000]) {
        utimesSync(join(source, "web.rb"), time, time);
        expect((await run(["build"])).status).toBe(0);
        const object = [...rack.objects.values()].filter(({ key }) => key.startsWith("tmp/")).at(-1);
        hashes.push(
          createHash("sha256")
            .update(object?.body ?? "")
            .digest("hex"),
        );
        expect(await entriesOf(object?.body ?? Buffer.alloc(0))).toEqual([
          ...["file 644 .dockerignore", "file 644 Dockerfile", "file 644 convox.yml"],
          ...["directory 755 log/", "file 644 log/keep.log", "symlink 777 main.rb web.rb"],
          ...["directory 755 src/", "directory 755 src/log/", "file 644 src/log/x.log", "file 755 web.rb"],
        ]);
      }
      expect(hashes[0]).toBe(hashes[1]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: build prints build and release, and with --id the release alone",
    async () => {
      const ran = await run(["build", "-a", "myapp", source], { cwd: folder });
      const built = [...app().builds.values()].at(-1);
      expect(ran.out).toContain(`Build:   ${built?.id ?? ""}\nRelease: ${built?.release ?? ""}\n`);
      const alone = await run(["build", "--id"]);
      expect(alone.out).toBe(`${[...app().builds.values()].at(-1)?.release ?? ""}\n`);
      expect(alone.err).toContain("Running: docker pull");
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: without a repository the CI's commit is taken, and --git-sha before all",
    async () => {
      const bare = mkdtempSync(join(folder, "bare-"));
      writeFileSync(join(bare, "convox.yml"), MANIFEST);
      const circle = { CIRCLE_SHA1: "b".repeat(40) };
      const env = { RACK_GATEWAY_URL: front.url, RACK_GATEWAY_API_TOKEN: "rgw_token", ...circle };
      await run(["build", "-a", "myapp"], { cwd: bare, env });
      expect([...app().builds.values()].at(-1)?.gitSha).toBe("b".repeat(40));
      await run(["build", "-a", "myapp", "--git-sha", "c".repeat(40)], { cwd: bare, env });
      expect([...app().builds.values()].at(-1)?.gitSha).toBe("c".repeat(40));
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-4: a build that fails, and a release that is rolled back, end with 20",
    async () => {
      buildFailure = "no such image";
      const failed = await run(["deploy"]);
      expect(failed.status).toBe(20);
      expect(failed.err).toMatch(/Error: no such image\n$|Error: build B\w+ failed: no such image\n$/);
      [buildFailure, promoteOutcome] = [null, "rollback"];
      const before = app().release;
      const rolled = await run(["deploy", "--wait"]);
      expect(rolled.status).toBe(20);
      expect(rolled.err).toMatch(new RegExp(`Error: R\\w+ was rolled back: ${before} is active\n$`));
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-4: what the gate refuses is told in its lines, in the middle of a deploy",
    async () => {
      const body = "image is not allowed\nset service_image_patterns";
      front.answers(({ method, path }) =>
        method === "POST" && path.endsWith("/builds")
          ? { status: 422, body, headers: { "x-countersign-code": "image_pattern" } }
          : null,
      );
      const ran = await run(["deploy"]);
      expect(ran.status).toBe(20);
      expect(ran.err).toBe(`Packaging source... OK\nUploading source... OK\nStarting build... \nError: ${body}\n`);
    },
    PROCESS_MS,
  );
});

describe("deploying with an approval", () => {
  const gated = { permissions: ["convox:app:read", "convox:deploy:deploy_with_approval"] };
  const request = (members: object): object => ({
    ...{ public_id: "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11", app: "myapp", git_commit_hash: head },
    ...{ created_at: "2026-11-20T09:00:00Z", approval_expires_at: "2026-11-20T09:20:00Z", ...members },
  });
  const answered = (approvals: readonly object[], single: object = {}) =>
    front.answers(({ path }) => {
      if (path === "/info") return { body: gated };
      if (path.startsWith("/deploy-approval-requests?")) return { body: { deploy_approval_requests: approvals } };
      return path.startsWith("/deploy-approval-requests/") ? { body: single } : null;
    });

  it.each([
    ["none", [], "none was asked for with this token"],
    ["a pending one", [{ status: "pending" }], "it is pending since 2026-11-20T09:00:00Z"],
    ["one that expired", [{ status: "expired" }], "it expired at 2026-11-20T09:20:00Z"],
    ["one that is used", [{ status: "deployed" }], "it is already deployed"],
    ["one of another commit", [{ status: "approved", git_commit_hash: "d".repeat(40) }], "another commit is approved"],
  ] as const)(
    "deploy R-CLI-9, R-BIND-2: with %s a token client stops before it packs",
    async (_name, approvals, reason) => {
      answered(approvals.map(request));
      const ran = await run(["deploy"]);
      expect([ran.status, ran.out]).toEqual([20, ""]);
      const [first, second, third] = ran.err.split("\n");
      expect(first).toBe("Error: No active deploy approval found for this commit");
      expect(second).toContain(reason);
      expect(third).toBe(
        `rack-gateway deploy-approval request --app myapp --git-commit ${head} --message "..." --wait`,
      );
      expect(rack.calls).toEqual([]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: warns when the window is nearly over before the promote",
    async () => {
      const soon = new Date(Date.now() + 120_500).toISOString();
      const approved = request({ status: "approved", approval_expires_at: soon });
      answered([approved], approved);
      const ran = await run(["deploy"]);
      expect(ran.status).toBe(0);
      expect(ran.err).toMatch(/Warning: the approval ends in [12] min; an approver can extend it\nPromoting /);
    },
    PROCESS_MS,
  );
});

describe("commands in processes", () => {
  it(
    "deploy R-CLI-4, R-CLI-9: run starts a sleeper, runs the command in it, stops it, and ends with the command's code",
    async () => {
      const seen: ExecCall[] = [];
      execScript = (call) => {
        seen.push(call);
        return { output: [Buffer.from([0xff, 0xfe, 0x0a])], exitCode: 3 };
      };
      const release = app().release;
      const ran = await run(["run", "web", "rake db:migrate", "--release", release, "-t", "60"]);
      expect(ran.status).toBe(3);
      expect(seen).toMatchObject([{ command: "rake db:migrate", tty: false }]);
      const [start, ...rest] = rack.calls.filter(({ method }) => method !== "GET");
      expect([start?.headers["command"], start?.headers["release"]]).toEqual(["sleep 60", release]);
      expect(rest.map(({ method }) => method)).toContain("DELETE");
      expect([...app().processes.values()].filter(({ isService }) => !isService)).toEqual([]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: exec passes input on to its end, and prints output as it is",
    async () => {
      const pid = [...app().processes.keys()][0] ?? "";
      execScript = () => ({ output: ["> "], echo: true, exitCode: 0 });
      const ran = await run(["exec", pid, "cat", "-a", "myapp"], { input: "one\ntwo\n" });
      expect(ran).toEqual({ status: 0, out: "> one\ntwo\n", err: "" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-4: a process that is not there, and a command that is refused, end with 20",
    async () => {
      const gone = await run(["exec", "nobody-aaaaa", "ls"]);
      expect(gone).toMatchObject({ status: 20, err: "Error: process not found: nobody-aaaaa\n" });
      const body = "command not approved: ls\napproved: rake db:migrate";
      front.answers(({ method }) => (method === "SOCKET" ? { status: 403, body } : null));
      const refused = await run(["exec", "web-aaaaa", "ls"]);
      expect(refused).toMatchObject({ status: 20, err: `Error: ${body}\n` });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-11: a stream that needs a factor is opened once more with one",
    async () => {
      const pid = [...app().processes.keys()][0] ?? "";
      execScript = () => ({ output: ["done\n"] });
      front.answers(({ method, headers }) => {
        const isAsked = method === "SOCKET" && headers["x-mfa-totp"] === undefined;
        const required = { "X-MFA-Required": "true", "X-MFA-Level": "step_up" };
        return isAsked
          ? { status: 401, body: "Multi-factor authentication is required for this action", headers: required }
          : null;
      });
      const without = await asPerson(["exec", pid, "ls"]);
      expect(without.err).toBe("Error: Multi-factor authentication is required for this action\n");
      const ran = await asPerson(["exec", pid, "ls", "--mfa-code", "123456"]);
      expect(ran).toMatchObject({ status: 0, out: "done\n" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: run --detach prints the process and leaves it",
    async () => {
      const ran = await run(["run", "web", "--detach", "-e", "A=1", "--", "rake", "-T"]);
      const pid = ran.out.trim();
      expect(app().process(pid)).toMatchObject({ command: "rake -T", options: { Environment: "A=1" } });
      expect((await run(["ps", "stop", pid])).err).toBe(`Stopping ${pid}... OK\n`);
      expect(app().processes.has(pid)).toBe(false);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: Ctrl-C stops the process of a run",
    async () => {
      execScript = () => ({
        output: (async function* () {
          yield "started\n";
          await sleep(20_000, undefined, { ref: false });
        })(),
      });
      const ran = await run(["run", "web", "rake"], { signal: { after: "started", name: "SIGINT" } });
      expect(ran.status).toBe(130);
      expect([...app().processes.values()].filter(({ isService }) => !isService)).toEqual([]);
    },
    PROCESS_MS,
  );
});

describe("looking and changing", () => {
  it.each([
    ["apps", [], /^APP {4}STATUS {3}RELEASE\nmyapp {2}running {2}R\w{10}\n$/],
    ["apps", ["info"], /^Name {9}myapp\nStatus {7}running\n/],
    ["ps", [], /^ID +SERVICE +STATUS +RELEASE +STARTED +COMMAND\nweb-\w{5} +web +running +R/],
    ["builds", ["list"], /^ID +STATUS +RELEASE +STARTED +ENDED +DESCRIPTION\nB\w{10} +complete +R/],
    ["releases", [], /^ID +BUILD +CREATED +DESCRIPTION\nR\w{10} +B/],
    ["scale", [], /^SERVICE +DESIRED +RUNNING +CPU +MEMORY\nweb +1 +1 +250 +512\n$/],
    ["rack", ["info"], /^Name {9}simulator\nProvider {5}simulator\n/],
    ["rack", ["params"], /high_availability +true\n/],
    ["rack", ["releases"], /^VERSION +CREATED\n20260101000000\n$/],
    ["rack", ["ps"], /^ID +APP +SERVICE/],
    ["rack", [], /^Current rack: \(from environment\)\nGateway URL: http/],
  ] as const)(
    "deploy R-CLI-9: %s %j",
    async (command, args, text) => {
      const ran = await run([command, ...args]);
      expect([ran.status, ran.err]).toEqual([0, ""]);
      expect(ran.out).toMatch(text);
      if (args[0] !== undefined || command === "rack") return;
      const json: unknown = JSON.parse((await run([command, "--json"])).out);
      expect(json).toBeInstanceOf(Array);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: restart and scale change services, and say so",
    async () => {
      expect((await run(["restart", "web"])).err).toBe("Restarting web... OK\n");
      expect((await run(["restart"])).err).toBe("Restarting myapp... OK\n");
      expect(app().restarts).toEqual({ web: 1, "*": 1 });
      expect((await run(["scale", "web", "--count", "3", "--cpu", "512"])).err).toBe("Scaling web... OK\n");
      expect(app().scales.get("web")).toMatchObject({ count: 3, cpu: 512 });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: logs print what there is, and end with --no-follow",
    async () => {
      app().log.write("hello\n");
      const ran = await run(["logs", "--no-follow", "--since", "2m"]);
      expect([ran.status, ran.out]).toEqual([0, expect.stringContaining("hello\n")]);
      const socket = front.calls.find(({ method }) => method === "SOCKET");
      expect(socket?.headers).toMatchObject({ follow: "false", since: "2m" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: releases promote takes the newest, and env goes through the gate",
    async () => {
      const release = app().addRelease({ env: "PORT=4000" }).id;
      const promoted = await run(["releases", "promote"]);
      expect([promoted.status, promoted.err]).toEqual([0, `Promoting ${release}... OK\n`]);
      expect(app().release).toBe(release);
      front.answers(({ method, path }) => {
        if (!path.startsWith("/apps/myapp/env")) return null;
        return { body: method === "PUT" ? { env: {}, release_id: release } : { env: { PORT: "4000", DB_KEY: "***" } } };
      });
      expect((await run(["env"])).out).toBe("DB_KEY=***\nPORT=4000\n");
      expect((await run(["env", "get", "PORT"])).out).toBe("4000\n");
      expect(await run(["env", "get", "NOPE"])).toMatchObject({ status: 20, err: "Error: env not found: NOPE\n" });
      const set = await run(["env", "set", "A=1", "B=x=y", "--promote"]);
      expect(set).toMatchObject({
        out: `Release: ${release}\n`,
        err: `Setting A, B... OK\nPromoting ${release}... OK\n`,
      });
      await run(["env", "unset", "PORT"]);
      const bodies = front.calls.filter(({ method }) => method === "PUT").map(({ body }) => objectIn(body));
      expect(bodies).toEqual([
        { set: { A: "1", B: "x=y" }, remove: [] },
        { set: {}, remove: ["PORT"] },
      ]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-9: env edit sends what the editor changed, and nothing else",
    async () => {
      const editor = join(folder, "editor.sh");
      writeFileSync(editor, '#!/bin/sh\nsed -i -e s/4000/5000/ -e /COLOR/d "$1"\necho NEW=1 >> "$1"\n', {
        mode: 0o755,
      });
      front.answers(({ method, path }) => {
        if (!path.startsWith("/apps/myapp/env")) return null;
        const env = { PORT: "4000", DB_KEY: "***", COLOR: "blue" };
        return { body: method === "PUT" ? { env: {}, release_id: "RNEW" } : { env } };
      });
      const env = { RACK_GATEWAY_URL: front.url, RACK_GATEWAY_API_TOKEN: "rgw_token", EDITOR: editor };
      expect((await run(["env", "edit"], { env })).out).toBe("Release: RNEW\n");
      const put = front.calls.find(({ method }) => method === "PUT");
      expect(objectIn(put?.body ?? "")).toEqual({ set: { PORT: "5000", NEW: "1" }, remove: ["COLOR"] });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-1: countersign rack says the same",
    async () => {
      const ran = await run(["rack", "apps"], { program: "countersign" });
      expect([ran.status, ran.out]).toEqual([0, expect.stringContaining("myapp  running")]);
      expect((await run(["rack", "ps", "--bogus"], { program: "countersign" })).status).toBe(20);
    },
    PROCESS_MS,
  );
});
