/**
 * What does the CI of an app have to be told when its deploy request is decided or ends? Implements docs/spec/deploy.md R-CI-1,
 * R-CI-5 and the columns *unblock* and *close* of R-CI-7.
 */
import type { VcsProvider } from "./vcs-links.ts";

export const ciProviders = ["circleci", "github_actions", "gitlab", "buildkite", "webhook"] as const;
export type CiProviderName = (typeof ciProviders)[number];

/** What happened to a request, as CI hears of it. */
export type DeployOutcome = "approved" | "rejected" | "expired" | "cancelled" | "superseded" | "deployed";
export type ClosingOutcome = Exclude<DeployOutcome, "approved">;

/** The settings of one app that matter to its CI. */
export interface CiSettings {
  /** As it was configured; one that is not of `ciProviders` is a problem to show, not a reason to fail. */
  readonly provider: string;
  readonly vcsProvider: VcsProvider;
  /** `owner/repo`. */
  readonly vcsRepo: string | null;
  /** `circleci_approval_job_name`; empty when not set. */
  readonly approvalJobName: string;
  /** `circleci_auto_approve_on_approval`. */
  readonly autoApprove: boolean;
  /** End the waiting run when its request ends without an approval (`circleci_cancel_on_rejection`). */
  readonly cancelOnRejection: boolean;
  /** `github_environment`: when set, no other environment is unblocked. */
  readonly githubEnvironment: string | null;
  /** `ci_webhook_url`. */
  readonly webhookUrl: string | null;
}

export type CiEffect = "unblock" | "close";

/** Null when there is nothing to tell. */
export function ciEffectOf(outcome: DeployOutcome, settings: CiSettings): CiEffect | null {
  const { provider } = settings;
  if (!isCiProvider(provider)) return null;
  if (outcome === "approved") return unblocks(provider, settings) ? "unblock" : null;
  return closes(provider, outcome, settings) ? "close" : null;
}

export function isCiProvider(name: string): name is CiProviderName {
  return ciProviders.some((known) => known === name);
}

/** A request that somebody ended, as opposed to one that ran out of time or was used. */
export function isEndedByPeople(outcome: DeployOutcome): boolean {
  return outcome === "rejected" || outcome === "cancelled" || outcome === "superseded";
}

function unblocks(provider: CiProviderName, { autoApprove, approvalJobName, webhookUrl }: CiSettings): boolean {
  if (provider === "circleci") return autoApprove && approvalJobName !== "";
  return provider !== "webhook" || webhookUrl !== null;
}

function closes(provider: CiProviderName, outcome: ClosingOutcome, settings: CiSettings): boolean {
  switch (provider) {
    case "webhook":
      return settings.webhookUrl !== null;
    case "github_actions":
    case "gitlab":
      // A protected environment of GitLab is told always, a manual job only by setting: the adapter knows which it is.
      return outcome !== "deployed";
    case "circleci":
    case "buildkite":
      return settings.cancelOnRejection && isEndedByPeople(outcome);
  }
}
