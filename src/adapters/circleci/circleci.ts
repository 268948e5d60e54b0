/**
 * The hold job of a CircleCI workflow. Implements docs/spec/deploy.md R-CI-4, step by step, R-CI-5 and R-CI-6: whatever the metadata of a
 * request names, only a workflow of this repository and commit is touched.
 */
import { z } from "zod";
import { ciLink } from "../../gates/deploy/ci-links.ts";
import { circleciTarget, isTarget } from "../../gates/deploy/ci-metadata.ts";
import type { CiSettings } from "../../gates/deploy/ci-outcome.ts";
import {
  callObstacle,
  ciProblems,
  obstacleFault,
  originProblems,
  type CiObstacle,
} from "../../gates/deploy/ci-problems.ts";
import {
  ciFault,
  done,
  permanent,
  retry,
  type EffectResult,
  type FailedCall,
} from "../../gates/deploy/effect-result.ts";
import { isAddressOfRepo, isSameRepo } from "../../gates/deploy/vcs-links.ts";
import type { CiProvider, CiRequest, TokenTest } from "../../ports/ci-provider.ts";
import type { CircleciClient } from "./circleci-client.ts";

export interface CircleciWorld {
  readonly client: CircleciClient;
  /** `GITHUB_URL`, whose repositories may be the app's; null for github.com. */
  readonly githubUrl: string | null;
}

export interface Circleci extends CiProvider {
  /** R-CI-6. */
  testToken(): Promise<TokenTest>;
}

/** Ids that may stand in an address (R-CI-8). */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);

const workflowAnswer = z.object({
  id,
  name: z.string(),
  pipeline_id: id,
  project_slug: z.string(),
  status: z.string(),
});
const pipelineAnswer = z.object({
  project_slug: z.string(),
  vcs: z
    .object({
      revision: z.string().optional(),
      origin_repository_url: z.string().optional(),
      target_repository_url: z.string().optional(),
    })
    .nullish(),
});
const workflowItem = z.object({ id, name: z.string(), created_at: z.string(), status: z.string() });
const jobItem = z.object({
  id,
  name: z.string(),
  type: z.string(),
  status: z.string(),
  approval_request_id: id.nullish(),
  approved_by: z.string().max(200).nullish(),
});
const meAnswer = z.object({ login: z.string() });

type Job = z.infer<typeof jobItem>;

/** The run as it is now: the newest of the same name in the pipeline. */
interface Workflow {
  readonly id: string;
  readonly status: string;
}

const WORDS = {
  forbidden: "token lacks write:builds scope or has expired",
  missing: "workflow not found",
} as const;

/** Statuses in which a workflow has ended and nothing of it can be cancelled. */
const ENDED: ReadonlySet<string> = new Set(["success", "failed", "error", "canceled", "unauthorized", "not_run"]);
/** How often one attempt looks again after CircleCI says that the job is not in the state it was in. */
const READS_MAX = 2;

export function createCircleci({ client, githubUrl }: CircleciWorld): Circleci {
  return {
    describe(metadata, settings) {
      const problems = ciProblems({ metadata, settings, hasCredential: true });
      return { ready: problems.length === 0, problems, url: ciLink(metadata, settings) };
    },
    async verify(request) {
      const found = await findWorkflow(client, request, githubUrl);
      if ("kind" in found) return found;
      return { kind: "matches", status: found.status };
    },
    async unblock(request) {
      const jobName = request.settings.approvalJobName;
      if (jobName === "") return permanent("ci_not_configured", "circleci_approval_job_name is not set for this app");
      const found = await findWorkflow(client, request, githubUrl);
      return "kind" in found
        ? obstacleFault(found)
        : approve(client, { ...found, lastLook: request.lastLook }, jobName);
    },
    async close(request) {
      const found = await findWorkflow(client, request, githubUrl);
      if ("kind" in found) return obstacleFault(found);
      if (ENDED.has(found.status)) return done({ already: true });
      const answer = await client.post(`/workflow/${found.id}/cancel`);
      return "failed" in answer ? ciFault(answer.failed, WORDS) : done({ workflow_id: found.id });
    },
    async testToken() {
      const answer = await client.get("/me", meAnswer);
      if ("value" in answer) return { valid: true, login: answer.value.login };
      const fault = ciFault(answer.failed, WORDS);
      return { valid: false, why: fault.result === "permanent" ? fault.sentence : "CircleCI could not be reached" };
    },
  };
}

/** Steps 1 to 3. */
async function findWorkflow(
  client: CircleciClient,
  { metadata, settings, commit }: CiRequest,
  githubUrl: string | null,
): Promise<Workflow | CiObstacle> {
  const target = circleciTarget(metadata);
  if (!isTarget(target)) return { kind: "problems", problems: target };
  const named = await client.get(`/workflow/${target.workflowId}`, workflowAnswer);
  if ("failed" in named) return callObstacle(named.failed, WORDS);
  const pipeline = await client.get(`/pipeline/${named.value.pipeline_id}`, pipelineAnswer);
  if ("failed" in pipeline) return callObstacle(pipeline.failed, WORDS);
  const origin = {
    isRepo: isOfApp(pipeline.value, settings, githubUrl),
    commit: pipeline.value.vcs?.revision?.toLowerCase() ?? null,
  };
  const problems = originProblems(origin, settings, commit);
  if (problems.length > 0) return { kind: "problems", problems };
  const all = await client.list(`/pipeline/${named.value.pipeline_id}/workflow`, workflowItem);
  if ("failed" in all) return callObstacle(all.failed, WORDS);
  const runs = all.value.filter(({ name }) => name === named.value.name);
  return runs.reduce<Workflow & { readonly created_at: string }>(
    (newest, run) => (Date.parse(run.created_at) >= Date.parse(newest.created_at) ? run : newest),
    { ...named.value, created_at: new Date(0).toISOString() },
  );
}

/** Step 2. A pipeline of the GitHub App has a slug of ids; then the address of the repository says whose it is. */
function isOfApp(
  { project_slug: slug, vcs }: z.infer<typeof pipelineAnswer>,
  { vcsProvider, vcsRepo }: CiSettings,
  githubUrl: string | null,
): boolean {
  if (vcsRepo === null) return false;
  const host = { github: "gh", bitbucket: "bb", gitlab: null }[vcsProvider];
  if (host !== null && isSameRepo(slug, `${host}/${vcsRepo}`)) return true;
  const place = { provider: vcsProvider, repo: vcsRepo, githubUrl };
  const addresses = [vcs?.origin_repository_url, vcs?.target_repository_url];
  return addresses.some((address) => address !== undefined && isAddressOfRepo(address, place));
}

/** Steps 3 (the job), 4 and 5. */
async function approve(
  client: CircleciClient,
  workflow: Workflow & { readonly lastLook: CiRequest["lastLook"] },
  jobName: string,
): Promise<EffectResult> {
  for (let reads = 0; reads < READS_MAX; reads += 1) {
    const job = await findJob(client, workflow, jobName);
    if ("result" in job) return job;
    if (job.status !== "on_hold") return standingOf(job);
    const ended = (await workflow.lastLook?.()) ?? null;
    if (ended !== null) return ended;
    const answer = await client.post(`/workflow/${workflow.id}/approve/${job.approval_request_id ?? job.id}`);
    if (!("failed" in answer)) return approved(client, workflow, jobName);
    if (!isInvalidState(answer.failed)) return ciFault(answer.failed, WORDS);
  }
  return retry("CircleCI says that the approval job is in another state");
}

async function findJob(client: CircleciClient, workflow: Workflow, jobName: string): Promise<Job | EffectResult> {
  const jobs = await client.list(`/workflow/${workflow.id}/job`, jobItem);
  if ("failed" in jobs) return ciFault(jobs.failed, WORDS);
  const job = jobs.value.find(({ type, name }) => type === "approval" && name === jobName);
  return job ?? permanent("ci_job_not_found", `approval job '${jobName}' not found in workflow`);
}

/** A job that is not on hold: done already, on its way, or over. */
function standingOf({ name, status, approved_by: by }: Job): EffectResult {
  switch (status) {
    case "success":
      return done({ already: true, approved_by: by ?? null });
    case "canceled":
    case "failed":
      return permanent("ci_job_ended", `approval job '${name}' is ${status}`);
    default:
      return retry(`approval job '${name}' is ${status}`);
  }
}

/** Approved it is; who CircleCI says approved it is only noted. */
async function approved(client: CircleciClient, workflow: Workflow, jobName: string): Promise<EffectResult> {
  const job = await findJob(client, workflow, jobName);
  const by = "result" in job ? null : (job.approved_by ?? null);
  return done({ workflow_id: workflow.id, approved_by: by });
}

function isInvalidState(failed: FailedCall): boolean {
  return "message" in failed && failed.message.includes("Invalid approval job state");
}
