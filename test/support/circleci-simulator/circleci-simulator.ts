/**
 * A simulator of CircleCI's API v2 (not CircleCI): pipelines with workflows, jobs, a hold job that is approved by its request id, re-runs,
 * pages, and the answers of the real service to wrong tokens, unknown ids and jobs in another state.
 *
 *     const circleci = await openCircleciSimulator();
 *     const workflow = circleci.addWorkflow({ repo: "MyOrg/myapp", revision: commit });
 *     …
 *     await circleci.close();   // throws when anything was called that CircleCI would have refused
 */
import { randomUUID } from "node:crypto";
import { SimulatorServer, type SimulatedAnswer, type SimulatedCall, type SimulatedFault } from "../simulator-server.ts";

export interface SimulatedJob {
  id: string;
  name: string;
  type: "build" | "approval";
  status: string;
  /** Only of approval jobs; CircleCI leaves it out of some answers. */
  approvalRequestId?: string;
  approvedBy?: string;
}

export interface SimulatedWorkflow {
  readonly id: string;
  readonly pipelineId: string;
  readonly name: string;
  readonly createdAt: string;
  status: string;
  jobs: SimulatedJob[];
}

interface SimulatedPipeline {
  readonly id: string;
  readonly number: number;
  slug: string;
  vcs: Record<string, unknown> | undefined;
}

export interface WorkflowSeed {
  /** `owner/repo`. */
  readonly repo: string;
  readonly revision: string;
  readonly name?: string;
  readonly slug?: string;
  readonly jobs?: readonly (Partial<SimulatedJob> & { readonly name: string })[];
  /** Merged into the `vcs` of the pipeline; null leaves it out altogether. */
  readonly vcs?: Readonly<Record<string, unknown>> | null;
}

export interface CircleciSimulator {
  readonly url: string;
  readonly token: string;
  readonly log: readonly string[];
  readonly violations: readonly string[];
  /** With `token`, and with one that was given out and withdrawn: the only ones that may be sent. */
  readonly revokedToken: string;
  readonly readOnlyToken: string;
  pageSize: number;
  addWorkflow(seed: WorkflowSeed): SimulatedWorkflow;
  /** A new workflow of the same name in the same pipeline, as *Rerun* makes it. */
  rerun(workflow: SimulatedWorkflow): SimulatedWorkflow;
  fail(fault: SimulatedFault): void;
  heal(): void;
  close(): Promise<void>;
}

const UUID = "([0-9a-fA-F-]{1,128})";
const LOGIN = "countersign-bot";
const APPROVER_ID = "c0b37cd5-9ac5-4bae-b701-c71026c0ed5a";

export async function openCircleciSimulator(): Promise<CircleciSimulator> {
  const state = new CircleciState();
  const server = await SimulatorServer.open({
    name: "circleci",
    prefix: "/api/v2",
    check: (call) => state.check(call, server.violations),
    routes: [
      route("GET", "/me", () => ok({ id: randomUUID(), login: LOGIN, name: "Countersign" })),
      route("GET", `/workflow/${UUID}`, ({ parts: [id] }) => state.showWorkflow(id)),
      route("GET", `/pipeline/${UUID}`, ({ parts: [id] }) => state.showPipeline(id)),
      route("GET", `/pipeline/${UUID}/workflow`, (call) => state.listWorkflows(call)),
      route("GET", `/workflow/${UUID}/job`, (call) => state.listJobs(call)),
      route("POST", `/workflow/${UUID}/approve/${UUID}`, (call) => state.approve(call)),
      route("POST", `/workflow/${UUID}/cancel`, (call) => state.cancel(call)),
    ],
  });
  return {
    url: server.url,
    token: state.token,
    revokedToken: state.revokedToken,
    readOnlyToken: state.readOnlyToken,
    violations: server.violations,
    get log() {
      return server.log;
    },
    get pageSize() {
      return state.pageSize;
    },
    set pageSize(size) {
      state.pageSize = size;
    },
    addWorkflow: (seed) => state.addWorkflow(seed),
    rerun: (workflow) => state.rerun(workflow),
    fail: (fault) => {
      server.fail(fault);
    },
    heal: () => {
      server.faults.length = 0;
    },
    close: () => server.close(),
  };
}

function route(method: string, path: string, answer: (call: SimulatedCall) => SimulatedAnswer) {
  return { method, path: new RegExp(`^${path}$`), answer };
}

function ok(body: unknown): SimulatedAnswer {
  return { status: 200, body };
}

class CircleciState {
  readonly token = `CCIPAT_${randomUUID()}`;
  readonly revokedToken = `CCIPAT_${randomUUID()}`;
  readonly readOnlyToken = `CCIPAT_${randomUUID()}`;
  pageSize = 20;
  readonly #pipelines = new Map<string, SimulatedPipeline>();
  readonly #workflows = new Map<string, SimulatedWorkflow>();
  #made = 0;

  check({ headers, method, body, query, path }: SimulatedCall, violations: string[]): SimulatedAnswer | null {
    const token = headers["circle-token"];
    // What people type takes whatever comes.
    if (!/application\/json|^\*\/\*$/.test(headers["accept"] ?? "")) violations.push(`${path}: no Accept`);
    if (body !== "") violations.push(`${path}: a body where none belongs`);
    for (const name of query.keys()) if (name !== "page-token") violations.push(`${path}: unknown query ${name}`);
    if (token === this.revokedToken) return { status: 401, body: { message: "Invalid token provided." } };
    if (token === this.readOnlyToken) {
      return method === "GET" ? null : { status: 403, body: { message: "Permission denied." } };
    }
    if (token === this.token) return null;
    violations.push(`${path}: ${token === undefined ? "no Circle-Token" : "a Circle-Token that nobody gave out"}`);
    return { status: 401, body: { message: "You must log in first." } };
  }

  addWorkflow({
    repo,
    revision,
    name = "build-deploy",
    slug = `gh/${repo}`,
    jobs,
    vcs,
  }: WorkflowSeed): SimulatedWorkflow {
    const url = `https://github.com/${repo}`;
    const known = { provider_name: "GitHub", target_repository_url: url, origin_repository_url: url, revision };
    this.#made += 1;
    const pipeline: SimulatedPipeline = {
      ...{ id: randomUUID(), number: this.#made, slug },
      vcs: vcs === null ? undefined : { ...known, branch: "feature", ...vcs },
    };
    this.#pipelines.set(pipeline.id, pipeline);
    return this.#add(pipeline.id, name, jobs ?? [{ name: "approve_deploy", type: "approval", status: "on_hold" }]);
  }

  rerun({ pipelineId, name, jobs }: SimulatedWorkflow): SimulatedWorkflow {
    return this.#add(
      pipelineId,
      name,
      jobs.map(({ name: job, type }) => ({ name: job, type, status: "on_hold" })),
    );
  }

  showWorkflow(id: string | undefined): SimulatedAnswer {
    const workflow = this.#workflows.get(id ?? "");
    return workflow === undefined ? missing("Workflow") : ok(this.#shown(workflow));
  }

  showPipeline(id: string | undefined): SimulatedAnswer {
    const pipeline = this.#pipelines.get(id ?? "");
    if (pipeline === undefined) return missing("Pipeline");
    const { number, slug, vcs } = pipeline;
    const known = { id: pipeline.id, errors: [], project_slug: slug, number, state: "created", created_at: at(0) };
    return ok({ ...known, trigger: { type: "webhook", received_at: at(0), actor: { login: "ada" } }, vcs });
  }

  listWorkflows(call: SimulatedCall): SimulatedAnswer {
    const [id = ""] = call.parts;
    if (!this.#pipelines.has(id)) return missing("Pipeline");
    const all = [...this.#workflows.values()].filter(({ pipelineId }) => pipelineId === id);
    return this.#page(
      call,
      all.map((workflow) => this.#shown(workflow)),
    );
  }

  listJobs(call: SimulatedCall): SimulatedAnswer {
    const workflow = this.#workflows.get(call.parts[0] ?? "");
    if (workflow === undefined) return missing("Workflow");
    const slug = this.#pipelines.get(workflow.pipelineId)?.slug;
    return this.#page(
      call,
      workflow.jobs.map(({ id, name, type, status, approvalRequestId, approvedBy }) => ({
        ...{ dependencies: [], id, name, type, status, project_slug: slug, started_at: at(1) },
        ...(approvalRequestId === undefined ? {} : { approval_request_id: approvalRequestId }),
        ...(approvedBy === undefined ? {} : { approved_by: approvedBy }),
      })),
    );
  }

  approve({ parts: [workflowId = "", requestId = ""] }: SimulatedCall): SimulatedAnswer {
    const workflow = this.#workflows.get(workflowId);
    const job = workflow?.jobs.find(({ id, approvalRequestId }) => (approvalRequestId ?? id) === requestId);
    if (workflow === undefined || job?.type !== "approval") return missing("Job");
    if (job.status !== "on_hold") return { status: 400, body: { message: "Invalid approval job state" } };
    job.status = "success";
    job.approvedBy = APPROVER_ID;
    workflow.status = "running";
    return { status: 202, body: { message: "Accepted." } };
  }

  cancel({ parts: [workflowId = ""] }: SimulatedCall): SimulatedAnswer {
    const workflow = this.#workflows.get(workflowId);
    if (workflow === undefined) return missing("Workflow");
    workflow.status = "canceled";
    for (const job of workflow.jobs) if (job.status !== "success") job.status = "canceled";
    return { status: 202, body: { message: "Accepted." } };
  }

  #add(
    pipelineId: string,
    name: string,
    jobs: readonly (Partial<SimulatedJob> & { name: string })[],
  ): SimulatedWorkflow {
    const workflow: SimulatedWorkflow = {
      ...{ id: randomUUID(), pipelineId, name, status: "on_hold", createdAt: at(this.#workflows.size) },
      jobs: jobs.map((job) => newJob(job)),
    };
    this.#workflows.set(workflow.id, workflow);
    return workflow;
  }

  #shown({ id, pipelineId, name, status, createdAt }: SimulatedWorkflow): Record<string, unknown> {
    const pipeline = this.#pipelines.get(pipelineId);
    const known = { pipeline_id: pipelineId, id, name, project_slug: pipeline?.slug, status, created_at: createdAt };
    return { ...known, started_by: APPROVER_ID, pipeline_number: pipeline?.number };
  }

  #page({ query }: SimulatedCall, items: readonly unknown[]): SimulatedAnswer {
    const from = Number(Buffer.from(query.get("page-token") ?? "", "base64url").toString() || "0");
    const next = from + this.pageSize;
    const token = next < items.length ? Buffer.from(String(next)).toString("base64url") : null;
    return ok({ items: items.slice(from, next), next_page_token: token });
  }
}

function newJob({
  id = randomUUID(),
  type = "build",
  status = "success",
  ...rest
}: Partial<SimulatedJob> & { name: string }): SimulatedJob {
  return { id, type, status, ...(type === "approval" ? { approvalRequestId: randomUUID() } : {}), ...rest };
}

function missing(what: string): SimulatedAnswer {
  return { status: 404, body: { message: `${what} not found` } };
}

/** Seconds after a fixed beginning. */
function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString();
}
