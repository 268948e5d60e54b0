/**
 * A simulator of Buildkite's REST API v2 (not Buildkite): builds with script and block jobs, unblocking, cancelling, and the answers of the
 * real service to tokens without a scope, unknown builds and jobs that are not blocked.
 */
import { randomUUID } from "node:crypto";
import {
  jsonBody,
  SimulatorServer,
  type SimulatedAnswer,
  type SimulatedCall,
  type SimulatedFault,
} from "../simulator-server.ts";

export interface SimulatedBlock {
  readonly id: string;
  readonly stepKey: string;
  state: string;
  unblockable: boolean;
}

export interface SimulatedBuild {
  readonly number: number;
  commit: string;
  /** Null leaves it out, as Buildkite does for pipelines without one. */
  repository: string | null;
  state: string;
  readonly blocks: SimulatedBlock[];
}

export interface BuildkiteSimulator {
  readonly url: string;
  /** With read_builds and write_builds. */
  readonly token: string;
  readonly readOnlyToken: string;
  readonly log: readonly string[];
  addBuild(commit: string, stepKey?: string): SimulatedBuild;
  fail(fault: SimulatedFault): void;
  close(): Promise<void>;
}

const BUILD = "/v2/organizations/my-org/pipelines/deploy-app/builds/(\\d+)";

export async function openBuildkiteSimulator(): Promise<BuildkiteSimulator> {
  const token = `bkua_${randomUUID()}`;
  const readOnlyToken = `bkua_${randomUUID()}`;
  const builds: SimulatedBuild[] = [];
  const find = ({ parts: [number] }: SimulatedCall) => builds.find((build) => String(build.number) === number);
  const server = await SimulatorServer.open({
    name: "buildkite",
    prefix: "",
    check: ({ headers, method, path }) => {
      const given = headers["authorization"];
      if (given === `Bearer ${token}`) return null;
      if (given === `Bearer ${readOnlyToken}`) {
        return method === "GET"
          ? null
          : { status: 403, body: { message: "Your access token doesn't have the write_builds scope" } };
      }
      server.violations.push(`${path}: ${given === undefined ? "no bearer token" : "a token that nobody gave out"}`);
      return { status: 401, body: { message: "Authentication required. Please supply a valid API Access Token" } };
    },
    routes: [
      route("GET", BUILD, (call) => shown(find(call))),
      route("PUT", `${BUILD}/jobs/([0-9a-f-]+)/unblock`, (call) => unblock(find(call), call, server.violations)),
      route("PUT", `${BUILD}/cancel`, (call) => cancel(find(call))),
      {
        ...{ method: "GET", path: /^\/v2\/organizations\/[^/]+\/pipelines\/[^/]+\/builds\/\d+$/ },
        answer: () => missing("No build found"),
      },
    ],
  });
  return {
    ...{ url: server.url, token, readOnlyToken },
    get log() {
      return server.log;
    },
    addBuild: (commit, stepKey = "approve") => {
      const block = { id: randomUUID(), stepKey, state: "blocked", unblockable: true };
      const repository = "git@github.com:MyOrg/myapp.git";
      const build = { number: builds.length + 1, commit, repository, state: "blocked", blocks: [block] };
      builds.push(build);
      return build;
    },
    fail: (fault) => {
      server.fail(fault);
    },
    close: () => server.close(),
  };
}

function shown(build: SimulatedBuild | undefined): SimulatedAnswer {
  if (build === undefined) return missing("No build found");
  const { number, commit, repository, state, blocks } = build;
  const script = { id: randomUUID(), type: "script", name: "test", state: "passed", step_key: "test", exit_status: 0 };
  const waiter = { id: randomUUID(), type: "waiter", state: "finished" };
  const manual = blocks.map(({ id, stepKey, state: said, unblockable }) => ({
    ...{ id, type: "manual", label: "Approve", state: said, step_key: stepKey, unblockable, unblocked_by: null },
  }));
  const pipeline = { slug: "deploy-app", ...(repository === null ? {} : { repository }) };
  const body = {
    id: randomUUID(),
    number,
    state,
    blocked: state === "blocked",
    commit,
    pipeline,
    jobs: [script, waiter, ...manual],
  };
  return { status: 200, body };
}

function unblock(build: SimulatedBuild | undefined, call: SimulatedCall, violations: string[]): SimulatedAnswer {
  const block = build?.blocks.find(({ id }) => id === call.parts[1]);
  const isJson = call.headers["content-type"] === "application/json" && jsonBody(call)?.["fields"] !== undefined;
  if (!isJson) violations.push("an unblock without its fields");
  if (build === undefined || block === undefined) return missing("No job found");
  if (!block.unblockable || block.state !== "blocked")
    return { status: 422, body: { message: "This job type cannot be unblocked" } };
  block.state = "unblocked";
  block.unblockable = false;
  build.state = "running";
  return { status: 200, body: { id: block.id, type: "manual", state: block.state } };
}

function cancel(build: SimulatedBuild | undefined): SimulatedAnswer {
  if (build === undefined) return missing("No build found");
  if (build.state === "canceled")
    return { status: 422, body: { message: "Build can't be canceled because it's already finished." } };
  build.state = "canceled";
  return shown(build);
}

function route(method: string, path: string, answer: (call: SimulatedCall) => SimulatedAnswer) {
  return { method, path: new RegExp(`^${path}$`), answer };
}

function missing(message: string): SimulatedAnswer {
  return { status: 404, body: { message } };
}
