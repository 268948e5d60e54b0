/** The status of the commit, as version control shows it beside the checks (docs/spec/deploy.md R-GITHUB-4). */
import { commitStateOf } from "../../../gates/deploy/pr-comment.ts";
import type { EffectHandler } from "../../../ports/effects.ts";
import type { Application } from "../../application.ts";
import { approvalStory } from "./approval-story.ts";
import { deploySubject, isSubject } from "./deploy-subject.ts";
import { isRepository, repositoryOfSubject } from "./effect-repository.ts";
import { effectOutcome, notConfigured } from "./effect-outcome.ts";
import { commentState, lastDone } from "./post-comment.ts";

export function postStatus(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const { view, link } = subject;
    const repository = repositoryOfSubject(subject);
    if (!isRepository(repository)) return repository;
    const said = commitStateOf(commentState(approvalStory(subject)).status);
    if (said === null) return notConfigured("The status of the commit stays as it is");
    const { scope, app, commit } = view.record;
    const shown = `${said.state} ${said.text}`;
    if (lastDone(view, effect)["shown"] === shown) return { kind: "done", result: { shown } };
    const written = await repository.status({
      ...{ sha: commit, state: said.state, description: said.text, url: link },
      context: `countersign/${scope}/${app}`,
    });
    if (written.result !== "done") return effectOutcome(written, "vcs_unavailable");
    return { kind: "done", result: { shown } };
  };
}
