/**
 * One deploy from push to release, as a team sees it: a pipeline that asks for approval and holds, a person who decides in the
 * console, and a server that lets the pipeline go on. The pipeline is the one of docs/guide/circleci.md, its commands are those
 * of the real `rack-gateway`.
 */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/main/package-root.ts";
import { runCircleciWorkflow } from "../test/support/circleci-runner/circleci-runner.ts";
import type { DemoPeople } from "./demo-people.ts";
import { APP, pushChange, REPO, type DemoCommit, type DemoSurroundings } from "./demo-rack.ts";

export interface DemoStage {
  readonly around: DemoSurroundings;
  readonly people: DemoPeople;
  /** The server's address. */
  readonly url: string;
  readonly say: (line: string) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** The configuration that the guide shows: its first YAML block. */
function guideConfiguration(page: string): string {
  const yaml = /^```yaml\n([\s\S]*?)^```$/m.exec(page)?.[1];
  if (yaml === undefined) throw new Error("docs/guide/circleci.md shows no configuration");
  return yaml;
}

export async function playDeploy(stage: DemoStage): Promise<void> {
  const { around, url, say } = stage;
  const commit = pushChange(around);
  say(`${commit.sha.slice(0, 7)} was pushed to ${commit.branch} of ${REPO}; its pipeline starts`);
  const bin = await programs();
  const ended = new AbortController();
  const stop = AbortSignal.any([stage.signal, ended.signal]);
  const environment = { RACK_GATEWAY_URL: url, RACK_GATEWAY_API_TOKEN: stage.people.token };
  let id = "";
  try {
    const { jobs } = await runCircleciWorkflow({
      yaml: guideConfiguration(await readFile(join(packageRoot(), "docs/guide/circleci.md"), "utf8")),
      ...{ circleci: around.circleci, repo: REPO, environment, bin, signal: stop, ...commitOf(commit) },
      say: (line) => {
        id = /^ *Deploy approval request ([0-9a-f-]{36})/.exec(line)?.[1] ?? id;
        say(`pipeline  ${line}`);
      },
      onHold: () => {
        void waitFor(stage, { id, bin, commit, environment, signal: stop }).then((status) => {
          if (status !== 0) ended.abort();
        });
      },
    });
    if (stage.signal.aborted) return;
    const isDone = jobs.every(({ status }) => status === "success");
    const release = around.rack.apps.get(APP)?.release ?? "";
    say(
      isDone ? `deployed: ${APP} on the simulated rack runs release ${release}` : "the pipeline ended without a deploy",
    );
  } finally {
    ended.abort();
    await rm(bin, { recursive: true, force: true });
  }
}

function commitOf({ sha, branch, files }: DemoCommit): { commit: string; branch: string; files: DemoCommit["files"] } {
  return { commit: sha, branch, files };
}

function invite({ url, people, say }: DemoStage, id: string): void {
  say("");
  say("A deploy waits for a person. It is yours to decide:");
  say(`  1. Once: come in as Robin Reviewer, with a passkey or an authenticator app: ${people.invitation}`);
  say(`  2. Approve or reject it: ${url}/app/deploy/requests/${id}`);
  say("Whoever has come in before signs in with the same passkey.");
  say("");
}

interface Waiting {
  readonly id: string;
  readonly bin: string;
  readonly commit: DemoCommit;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * `--wait` joins the request that is there, and its exit status says how it ended; 1 when it was cut short. A request that was
 * decided before could not be joined, so nobody is asked to decide earlier.
 */
async function waitFor(stage: DemoStage, { id, bin, commit, environment, signal }: Waiting): Promise<number> {
  const about = ["--app", APP, "--git-commit", commit.sha, "--branch", commit.branch, "--message", "Deploy it"];
  const child = spawn(join(bin, "rack-gateway"), ["deploy-approval", "request", ...about, "--wait", "--timeout", "0"], {
    ...{ env: { PATH: process.env["PATH"] ?? "", HOME: bin, ...environment }, signal },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.on("error", () => undefined);
  let last = "";
  let isInvited = false;
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString("utf8");
    if (!isInvited && text.includes(id)) {
      isInvited = true;
      invite(stage, id);
    }
    last = text.trim().split("\n").at(-1) ?? last;
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const status = await new Promise<number>((resolve) => {
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
  if (!signal.aborted) stage.say(`waiting   ${last}`);
  return status;
}

/** A directory that holds the program `rack-gateway`. */
async function programs(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "countersign-demo-"));
  const file = join(directory, "rack-gateway");
  const loader = join(packageRoot(), "node_modules/tsx/dist/loader.mjs");
  const script = join(packageRoot(), "src/cli/rack-gateway.ts");
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' --import '${loader}' '${script}' "$@"\n`);
  await chmod(file, 0o755);
  return directory;
}
