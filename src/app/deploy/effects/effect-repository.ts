/** The repository that a deploy approval's commit was looked up in, for what is done there afterwards (docs/spec/deploy.md R-VCS-1). */
import type { Repository } from "../../../ports/version-control.ts";
import type { EffectOutcome } from "../../../ports/effects.ts";
import type { DeploySubject } from "./deploy-subject.ts";
import { notConfigured } from "./effect-outcome.ts";

/** The one named when it was asked for, whatever the settings say now. */
export function repositoryOfSubject({ app, view, settings }: DeploySubject): Repository | EffectOutcome {
  const repo = view.record.facts.repository ?? settings.app.vcsRepo.value;
  if (repo === null) return notConfigured("No repository is set for this app");
  const provider = settings.app.vcsProvider.value;
  const found = app.deploy.versionControl(provider)?.repository(repo, null) ?? null;
  return found ?? notConfigured(`The server has no credential for ${provider}`);
}

export function isRepository(found: Repository | EffectOutcome): found is Repository {
  return "tree" in found;
}
