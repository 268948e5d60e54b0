/** The one comment that a pull request gets about a deploy request, edited as the request goes on (docs/spec/deploy.md R-GITHUB-3). */
import { prComment, prCommentMarker, type PrCommentState } from "../../../gates/deploy/pr-comment.ts";
import type { DeployApprovalView } from "../../../ports/deploy-reader.ts";
import type { EffectHandler, EffectRecord } from "../../../ports/effects.ts";
import type { Application } from "../../application.ts";
import { digestOf } from "../../digest.ts";
import { ledgerTime } from "../../entry-writer.ts";
import { approvalStory, type ApprovalStory } from "./approval-story.ts";
import { deploySubject, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { isRepository, repositoryOfSubject } from "./effect-repository.ts";
import { effectOutcome, notConfigured } from "./effect-outcome.ts";

/** It says how things are when it is written: of several changes that wait, the first to be told tells the newest state. */
export function postComment(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const { app, view, settings } = subject;
    const pull = view.record.facts.pullRequest?.number ?? null;
    if (!settings.app.githubPostPrComment.value) return notConfigured("Comments are switched off for this app");
    if (pull === null) return notConfigured("No pull request is known for the commit");
    const repository = repositoryOfSubject(subject);
    if (!isRepository(repository)) return repository;
    const text = commentText(subject);
    const digest = digestOf({ text }, app.sha256);
    const last = lastDone(view, effect);
    const id = typeof last["comment_id"] === "number" ? last["comment_id"] : null;
    // Nothing has changed since it was written: a lost answer does not make a second edit.
    if (last["digest"] === digest) return { kind: "done", result: { ...last } };
    const marker = prCommentMarker(view.record.id);
    const written = await repository.comment({ pull, marker, text, id });
    if (written.result !== "done") return effectOutcome(written, "vcs_unavailable");
    return { kind: "done", result: { ...written.record, digest } };
  };
}

/** What the last effect of this kind left, for the next one. */
export function lastDone({ effects }: DeployApprovalView, effect: EffectRecord): NonNullable<EffectRecord["result"]> {
  const done = effects.filter(({ id, kind, state }) => kind === effect.kind && state === "done" && id !== effect.id);
  return done.toSorted((one, other) => (one.doneAt ?? 0) - (other.doneAt ?? 0)).at(-1)?.result ?? {};
}

function commentText(subject: DeploySubject): string {
  const { view, link } = subject;
  const { record } = view;
  const story = approvalStory(subject);
  return prComment({
    ...{ publicId: record.id, scope: record.scope, app: record.app, commit: record.commit, branch: record.branch },
    ...{ message: record.message, requester: story.requester, url: link, state: commentState(story) },
  });
}

export function commentState(story: ApprovalStory): PrCommentState {
  const { status, by, notes, until, trouble, build, release } = story;
  if (trouble !== null) return { status: "failed", why: trouble };
  switch (status) {
    case "approved":
      return { status, by, until: ledgerTime(until) ?? "" };
    case "rejected":
      return { status, by, notes };
    case "cancelled":
      return { status, by };
    case "deployed":
      return { status, build, release };
    case "pending":
    case "expired":
    case "superseded":
      return { status };
  }
}
