/**
 * Which job of which pipeline is that? What its platform signed about it, as far as the deploy gate uses and shows it. Implements
 * docs/spec/deploy.md R-OIDC-1, R-OIDC-3 and R-OIDC-4.
 */
import type { JsonObject } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { WorkloadProviderRecord } from "../ports/identity-records.ts";
import { claimTexts, textClaim } from "./oidc-claims.ts";
import type { WorkloadPreset } from "./workload-rules.ts";

export interface WorkloadIdentity {
  /** Of the token that stands for the provider: approvals are for it, whatever its jobs come with (R-OIDC-1). */
  readonly tokenId: string;
  readonly name: string;
  readonly preset: WorkloadPreset;
  readonly bindCommit: boolean;
  /** Those that are kept, as they were signed. */
  readonly claims: JsonObject;
}

export function workloadIdentity(
  { id, name, preset, bindCommit }: WorkloadProviderRecord,
  claims: JsonObject,
): WorkloadIdentity {
  return { tokenId: id, name, preset, bindCommit, claims };
}

const CIRCLECI = "oidc.circleci.com/";

const KEPT: Readonly<Record<WorkloadPreset, readonly string[]>> = {
  github: [
    ...["sub", "jti", "repository", "repository_id", "repository_owner_id", "ref", "sha", "environment", "event_name"],
    ...["workflow", "workflow_ref", "job_workflow_ref", "runner_environment", "actor", "run_id", "run_attempt"],
  ],
  circleci: [
    "sub",
    ...["project-id", "org-id", "context-ids", "vcs-origin", "vcs-ref", "vcs-sha"].map((name) => `${CIRCLECI}${name}`),
    ...["pipeline-definition-id", "workflow-id", "job-id"].map((name) => `${CIRCLECI}${name}`),
  ],
  gitlab: [
    ...["sub", "jti", "project_path", "project_id", "ref", "ref_type", "ref_protected", "environment", "sha"],
    ...["pipeline_source", "pipeline_id", "job_id", "ci_config_ref_uri", "user_login"],
  ],
  kubernetes: ["sub", "jti"],
  custom: [
    ...["sub", "jti", "repository", "repository_id", "project_id", "ref", "sha", "event_name", "actor", "run_id"],
    ...["organization_slug", "pipeline_slug", "pipeline_id", "build_number", "build_branch", "build_commit"],
    ...["step_key", "job_id", "workflow"],
  ],
};

/** Longer ones are no ids and no names. */
const TEXT_MAX = 512;

/** What is remembered of a token: of the claims that anybody asks for, those that are there. */
export function keptClaims(preset: WorkloadPreset, claims: JsonObject): JsonObject {
  return Object.fromEntries(
    KEPT[preset].flatMap((name) => {
      const texts = Object.hasOwn(claims, name) ? claimTexts(claims, name) : [];
      const short = texts.filter((text) => text !== "" && text.length <= TEXT_MAX).slice(0, 20);
      const [first] = short;
      if (first === undefined) return [];
      return [[name, Array.isArray(claims[name]) ? [...short] : first]];
    }),
  );
}

/** The same from where they were stored. */
export function readKeptClaims(stored: JsonObject): JsonObject {
  const { claims } = stored;
  return isJsonObject(claims) ? claims : {};
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The commit that the platform vouches for; null where it vouches for none, such as one that is merged for a pull request only. */
export function workloadCommit({ preset, claims }: Pick<WorkloadIdentity, "preset" | "claims">): string | null {
  const commit = (commitText(preset, claims) ?? "").toLowerCase();
  return COMMIT.test(commit) ? commit : null;
}

function commitText(preset: WorkloadPreset, claims: JsonObject): string | null {
  switch (preset) {
    case "github":
      return isOfPullRequest(claims, true) ? null : textClaim(claims, "sha");
    case "circleci":
      return textClaim(claims, `${CIRCLECI}vcs-sha`);
    case "gitlab":
      return textClaim(claims, "sha");
    case "custom":
      return isOfPullRequest(claims, false) ? null : (textClaim(claims, "sha") ?? textClaim(claims, "build_commit"));
    case "kubernetes":
      return null;
  }
}

/** What a platform does not say counts as it says by `otherwise`. */
function isOfPullRequest(claims: JsonObject, otherwise: boolean): boolean {
  const event = textClaim(claims, "event_name");
  return event === null ? otherwise : event.startsWith("pull_request");
}

/** The id by which tokens of the same job are one; null where the platform gives none, so that the token itself is (R-OIDC-3). */
export function jobOf(claims: JsonObject): string | null {
  const { jti } = claims;
  if (typeof jti === "string") return `jti:${jti}`;
  const job = textClaim(claims, `${CIRCLECI}job-id`);
  return job === null ? null : `job:${job}`;
}

/** What the request may do about commits: null = any, else the one that it names, or none at all. */
export function boundCommit(identity: WorkloadIdentity | null): { readonly commit: string | null } | null {
  return identity?.bindCommit === true ? { commit: workloadCommit(identity) } : null;
}

/** Metadata with the run that the platform vouches for, where the job did not say which it is (R-OIDC-4). */
export function withOwnRun(metadata: JsonObject | null, identity: WorkloadIdentity | null): JsonObject | null {
  const [name, claim] = identity === null ? [] : (RUNS[identity.preset] ?? []);
  if (identity === null || name === undefined || claim === undefined || Object.hasOwn(metadata ?? {}, name)) {
    return metadata;
  }
  const run = textClaim(identity.claims, claim);
  return run === null ? metadata : { ...metadata, [name]: run };
}

const RUNS: Partial<Readonly<Record<WorkloadPreset, readonly [member: string, claim: string]>>> = {
  circleci: ["workflow_id", `${CIRCLECI}workflow-id`],
  github: ["run_id", "run_id"],
  gitlab: ["pipeline_id", "pipeline_id"],
};

/** As approvers are shown it: `{name, summary, claims}`. */
export function shownWorkload(identity: WorkloadIdentity): JsonObject {
  const { name, claims } = identity;
  return { name, summary: summaryOf(identity), claims };
}

function summaryOf({ preset, claims, name }: WorkloadIdentity): string {
  const text = (claim: string): string => textClaim(claims, claim) ?? "";
  const own = (claim: string): string => text(`${CIRCLECI}${claim}`);
  const sub = text("sub");
  switch (preset) {
    case "github":
      return sentence(`GitHub Actions run ${text("run_id")} of ${text("repository")}`, [
        ["workflow", workflowFile(text("workflow_ref")) || text("workflow")],
        ["by", text("actor")],
      ]);
    case "circleci":
      return sentence(`CircleCI workflow ${own("workflow-id")} of ${own("vcs-origin") || own("project-id")}`, [
        ["ref", own("vcs-ref")],
      ]);
    case "gitlab":
      return sentence(`GitLab pipeline ${text("pipeline_id")} of ${text("project_path")}`, [
        ["ref", text("ref")],
        ["by", text("user_login")],
      ]);
    case "kubernetes":
    case "custom":
      return sentence(`${name} workload ${sub}`, []);
  }
}

/** `deploy.yml` of `MyOrg/myapp/.github/workflows/deploy.yml@refs/heads/main`. */
function workflowFile(ref: string): string {
  return /\/([^/@]+)@/.exec(ref)?.[1] ?? "";
}

function sentence(start: string, rest: readonly (readonly [word: string, text: string])[]): string {
  const told = rest.filter(([, text]) => text !== "").map(([word, text]) => `${word} ${text}`);
  return [start, ...told].join(", ");
}
