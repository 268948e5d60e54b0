/**
 * A manual job of GitLab, or a deployment to a protected environment, that waits. Implements the row `gitlab` of docs/spec/deploy.md R-CI-7:
 * commit, pipeline and project are checked before anything is set going.
 */
import { z } from "zod";
import { ciLink } from "../../gates/deploy/ci-links.ts";
import { gitlabTarget, isTarget, type GitlabTarget } from "../../gates/deploy/ci-metadata.ts";
import { isEndedByPeople, type CiSettings, type ClosingOutcome } from "../../gates/deploy/ci-outcome.ts";
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
import { readCall, type CallReading } from "../../gates/deploy/provider-answer.ts";
import { isSameRepo } from "../../gates/deploy/vcs-links.ts";
import type { CiProvider, CiRequest } from "../../ports/ci-provider.ts";
import type { ProviderExchange } from "../../ports/provider-exchange.ts";

export interface GitlabSettings {
  /** `https://gitlab.com`, or a server of one's own; without `/api/v4`. */
  readonly url: string;
  readonly token: string;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

/** What waits, as GitLab has it now. */
interface Waiting {
  readonly target: GitlabTarget;
  /** Of the job, or of the deployment. */
  readonly status: string;
}

type Call = <Value>(call: GitlabCall, schema: z.ZodType<Value>) => Promise<CallReading<Value>>;

interface GitlabCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;
const WORDS = {
  forbidden: "the token lacks the scope api, or its user may not run this job",
  missing: "job or deployment not found",
} as const;

const pipeline = z.object({ id: z.number().int() });
const jobAnswer = z.object({ status: z.string(), commit: z.object({ id: z.string() }), pipeline });
const deploymentAnswer = z.object({
  status: z.string(),
  sha: z.string(),
  deployable: z.object({ pipeline: pipeline.nullish() }).nullish(),
});
const projectAnswer = z.object({ path_with_namespace: z.string() });

export function createGitlab(settings: GitlabSettings, exchange: ProviderExchange): CiProvider {
  const call = caller(settings, exchange);
  return {
    describe(metadata, appSettings) {
      const problems = ciProblems({ metadata, settings: appSettings, hasCredential: true });
      return { ready: problems.length === 0, problems, url: ciLink(metadata, appSettings) };
    },
    async verify(request) {
      const found = await findWaiting(call, request);
      return "kind" in found ? found : { kind: "matches", status: found.status };
    },
    async unblock(request) {
      const found = await findWaiting(call, request);
      if ("kind" in found) return obstacleFault(found);
      const isJob = found.target.waiting.kind === "job";
      const ended = (await request.lastLook?.()) ?? null;
      if (ended !== null) return ended;
      return isJob ? play(call, found) : review(call, found, { status: "approved", comment: request.comment });
    },
    async close(request, outcome) {
      const found = await findWaiting(call, request);
      if ("kind" in found) return obstacleFault(found);
      if (found.target.waiting.kind === "job") return cancel(call, found, request.settings, outcome);
      return review(call, found, { status: "rejected", comment: request.comment });
    },
  };
}

async function findWaiting(call: Call, { metadata, settings, commit }: CiRequest): Promise<Waiting | CiObstacle> {
  const target = gitlabTarget(metadata);
  if (!isTarget(target)) return { kind: "problems", problems: target };
  const found = target.waiting.kind === "job" ? await readJob(call, target) : await readDeployment(call, target);
  if ("failed" in found) return callObstacle(found.failed, WORDS);
  const { sha, status, pipelineId } = found.value;
  const isPipeline = target.pipelineId === null || target.pipelineId === pipelineId;
  const project = await isOfApp(call, target, settings);
  if ("failed" in project) return callObstacle(project.failed, WORDS);
  const problems = originProblems({ isRepo: isPipeline && project.value, commit: sha.toLowerCase() }, settings, commit);
  return problems.length > 0 ? { kind: "problems", problems } : { target, status };
}

interface Standing {
  readonly sha: string;
  readonly status: string;
  readonly pipelineId: string | null;
}

async function readJob(call: Call, target: GitlabTarget): Promise<CallReading<Standing>> {
  const job = await call({ method: "GET", path: pathOf(target) }, jobAnswer);
  if ("failed" in job) return job;
  const { status, commit } = job.value;
  return { value: { sha: commit.id, status, pipelineId: String(job.value.pipeline.id) } };
}

async function readDeployment(call: Call, target: GitlabTarget): Promise<CallReading<Standing>> {
  const deployment = await call({ method: "GET", path: pathOf(target) }, deploymentAnswer);
  if ("failed" in deployment) return deployment;
  const { status, sha, deployable } = deployment.value;
  const pipelineId = deployable?.pipeline?.id;
  return { value: { sha, status, pipelineId: pipelineId === undefined ? null : String(pipelineId) } };
}

/** A project elsewhere can hold the same commit. Only where the code is at GitLab too can its name be compared. */
async function isOfApp(call: Call, { projectId }: GitlabTarget, settings: CiSettings): Promise<CallReading<boolean>> {
  const { vcsProvider, vcsRepo } = settings;
  if (vcsProvider !== "gitlab" || vcsRepo === null) return { value: true };
  const project = await call({ method: "GET", path: `/projects/${projectId}` }, projectAnswer);
  return "failed" in project ? project : { value: isSameRepo(project.value.path_with_namespace, vcsRepo) };
}

async function play(call: Call, { target, status }: Waiting): Promise<EffectResult> {
  switch (status) {
    case "manual":
      break;
    case "pending":
    case "running":
    case "success":
    case "waiting_for_resource":
    case "preparing":
      return done({ already: true });
    case "created":
    case "scheduled":
      return retry(`the manual job is ${status}`);
    default:
      return permanent("ci_job_ended", `the manual job is ${status}`);
  }
  const answer = await call({ method: "POST", path: `${pathOf(target)}/play` }, z.unknown());
  if (!("failed" in answer)) return done({ job_id: target.waiting.id });
  return isUnplayable(answer.failed)
    ? retry("GitLab says that the job cannot be played now")
    : ciFault(answer.failed, WORDS);
}

async function review(
  call: Call,
  { target, status }: Waiting,
  body: { readonly status: "approved" | "rejected"; readonly comment: string },
): Promise<EffectResult> {
  if (status !== "blocked") return notBlocked(status, body.status);
  const answer = await call({ method: "POST", path: `${pathOf(target)}/approval`, body }, z.unknown());
  return "failed" in answer ? ciFault(answer.failed, WORDS) : done({ deployment_id: target.waiting.id });
}

function notBlocked(status: string, wanted: "approved" | "rejected"): EffectResult {
  const isOver = status === "failed" || status === "canceled" || status === "skipped";
  if (wanted === "approved" && isOver) return permanent("ci_job_ended", `the deployment is ${status}`);
  return done({ already: true });
}

async function cancel(
  call: Call,
  { target, status }: Waiting,
  { cancelOnRejection }: CiSettings,
  outcome: ClosingOutcome,
): Promise<EffectResult> {
  if (!cancelOnRejection || !isEndedByPeople(outcome) || status !== "manual") return done({ already: true });
  const answer = await call({ method: "POST", path: `${pathOf(target)}/cancel` }, z.unknown());
  return "failed" in answer ? ciFault(answer.failed, WORDS) : done({ job_id: target.waiting.id });
}

/** All parts are digits (R-CI-8). */
function pathOf({ projectId, waiting }: GitlabTarget): string {
  return `/projects/${projectId}/${waiting.kind}s/${waiting.id}`;
}

function isUnplayable(failed: FailedCall): boolean {
  return "message" in failed && failed.message.includes("Unplayable Job");
}

function caller({ url, token, timeoutMs = TIMEOUT_MS }: GitlabSettings, exchange: ProviderExchange): Call {
  const base = `${url.replace(/\/+$/, "")}/api/v4`;
  return async ({ method, path, body }, schema) => {
    const isEmpty = body === undefined;
    const answer = await exchange({
      method,
      url: `${base}${path}`,
      headers: {
        ...{ accept: "application/json", "private-token": token, "user-agent": "countersign" },
        ...(isEmpty ? {} : { "content-type": "application/json" }),
      },
      body: isEmpty ? null : JSON.stringify(body),
      timeoutMs,
      bytesMax: BYTES_MAX,
    });
    return readCall("GitLab", answer, (read) => schema.safeParse(read));
  };
}
