/**
 * A workflow of GitHub Actions that waits for its deployment protection rule. Implements the first row of docs/spec/deploy.md R-CI-7:
 * the run must be of this repository and commit, whatever the metadata says of it.
 */
import { ciLink } from "../../gates/deploy/ci-links.ts";
import {
  githubActionsTarget,
  isTarget,
  metadataText,
  type CiProblem,
  type GithubActionsTarget,
} from "../../gates/deploy/ci-metadata.ts";
import { ciProblems, obstacleFault, originProblems, type CiObstacle } from "../../gates/deploy/ci-problems.ts";
import { done, permanent, type EffectResult } from "../../gates/deploy/effect-result.ts";
import type { VcsAnswer } from "../../gates/deploy/vcs-facts.ts";
import { isSameRepo, isVcsRepo } from "../../gates/deploy/vcs-links.ts";
import type { CiProvider, CiRequest, UndecidedRun } from "../../ports/ci-provider.ts";
import { pendingDeploymentsAnswer, runAnswer } from "./github-answers.ts";
import type { GithubClient } from "./github-client.ts";
import { getFrom, readAnswer, type GithubPlace } from "./github-reads.ts";
import { send, writeFault } from "./github-writes.ts";

export interface GithubActionsSettings {
  /** `GITHUB_URL`: where people look at runs. */
  readonly githubUrl: string;
}

/** The run that waits, and whether it still does. */
interface WaitingRun {
  readonly place: GithubPlace;
  readonly target: GithubActionsTarget;
  readonly status: string;
  readonly isPending: boolean;
}

export function createGithubActions(client: GithubClient, { githubUrl }: GithubActionsSettings): CiProvider {
  return {
    describe(metadata, settings) {
      const problems = ciProblems({ metadata, settings, hasCredential: true });
      const target = githubActionsTarget(metadata);
      const { vcsRepo } = settings;
      const isKnown = isTarget(target) && vcsRepo !== null && isVcsRepo(vcsRepo);
      const ownUrl = isKnown ? `${githubUrl.replace(/\/+$/, "")}/${vcsRepo}/actions/runs/${target.runId}` : null;
      return { ready: problems.length === 0, problems, url: ciLink(metadata, settings) ?? ownUrl };
    },
    async verify(request) {
      const found = await findRun(client, request);
      return "kind" in found ? found : { kind: "matches", status: found.status };
    },
    unblock: (request) => review(client, request, "approved"),
    close: (request) => review(client, request, "rejected"),
    remark: (run) => remark(client, run),
  };
}

async function review(client: GithubClient, request: CiRequest, state: "approved" | "rejected"): Promise<EffectResult> {
  const found = await findRun(client, request);
  if ("kind" in found) return obstacleFault(found);
  const { place, target, isPending, status } = found;
  if (!isPending) return notPending(status, state);
  const ended = state === "approved" ? ((await request.lastLook?.()) ?? null) : null;
  if (ended !== null) return ended;
  const body = { environment_name: target.environment, state, comment: request.comment };
  const path = `/actions/runs/${target.runId}/deployment_protection_rule`;
  const answer = await send(place, { method: "POST", path, body });
  return answer.kind === "answer" && answer.status === 204 ? done({ run_id: target.runId }) : writeFault(answer);
}

/** GitHub waits for the answer to its webhook no longer than 10 s. */
const REMARK_MS = 5_000;

/** Without a state it decides nothing. */
async function remark(client: GithubClient, { repo, metadata, comment }: UndecidedRun): Promise<EffectResult> {
  const target = githubActionsTarget(metadata);
  if (!isTarget(target) || !isVcsRepo(repo)) return permanent("ci_workflow_not_found", "the run is not named");
  const place: GithubPlace = { client, repo, signal: AbortSignal.timeout(REMARK_MS) };
  const path = `/actions/runs/${target.runId}/deployment_protection_rule`;
  const answer = await send(place, { method: "POST", path, body: { environment_name: target.environment, comment } });
  return answer.kind === "answer" && answer.status === 204 ? done({ run_id: target.runId }) : writeFault(answer);
}

/** Nothing waits any more: told before by a call whose answer was lost, or ended by somebody else. */
function notPending(status: string, state: "approved" | "rejected"): EffectResult {
  if (state === "rejected" || !status.startsWith("completed:") || status === "completed:success") {
    return done({ already: true });
  }
  return permanent("ci_job_ended", `the workflow run is over (${status})`);
}

async function findRun(
  client: GithubClient,
  { commit, metadata, settings }: CiRequest,
): Promise<WaitingRun | CiObstacle> {
  const target = githubActionsTarget(metadata);
  if (!isTarget(target)) return { kind: "problems", problems: target };
  const { vcsRepo } = settings;
  if (vcsRepo === null || !isVcsRepo(vcsRepo))
    return problem({ code: "repo_mismatch", message: "vcs_repo is not set" });
  const claimed = claimProblems(client, { commit, metadata, settings }, target);
  if (claimed.length > 0) return { kind: "problems", problems: claimed };
  const place: GithubPlace = { client, repo: vcsRepo };
  const run = await readAnswer(place, await getFrom(place, `/actions/runs/${target.runId}`), runAnswer);
  if (run.kind !== "found") return unread(run);
  const { status, conclusion, head_sha: head, repository } = run.value;
  const origin = { isRepo: isSameRepo(repository.full_name, vcsRepo), commit: head };
  const problems = originProblems(origin, settings, commit);
  if (problems.length > 0) return { kind: "problems", problems };
  const waiting = await getFrom(place, `/actions/runs/${target.runId}/pending_deployments`);
  const pending = await readAnswer(place, waiting, pendingDeploymentsAnswer);
  if (pending.kind !== "found") return unread(pending);
  const isPending = pending.value.some(({ environment }) => environment.name === target.environment);
  return { place, target, status: conclusion === null ? status : `${status}:${conclusion}`, isPending };
}

/** What came with the webhook must agree with what is approved (R-CI-7, *verify first*). */
function claimProblems(
  { apiUrl }: GithubClient,
  { commit, metadata, settings }: Pick<CiRequest, "commit" | "metadata" | "settings">,
  { runId, environment }: GithubActionsTarget,
): readonly CiProblem[] {
  const { vcsRepo, githubEnvironment } = settings;
  const callback = metadataText(metadata, "deployment_callback_url");
  const sha = metadataText(metadata, "deployment_sha");
  const path = `${apiUrl}/repos/${String(vcsRepo)}/actions/runs/${runId}/deployment_protection_rule`;
  const isRepo = callback === null || isSameRepo(callback, path);
  const isEnvironment = githubEnvironment === null || githubEnvironment === environment;
  return [
    ...originProblems({ isRepo, commit: sha ?? commit }, settings, commit),
    ...(isEnvironment
      ? []
      : [{ code: "repo_mismatch" as const, message: `environment '${environment}' is not the one of this app` }]),
  ];
}

function unread(answer: Exclude<VcsAnswer<unknown>, { readonly kind: "found" }>): CiObstacle {
  if (answer.kind === "unavailable") {
    const { detail, retryAfterSeconds } = answer;
    return { kind: "unknown", why: detail, retryAfterSeconds };
  }
  return problem({ code: "workflow_not_found", message: "workflow not found, or the credential may not read it" });
}

function problem(found: CiProblem): CiObstacle {
  return { kind: "problems", problems: [found] };
}
