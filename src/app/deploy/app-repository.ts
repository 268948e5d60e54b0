/** What an app's settings say about its repository and its CI, as the ports and rules ask for it (docs/spec/deploy.md sections 14, 15). */
import type { CiSettings } from "../../gates/deploy/ci-outcome.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import { vcsLinks, type VcsLinks } from "../../gates/deploy/vcs-links.ts";
import type { CommitQuestion } from "../../gates/deploy/verify-commit.ts";
import type { Repository } from "../../ports/version-control.ts";
import type { Application } from "../application.ts";

/** Null where none is set, or no credential leads to it. */
export function repositoryOf(app: Application, settings: AppSettings, budgetMs: number): Repository | null {
  const repo = settings.vcsRepo.value;
  if (repo === null) return null;
  return app.deploy.versionControl(settings.vcsProvider.value)?.repository(repo, budgetMs) ?? null;
}

export function commitQuestion(
  settings: AppSettings,
  { commit, branch }: { readonly commit: string; readonly branch: string | null },
): CommitQuestion {
  return {
    ...{ repo: settings.vcsRepo.value ?? "", commit, branch, defaultBranch: settings.defaultBranch.value },
    allowDefaultBranch: settings.allowDeployFromDefaultBranch.value,
    requirePullRequest: settings.requirePrForBranch.value,
    mode: settings.verifyGitCommitMode.value === "branch" ? "branch" : "latest",
  };
}

export function appLinks(app: Application, settings: AppSettings): VcsLinks {
  return vcsLinks({
    provider: settings.vcsProvider.value,
    repo: settings.vcsRepo.value,
    githubUrl: app.deploy.githubUrl,
  });
}

export function ciSettingsOf(settings: AppSettings): CiSettings {
  return {
    provider: settings.ciProvider.value,
    vcsProvider: settings.vcsProvider.value,
    vcsRepo: settings.vcsRepo.value,
    approvalJobName: settings.circleciApprovalJobName.value,
    autoApprove: settings.circleciAutoApprove.value,
    cancelOnRejection: settings.circleciCancelOnRejection.value,
    githubEnvironment: settings.githubEnvironment.value,
    webhookUrl: settings.ciWebhookUrl.value,
  };
}
