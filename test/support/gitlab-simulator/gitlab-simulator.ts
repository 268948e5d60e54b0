/**
 * A simulator of GitLab's REST API v4 (not GitLab): projects, manual jobs that are played or cancelled, deployments to protected environments
 * that are approved or rejected, and the answers of the real service to wrong tokens, unknown ids and jobs in another state.
 */
import { randomUUID } from "node:crypto";
import {
  jsonBody,
  SimulatorServer,
  type SimulatedAnswer,
  type SimulatedCall,
  type SimulatedFault,
} from "../simulator-server.ts";

export interface SimulatedGitlabJob {
  readonly id: number;
  readonly sha: string;
  readonly pipelineId: number;
  status: string;
}

export interface SimulatedDeployment extends SimulatedGitlabJob {
  readonly approvals: { readonly status: string; readonly comment: string }[];
}

export interface GitlabSimulator {
  readonly url: string;
  readonly token: string;
  /** With scope read_api: it may look and not act. */
  readonly readOnlyToken: string;
  readonly log: readonly string[];
  /** Id of the project, whose path is `MyOrg/myapp`. */
  readonly projectId: number;
  addJob(sha: string, status?: string): SimulatedGitlabJob;
  addDeployment(sha: string, status?: string): SimulatedDeployment;
  fail(fault: SimulatedFault): void;
  close(): Promise<void>;
}

const PROJECT_ID = 7;
const PATH = "MyOrg/myapp";
const ID = "(\\d+)";

export async function openGitlabSimulator(): Promise<GitlabSimulator> {
  const token = `glpat-${randomUUID()}`;
  const readOnlyToken = `glpat-${randomUUID()}`;
  const jobs: SimulatedGitlabJob[] = [];
  const deployments: SimulatedDeployment[] = [];
  const job = ({ parts: [project, id] }: SimulatedCall) => ofProject(jobs, project, id);
  const deployment = ({ parts: [project, id] }: SimulatedCall) => ofProject(deployments, project, id);
  const server = await SimulatorServer.open({
    name: "gitlab",
    prefix: "/api/v4",
    check: ({ headers, method, path, body }) => {
      const given = headers["private-token"];
      if (method === "GET" && body !== "") server.violations.push(`${path}: a body where none belongs`);
      if (given === token) return null;
      if (given === readOnlyToken)
        return method === "GET" ? null : { status: 403, body: { error: "insufficient_scope" } };
      server.violations.push(`${path}: ${given === undefined ? "no PRIVATE-TOKEN" : "a token that nobody gave out"}`);
      return { status: 401, body: { message: "401 Unauthorized" } };
    },
    routes: [
      route("GET", `/projects/${ID}`, ({ parts: [id] }) =>
        id === String(PROJECT_ID) ? ok({ id: PROJECT_ID, path_with_namespace: PATH }) : missing("Project"),
      ),
      route("GET", `/projects/${ID}/jobs/${ID}`, (call) => shownJob(job(call))),
      route("POST", `/projects/${ID}/jobs/${ID}/play`, (call) => play(job(call))),
      route("POST", `/projects/${ID}/jobs/${ID}/cancel`, (call) => cancel(job(call))),
      route("GET", `/projects/${ID}/deployments/${ID}`, (call) => shownDeployment(deployment(call))),
      route("POST", `/projects/${ID}/deployments/${ID}/approval`, (call) =>
        review(deployment(call), call, server.violations),
      ),
    ],
  });
  return {
    ...{ url: server.url.replace("/api/v4", ""), token, readOnlyToken, projectId: PROJECT_ID },
    get log() {
      return server.log;
    },
    addJob: (sha, status = "manual") => added(jobs, { id: 100 + jobs.length, sha, pipelineId: 50, status }),
    addDeployment: (sha, status = "blocked") =>
      added(deployments, { id: 300 + deployments.length, sha, pipelineId: 50, status, approvals: [] }),
    fail: (fault) => {
      server.fail(fault);
    },
    close: () => server.close(),
  };
}

function added<Item>(list: Item[], item: Item): Item {
  list.push(item);
  return item;
}

function ofProject<Item extends SimulatedGitlabJob>(
  list: readonly Item[],
  project?: string,
  id?: string,
): Item | undefined {
  return project === String(PROJECT_ID) ? list.find((item) => String(item.id) === id) : undefined;
}

function shownJob(job: SimulatedGitlabJob | undefined): SimulatedAnswer {
  if (job === undefined) return missing("Not found");
  const { id, sha, status, pipelineId } = job;
  return ok({
    id,
    name: "deploy",
    status,
    stage: "deploy",
    commit: { id: sha },
    pipeline: { id: pipelineId, sha, status: "manual" },
  });
}

function play(job: SimulatedGitlabJob | undefined): SimulatedAnswer {
  if (job === undefined) return missing("Not found");
  if (job.status !== "manual") return { status: 400, body: { message: "400 Bad request - Unplayable Job" } };
  job.status = "pending";
  return shownJob(job);
}

function cancel(job: SimulatedGitlabJob | undefined): SimulatedAnswer {
  if (job === undefined) return missing("Not found");
  job.status = "canceled";
  return { ...shownJob(job), status: 201 };
}

function shownDeployment(deployment: SimulatedDeployment | undefined): SimulatedAnswer {
  if (deployment === undefined) return missing("Not found");
  const { id, sha, status, pipelineId, approvals } = deployment;
  return ok({
    id,
    iid: 1,
    sha,
    status,
    approvals,
    deployable: { id: 9, status: "manual", pipeline: { id: pipelineId } },
  });
}

function review(
  deployment: SimulatedDeployment | undefined,
  call: SimulatedCall,
  violations: string[],
): SimulatedAnswer {
  const { status, comment } = jsonBody(call) ?? {};
  if (call.headers["content-type"] !== "application/json") violations.push("an approval that is not JSON");
  if (status !== "approved" && status !== "rejected") violations.push("neither approved nor rejected");
  if (deployment === undefined) return missing("Not found");
  if (deployment.status !== "blocked")
    return { status: 400, body: { message: "This deployment is not waiting for approvals." } };
  deployment.approvals.push({ status: String(status), comment: String(comment) });
  deployment.status = status === "approved" ? "created" : "failed";
  return { status: 201, body: { user: { username: "countersign-bot" }, status, comment } };
}

function route(method: string, path: string, answer: (call: SimulatedCall) => SimulatedAnswer) {
  return { method, path: new RegExp(`^${path}$`), answer };
}

function ok(body: unknown): SimulatedAnswer {
  return { status: 200, body };
}

function missing(what: string): SimulatedAnswer {
  return { status: 404, body: { message: `404 ${what} Not Found` } };
}
