/**
 * Which run of which CI does the metadata of a request name? Ids that do not match their pattern never reach an address
 * (docs/spec/deploy.md R-CI-8). Implements the metadata of R-CI-4 and R-CI-7, and its faults of R-CI-2.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { CiProviderName } from "./ci-outcome.ts";

export interface CircleciTarget {
  readonly provider: "circleci";
  readonly workflowId: string;
}

export interface GithubActionsTarget {
  readonly provider: "github_actions";
  readonly runId: string;
  readonly environment: string;
}

export interface GitlabTarget {
  readonly provider: "gitlab";
  readonly projectId: string;
  /** A manual job, or the deployment to a protected environment. */
  readonly waiting: { readonly kind: "job" | "deployment"; readonly id: string };
  readonly pipelineId: string | null;
}

export interface BuildkiteTarget {
  readonly provider: "buildkite";
  readonly organization: string;
  readonly pipeline: string;
  readonly buildNumber: string;
  readonly stepKey: string;
}

/** A receiver of webhooks knows itself what waits. */
export interface WebhookTarget {
  readonly provider: "webhook";
}

export type CiTarget = CircleciTarget | GithubActionsTarget | GitlabTarget | BuildkiteTarget | WebhookTarget;

/** The target, or why there is none. */
export type TargetReading<Target extends CiTarget> = Target | readonly CiProblem[];

export type CiProblemCode =
  | "ci_metadata_missing"
  | "workflow_id_missing"
  | "workflow_id_invalid"
  | "metadata_unexpanded"
  | "job_name_missing"
  | "token_missing"
  | "provider_unsupported"
  | "workflow_not_found"
  | "repo_mismatch"
  | "commit_mismatch"
  | "auto_approve_off";

export interface CiProblem {
  readonly code: CiProblemCode;
  readonly message: string;
}

export function ciTarget(provider: CiProviderName, metadata: JsonObject | null): TargetReading<CiTarget> {
  switch (provider) {
    case "circleci":
      return circleciTarget(metadata);
    case "github_actions":
      return githubActionsTarget(metadata);
    case "gitlab":
      return gitlabTarget(metadata);
    case "buildkite":
      return buildkiteTarget(metadata);
    case "webhook":
      return { provider };
  }
}

export function isTarget<Target extends CiTarget>(reading: TargetReading<Target>): reading is Target {
  return !Array.isArray(reading);
}

export function circleciTarget(metadata: JsonObject | null): TargetReading<CircleciTarget> {
  return reading(metadata, (members) => ({ provider: "circleci", workflowId: members.text("workflow_id", ID) }));
}

export function githubActionsTarget(metadata: JsonObject | null): TargetReading<GithubActionsTarget> {
  return reading(metadata, (members) => ({
    provider: "github_actions",
    runId: members.text("run_id", DIGITS),
    environment: members.text("environment", NAME),
  }));
}

export function gitlabTarget(metadata: JsonObject | null): TargetReading<GitlabTarget> {
  return reading(metadata, (members) => {
    const kind = members.has("deployment_id") ? "deployment" : "job";
    return {
      provider: "gitlab",
      projectId: members.text("project_id", DIGITS),
      waiting: { kind, id: members.text(`${kind}_id`, DIGITS) },
      pipelineId: members.has("pipeline_id") ? members.text("pipeline_id", DIGITS) : null,
    };
  });
}

export function buildkiteTarget(metadata: JsonObject | null): TargetReading<BuildkiteTarget> {
  return reading(metadata, (members) => ({
    provider: "buildkite",
    organization: members.text("organization", SLUG),
    pipeline: members.text("pipeline", SLUG),
    buildNumber: members.text("build_number", DIGITS),
    stepKey: members.text("step_key", NAME),
  }));
}

/** A number is as good as its digits (R-CI-3). */
export function metadataText(metadata: JsonObject | null, name: string): string | null {
  const value = metadata !== null && Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  if (typeof value === "string") return value.trim() === "" ? null : value.trim();
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : null;
}

/** Members, at any depth, that the shell of the CI job should have filled in. */
export function unexpandedMembers(metadata: JsonObject | null): readonly string[] {
  if (metadata === null) return [];
  return Object.entries(metadata).flatMap(([name, value]) => (isUnexpanded(value) ? [name] : []));
}

const ID = /^[A-Za-z0-9_-]{1,128}$/;
const DIGITS = /^[0-9]{1,20}$/;
const SLUG = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Names of environments are free text; they travel in a body, not in an address. */
const NAME = /^[^\p{Cc}]{1,255}$/u;

/** Reads members and gathers what is wrong with them. */
class MetadataReading {
  readonly problems: CiProblem[] = [];
  readonly #metadata: JsonObject;

  constructor(metadata: JsonObject) {
    this.#metadata = metadata;
  }

  has(name: string): boolean {
    return metadataText(this.#metadata, name) !== null;
  }

  text(name: string, form: RegExp): string {
    const value = metadataText(this.#metadata, name);
    if (value === null) this.#fault("workflow_id_missing", `ci_metadata.${name} is missing`);
    else if (isUnexpanded(value)) this.#fault("metadata_unexpanded", unexpandedSentence(name));
    else if (!form.test(value)) this.#fault("workflow_id_invalid", `ci_metadata.${name} is not valid`);
    return value ?? "";
  }

  #fault(code: CiProblemCode, message: string): void {
    this.problems.push({ code, message });
  }
}

function reading<Target extends CiTarget>(
  metadata: JsonObject | null,
  read: (members: MetadataReading) => Target,
): TargetReading<Target> {
  if (metadata === null || Object.keys(metadata).length === 0) {
    return [{ code: "ci_metadata_missing", message: "ci_metadata was not sent, so no CI run can be unblocked" }];
  }
  const members = new MetadataReading(metadata);
  const target = read(members);
  return members.problems.length === 0 ? target : members.problems;
}

export function unexpandedSentence(name: string): string {
  return `ci_metadata.${name}: the shell did not expand this: use double quotes`;
}

function isUnexpanded(value: JsonValue): boolean {
  if (typeof value === "string") return /^\s*(?:\$|<<)/.test(value);
  if (Array.isArray(value)) return value.some(isUnexpanded);
  return isJsonObject(value) && Object.values(value).some(isUnexpanded);
}
