/**
 * Would approving this request move its CI on, and if not, why? Told when the request is made, while somebody can still mend
 * it. Implements docs/spec/deploy.md R-CI-2; what only the provider knows, its adapter adds.
 */
import type { JsonObject } from "../../core/json.ts";
import {
  ciTarget,
  isTarget,
  unexpandedMembers,
  unexpandedSentence,
  type CiProblem,
  type CiProblemCode,
} from "./ci-metadata.ts";
import { ciProviders, isCiProvider, type CiProviderName, type CiSettings } from "./ci-outcome.ts";
import { ciFault, permanent, retry, type EffectResult, type FailedCall, type FaultWords } from "./effect-result.ts";

export interface CiQuestion {
  readonly metadata: JsonObject | null;
  readonly settings: CiSettings;
  /** The server holds a credential for this provider. */
  readonly hasCredential: boolean;
}

/** Why a run that waits cannot be unblocked, as far as its provider was asked. */
export type CiObstacle =
  | { readonly kind: "problems"; readonly problems: readonly CiProblem[] }
  | { readonly kind: "unknown"; readonly why: string; readonly retryAfterSeconds: number | null };

export function ciProblems({ metadata, settings, hasCredential }: CiQuestion): readonly CiProblem[] {
  const { provider } = settings;
  if (!isCiProvider(provider)) {
    const message = `ci_provider '${provider}' is not one of ${ciProviders.join(", ")}`;
    return [{ code: "provider_unsupported", message }];
  }
  const target = ciTarget(provider, metadata);
  const found = [
    ...(isTarget(target) ? [] : target),
    ...unexpandedProblems(metadata),
    ...settingProblems(provider, settings, hasCredential),
  ];
  return found.filter((problem, at) => found.findIndex((other) => isSame(problem, other)) === at);
}

/** Where the run of a CI comes from, as far as its provider says. */
export interface CiOrigin {
  /** The provider says that it is the app's. */
  readonly isRepo: boolean;
  /** Full id. */
  readonly commit: string | null;
}

/** A run of another repository or commit is never unblocked, whoever named it (R-CI-4 step 2). */
export function originProblems(
  { isRepo, commit }: CiOrigin,
  settings: CiSettings,
  approved: string,
): readonly CiProblem[] {
  const repo = settings.vcsRepo ?? "none is set";
  return [
    ...(isRepo ? [] : [problem("repo_mismatch", `the CI run does not belong to the repository of this app (${repo})`)]),
    ...(commit === approved
      ? []
      : [problem("commit_mismatch", `the CI run is for commit ${commit ?? "unknown"}, not for ${approved}`)]),
  ];
}

/** What it means for a run that its provider could not be asked. */
export function callObstacle(failed: FailedCall, words: FaultWords): CiObstacle {
  const fault = ciFault(failed, words);
  if (fault.result === "retry") return { kind: "unknown", why: fault.why, retryAfterSeconds: fault.afterSeconds };
  const isMissing = fault.code === "ci_workflow_not_found";
  return { kind: "problems", problems: [problem(isMissing ? "workflow_not_found" : "token_missing", fault.sentence)] };
}

/** What an obstacle means for the effect that met it: only a provider that did not answer is asked again. */
export function obstacleFault(obstacle: CiObstacle): EffectResult {
  if (obstacle.kind === "unknown") return retry(obstacle.why, obstacle.retryAfterSeconds);
  const { problems } = obstacle;
  const sentence = problems.map(({ message }) => message).join("; ");
  const known = FAULTS.find(([code]) => problems.some((found) => found.code === code));
  return permanent(known?.[1] ?? "ci_not_configured", sentence);
}

/** The first that is there names the effect's fault. */
const FAULTS = [
  ["repo_mismatch", "ci_workflow_mismatch"],
  ["commit_mismatch", "ci_workflow_mismatch"],
  ["workflow_not_found", "ci_workflow_not_found"],
  ["token_missing", "ci_forbidden"],
] as const;

function unexpandedProblems(metadata: JsonObject | null): readonly CiProblem[] {
  return unexpandedMembers(metadata).map((name) => problem("metadata_unexpanded", unexpandedSentence(name)));
}

function settingProblems(provider: CiProviderName, settings: CiSettings, hasCredential: boolean): readonly CiProblem[] {
  if (provider === "webhook" && settings.webhookUrl === null) {
    return [problem("provider_unsupported", "ci_webhook_url is not set for this app")];
  }
  const isCircle = provider === "circleci";
  return [
    ...(isCircle && settings.approvalJobName === ""
      ? [problem("job_name_missing", "circleci_approval_job_name is not set for this app")]
      : []),
    ...(hasCredential ? [] : [problem("token_missing", `the server has no credential for ${provider}`)]),
    ...(isCircle && !settings.autoApprove
      ? [problem("auto_approve_off", "circleci_auto_approve_on_approval is off for this app")]
      : []),
  ];
}

function problem(code: CiProblemCode, message: string): CiProblem {
  return { code, message };
}

function isSame(one: CiProblem, other: CiProblem): boolean {
  return one.code === other.code && one.message === other.message;
}
