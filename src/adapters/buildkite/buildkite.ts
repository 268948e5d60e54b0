/**
 * A block step of a Buildkite build. Implements the row `buildkite` of docs/spec/deploy.md R-CI-7: the build must be of this commit, and of
 * this repository where Buildkite says which it is.
 */
import { z } from "zod";
import { ciLink } from "../../gates/deploy/ci-links.ts";
import { buildkiteTarget, isTarget, type BuildkiteTarget } from "../../gates/deploy/ci-metadata.ts";
import { isEndedByPeople, type CiSettings } from "../../gates/deploy/ci-outcome.ts";
import {
  callObstacle,
  ciProblems,
  obstacleFault,
  originProblems,
  type CiObstacle,
} from "../../gates/deploy/ci-problems.ts";
import { ciFault, done, permanent, retry, type EffectResult } from "../../gates/deploy/effect-result.ts";
import { readCall, type CallReading } from "../../gates/deploy/provider-answer.ts";
import { isAddressOfRepo } from "../../gates/deploy/vcs-links.ts";
import type { CiProvider, CiRequest } from "../../ports/ci-provider.ts";
import type { ProviderExchange } from "../../ports/provider-exchange.ts";

export interface BuildkiteSettings {
  /** `https://api.buildkite.com`. */
  readonly apiUrl: string;
  /** Scopes read_builds and write_builds. */
  readonly token: string;
  /** `GITHUB_URL`, whose repositories may be the app's; null for github.com. */
  readonly githubUrl: string | null;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

type Call = <Value>(method: "GET" | "PUT", path: string, schema: z.ZodType<Value>) => Promise<CallReading<Value>>;

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;
const WORDS = { forbidden: "the token lacks read_builds or write_builds", missing: "build not found" } as const;

const job = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,128}$/),
  type: z.string(),
  state: z.string().nullish(),
  step_key: z.string().nullish(),
  unblockable: z.boolean().nullish(),
});
const buildAnswer = z.object({
  state: z.string(),
  commit: z.string(),
  pipeline: z.object({ repository: z.string().nullish() }).nullish(),
  jobs: z.array(z.unknown()).transform((jobs) => jobs.flatMap((found) => manualJob(found))),
});

interface Build {
  readonly target: BuildkiteTarget;
  readonly state: string;
  readonly jobs: readonly z.infer<typeof job>[];
}

/** States in which a build has ended. */
const ENDED: ReadonlySet<string> = new Set(["passed", "failed", "canceled", "canceling", "skipped", "not_run"]);
/** Until Buildkite has looked the commit up. */
const UNRESOLVED = "HEAD";

export function createBuildkite(settings: BuildkiteSettings, exchange: ProviderExchange): CiProvider {
  const call = caller(settings, exchange);
  return {
    describe(metadata, appSettings) {
      const problems = ciProblems({ metadata, settings: appSettings, hasCredential: true });
      return { ready: problems.length === 0, problems, url: ciLink(metadata, appSettings) };
    },
    async verify(request) {
      const found = await findBuild(call, request, settings.githubUrl);
      return "kind" in found ? found : { kind: "matches", status: found.state };
    },
    async unblock(request) {
      const found = await findBuild(call, request, settings.githubUrl);
      if ("kind" in found) return obstacleFault(found);
      return (await request.lastLook?.()) ?? unblock(call, found);
    },
    async close(request, outcome) {
      if (!request.settings.cancelOnRejection || !isEndedByPeople(outcome)) return done({ already: true });
      const found = await findBuild(call, request, settings.githubUrl);
      if ("kind" in found) return obstacleFault(found);
      if (ENDED.has(found.state)) return done({ already: true });
      const answer = await call("PUT", `${pathOf(found.target)}/cancel`, z.unknown());
      return "failed" in answer ? ciFault(answer.failed, WORDS) : done({ build_number: found.target.buildNumber });
    },
  };
}

async function findBuild(
  call: Call,
  { metadata, settings, commit }: CiRequest,
  githubUrl: string | null,
): Promise<Build | CiObstacle> {
  const target = buildkiteTarget(metadata);
  if (!isTarget(target)) return { kind: "problems", problems: target };
  const build = await call("GET", pathOf(target), buildAnswer);
  if ("failed" in build) return callObstacle(build.failed, WORDS);
  const { state, jobs, pipeline } = build.value;
  if (build.value.commit === UNRESOLVED) {
    return { kind: "unknown", why: "Buildkite does not know the commit of the build yet", retryAfterSeconds: null };
  }
  const origin = {
    isRepo: isOfApp(pipeline?.repository ?? null, settings, githubUrl),
    commit: build.value.commit.toLowerCase(),
  };
  const problems = originProblems(origin, settings, commit);
  return problems.length > 0 ? { kind: "problems", problems } : { target, state, jobs };
}

/** A pipeline whose repository is not said, or an app without one, is told by its commit alone. */
function isOfApp(repository: string | null, { vcsProvider, vcsRepo }: CiSettings, githubUrl: string | null): boolean {
  if (repository === null || vcsRepo === null) return true;
  return isAddressOfRepo(repository, { provider: vcsProvider, repo: vcsRepo, githubUrl });
}

async function unblock(call: Call, { target, state, jobs }: Build): Promise<EffectResult> {
  const found = jobs.find(({ step_key: key }) => key === target.stepKey);
  if (found === undefined) return permanent("ci_job_not_found", `block step '${target.stepKey}' not found in build`);
  if (found.state === "unblocked" || found.state === "finished") return done({ already: true });
  if (ENDED.has(state)) return permanent("ci_job_ended", `the build is ${state}`);
  if (found.unblockable !== true) return retry(`block step '${target.stepKey}' cannot be unblocked yet`);
  const answer = await call("PUT", `${pathOf(target)}/jobs/${found.id}/unblock`, z.unknown());
  return "failed" in answer ? ciFault(answer.failed, WORDS) : done({ job_id: found.id });
}

/** Jobs of other kinds have other members, and are nothing to us. */
function manualJob(found: unknown): z.infer<typeof job>[] {
  const read = job.safeParse(found);
  return read.success && read.data.type === "manual" ? [read.data] : [];
}

/** All parts match their patterns (R-CI-8). */
function pathOf({ organization, pipeline, buildNumber }: BuildkiteTarget): string {
  return `/v2/organizations/${organization}/pipelines/${pipeline}/builds/${buildNumber}`;
}

function caller({ apiUrl, token, timeoutMs = TIMEOUT_MS }: BuildkiteSettings, exchange: ProviderExchange): Call {
  const base = apiUrl.replace(/\/+$/, "");
  return async (method, path, schema) => {
    const isUnblock = path.endsWith("/unblock");
    const answer = await exchange({
      method,
      url: `${base}${path}`,
      headers: {
        ...{ accept: "application/json", authorization: `Bearer ${token}`, "user-agent": "countersign" },
        ...(isUnblock ? { "content-type": "application/json" } : {}),
      },
      body: isUnblock ? JSON.stringify({ fields: {} }) : null,
      timeoutMs,
      bytesMax: BYTES_MAX,
    });
    return readCall("Buildkite", answer, (body) => schema.safeParse(body));
  };
}
