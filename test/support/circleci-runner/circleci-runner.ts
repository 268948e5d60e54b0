/**
 * Runs a CircleCI configuration on this machine (not CircleCI): jobs one after another as they require each other, their `run`
 * steps in bash, and a hold job that waits until the simulator of CircleCI's API has it approved. Contexts are one environment
 * for all jobs; images are ignored.
 *
 *     const run = await runCircleciWorkflow({ yaml, circleci, repo, branch, commit, files, environment, bin, say });
 *     expect(run.jobs).toEqual([{ name: "test", status: "success" }, …]);
 */
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { parse } from "yaml";
import { z } from "zod";
import type { CircleciSimulator, SimulatedJob, SimulatedWorkflow } from "../circleci-simulator/circleci-simulator.ts";

export interface CircleciRun {
  readonly yaml: string;
  readonly circleci: CircleciSimulator;
  /** `owner/repo`. */
  readonly repo: string;
  readonly branch: string;
  readonly commit: string;
  /** What `checkout` puts into the working directory: path to content. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the contexts. */
  readonly environment: Readonly<Record<string, string>>;
  /** A directory whose programs come first. */
  readonly bin: string;
  readonly say: (line: string) => void;
  /** A hold job waits. */
  readonly onHold?: (job: string) => void;
  /** Ends the run, whatever it waits for. */
  readonly signal?: AbortSignal;
}

export interface CircleciRunEnd {
  readonly workflow: SimulatedWorkflow;
  readonly jobs: readonly { readonly name: string; readonly status: string }[];
}

const POLL_MS = 500;

const step = z.union([
  z.string(),
  z.object({ run: z.union([z.string(), z.object({ name: z.string().optional(), command: z.string() })]) }),
]);
const about = z.object({ type: z.string().optional(), requires: z.array(z.string()).default([]) });
const configuration = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(step) })),
  workflows: z.record(z.string(), z.object({ jobs: z.array(z.union([z.string(), z.record(z.string(), about)])) })),
});

interface PlannedJob {
  readonly name: string;
  readonly isHold: boolean;
  readonly requires: readonly string[];
  readonly commands: readonly string[];
}

/** The first workflow of the configuration, from its first job to the last one that can run. */
export async function runCircleciWorkflow(run: CircleciRun): Promise<CircleciRunEnd> {
  const { name, jobs } = plannedJobs(run.yaml);
  const workflow = run.circleci.addWorkflow({
    ...{ repo: run.repo, revision: run.commit, name, vcs: { branch: run.branch } },
    jobs: jobs.map((job) => ({ name: job.name, type: job.isHold ? "approval" : "build", status: "blocked" })),
  });
  workflow.status = "running";
  const directory = await mkdtemp(join(tmpdir(), "circleci-runner-"));
  try {
    const environment = await environmentOf(run, workflow);
    for (const job of jobs) await runJob(run, { job, workflow, directory, environment });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const failed = workflow.jobs.some(({ status }) => status !== "success");
  workflow.status = failed ? "failed" : "success";
  return { workflow, jobs: workflow.jobs.map(({ name: job, status }) => ({ name: job, status })) };
}

interface Running {
  readonly job: PlannedJob;
  readonly workflow: SimulatedWorkflow;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function runJob(run: CircleciRun, running: Running): Promise<void> {
  const { job, workflow } = running;
  const shown = jobNamed(workflow, job.name);
  if (job.requires.some((name) => jobNamed(workflow, name).status !== "success")) return;
  if (job.isHold) await hold(run, workflow, shown);
  else shown.status = (await ran(run, running)) ? "success" : "failed";
  run.say(`${job.name}: ${shown.status}`);
}

/** The server calls the simulator, which changes the job. */
async function hold(run: CircleciRun, workflow: SimulatedWorkflow, job: SimulatedJob): Promise<void> {
  [job.status, workflow.status] = ["on_hold", "on_hold"];
  run.say(`${job.name}: on hold`);
  run.onHold?.(job.name);
  while (job.status === "on_hold" && run.signal?.aborted !== true) await setTimeout(POLL_MS);
  if (job.status === "on_hold") job.status = "canceled";
}

async function ran(run: CircleciRun, { job, directory, environment }: Running): Promise<boolean> {
  const work = join(directory, job.name);
  await mkdir(work, { recursive: true });
  run.say(`${job.name}: running`);
  for (const command of job.commands) {
    if (command === "checkout") await checkOut(work, run.files);
    else if (!(await bash(command, { run, work, environment }))) return false;
  }
  return true;
}

async function checkOut(work: string, files: CircleciRun["files"]): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), content);
    await chmod(join(work, path), 0o644);
  }
}

interface Shell {
  readonly run: CircleciRun;
  readonly work: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function bash(command: string, { run, work, environment }: Shell): Promise<boolean> {
  const text = command.replaceAll("<< pipeline.number >>", environment["CIRCLE_PIPELINE_NUMBER"] ?? "");
  const child = spawn("bash", ["-eo", "pipefail", "-c", text], {
    ...{ cwd: work, env: environment, stdio: ["ignore", "pipe", "pipe"] },
    ...(run.signal === undefined ? {} : { signal: run.signal }),
  });
  const status = new Promise<number | null>((resolve) => {
    child.once("error", () => {
      resolve(null);
    });
    child.once("close", resolve);
  });
  await Promise.all([sayLines(child.stdout, run.say), sayLines(child.stderr, run.say)]);
  return (await status) === 0;
}

async function sayLines(stream: Readable | null, say: (line: string) => void): Promise<void> {
  if (stream === null) return;
  for await (const line of createInterface({ input: stream })) say(`  ${line}`);
}

async function environmentOf(run: CircleciRun, workflow: SimulatedWorkflow): Promise<Readonly<Record<string, string>>> {
  const [owner = "", name = ""] = run.repo.split("/");
  const number = await pipelineNumber(run.circleci, workflow.pipelineId);
  return {
    ...{ PATH: `${run.bin}:${process.env["PATH"] ?? ""}`, HOME: process.env["HOME"] ?? "/", CI: "true" },
    ...{ CIRCLECI: "true", CIRCLE_SHA1: run.commit, CIRCLE_BRANCH: run.branch, CIRCLE_WORKFLOW_ID: workflow.id },
    ...{ CIRCLE_PROJECT_USERNAME: owner, CIRCLE_PROJECT_REPONAME: name, CIRCLE_PIPELINE_NUMBER: String(number) },
    ...run.environment,
  };
}

async function pipelineNumber({ url, token }: CircleciSimulator, id: string): Promise<number> {
  const answer = await fetch(`${url}/pipeline/${id}`, {
    headers: { "Circle-Token": token, Accept: "application/json" },
  });
  return z.object({ number: z.int() }).parse(await answer.json()).number;
}

function jobNamed(workflow: SimulatedWorkflow, name: string): SimulatedJob {
  const job = workflow.jobs.find((known) => known.name === name);
  if (job === undefined) throw new Error(`the workflow has no job ${name}`);
  return job;
}

function plannedJobs(yaml: string): { readonly name: string; readonly jobs: readonly PlannedJob[] } {
  const { jobs, workflows } = configuration.parse(parse(yaml));
  const [first] = Object.entries(workflows);
  if (first === undefined) throw new Error("the configuration has no workflow");
  const [name, { jobs: listed }] = first;
  const planned = listed.flatMap((entry) =>
    Object.entries(typeof entry === "string" ? { [entry]: about.parse({}) } : entry),
  );
  return {
    name,
    jobs: planned.map(([job, { type, requires }]) => {
      const isHold = type === "approval";
      const steps = jobs[job]?.steps;
      if (!isHold && steps === undefined) throw new Error(`the configuration says nothing of the job ${job}`);
      return { name: job, isHold, requires, commands: (steps ?? []).map(commandOf) };
    }),
  };
}

function commandOf(given: z.output<typeof step>): string {
  if (typeof given === "string") {
    if (given !== "checkout") throw new Error(`the runner knows no step ${given}`);
    return given;
  }
  return typeof given.run === "string" ? given.run : given.run.command;
}
