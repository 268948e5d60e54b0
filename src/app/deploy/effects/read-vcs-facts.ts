/**
 * Reads what a reviewer should see of the changes that a deploy request is about: commits since the one that was deployed last, reviews
 * of the pull request, the checks. A copy for reading only: what nobody can tell is left out, and nothing waits for it
 * (docs/spec/deploy.md R-GITHUB-5).
 */
import { reviewStates } from "../../../gates/deploy/review-state.ts";
import type { CommitFacts, CommitRange, PullRequestReview, VcsAnswer } from "../../../gates/deploy/vcs-facts.ts";
import { vcsLinks, type VcsLinks } from "../../../gates/deploy/vcs-links.ts";
import type { DeployApprovalView } from "../../../ports/deploy-reader.ts";
import type { DeployVcsChanges, DeployVcsCommit, DeployVcsFactsRecord } from "../../../ports/deploy-records.ts";
import type { EffectHandler, EffectOutcome } from "../../../ports/effects.ts";
import { recordsBy } from "../../../ports/records.ts";
import type { Repository } from "../../../ports/version-control.ts";
import type { Application } from "../../application.ts";
import { deploySubject, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { isRepository, repositoryOfSubject } from "./effect-repository.ts";
import { withdrawn } from "./effect-outcome.ts";

/** How long a copy is as good as the original. */
const FRESH_MS = 60_000;
/** After so many attempts nobody alarms anybody: reviewers see less, and opening the page asks again. */
const ATTEMPTS_MAX = 5;

export function readVcsFacts(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    if (!isOpen(subject)) return withdrawn("approval_ended", "The request is over: nobody reviews it any more");
    const read = await readNow(subject);
    if (read.kind !== "retry" || effect.attempts < ATTEMPTS_MAX) return read;
    return withdrawn(read.error.code, read.error.message);
  };
}

export async function vcsFacts(app: Application, id: string): Promise<DeployVcsFactsRecord | null> {
  const [found] = await app.reader.records(recordsBy("deployVcsFacts", "approvalId", [id]));
  return found?.orgId === app.orgId ? found : null;
}

/** Has them read anew behind the caller's back when they are old; of one request once at a time. */
export function vcsFactsRefresher(): (
  app: Application,
  view: DeployApprovalView,
  known: DeployVcsFactsRecord | null,
) => void {
  const running = new Set<string>();
  return (app, view, known) => {
    const { id } = view.record;
    // What was never read is the outbox's to read.
    if (known === null || known.readAt > app.clock() - FRESH_MS || running.has(id)) return;
    running.add(id);
    void refresh(app, view)
      .catch(() => undefined)
      .finally(() => running.delete(id));
  };
}

async function refresh(app: Application, { request }: DeployApprovalView): Promise<void> {
  const subject = await deploySubject(app, { orgId: app.orgId, requestId: request.id });
  if (isSubject(subject) && isOpen(subject)) await readNow(subject);
}

function isOpen({ status }: DeploySubject): boolean {
  return status === "pending" || status === "approved";
}

async function readNow(subject: DeploySubject): Promise<EffectOutcome> {
  const repository = repositoryOfSubject(subject);
  if (!isRepository(repository)) return repository;
  const { app, view } = subject;
  const { range, reviews, checks, from } = await askAll(subject, repository);
  const silent = [range, reviews, checks].find((answer) => answer.kind === "unavailable");
  if (silent?.kind === "unavailable") return unavailable(silent);
  const facts = {
    changes: changesOf(range, from, subject),
    reviews: reviews.kind === "found" ? reviewStates(reviews.value) : null,
    checks: checks.kind === "found" ? checks.value : null,
  };
  await app.scratch.put("deployVcsFacts", {
    ...{ approvalId: view.record.id, orgId: app.orgId, facts, readAt: app.clock() },
  });
  return { kind: "done", result: { commits: facts.changes?.count ?? null, checks: facts.checks } };
}

interface Answers {
  readonly range: VcsAnswer<CommitRange>;
  readonly reviews: VcsAnswer<readonly PullRequestReview[]>;
  readonly checks: VcsAnswer<string>;
  /** The commit that was deployed last. */
  readonly from: VcsAnswer<string>;
}

async function askAll({ app, view }: DeploySubject, repository: Repository): Promise<Answers> {
  const { scope, app: name, commit, facts } = view.record;
  const last = await app.reader.lastDeployed(scope, name);
  const pull = facts.pullRequest?.number ?? null;
  const [range, reviews, checks] = await Promise.all([
    last === null || last === commit ? NOBODY_ASKED : repository.changes(last, commit),
    pull === null ? NOBODY_ASKED : repository.reviews(pull),
    repository.checks(commit),
  ]);
  return { range, reviews, checks, from: last === null ? NOBODY_ASKED : { kind: "found", value: last } };
}

/** Of the repository that was read. */
function linksOf({ app, view, settings: { app: settings } }: DeploySubject): VcsLinks {
  const repo = view.record.facts.repository ?? settings.vcsRepo.value;
  return vcsLinks({ provider: settings.vcsProvider.value, repo, githubUrl: app.deploy.githubUrl });
}

const NOBODY_ASKED = { kind: "absent" } as const;

/** The copy that there is stays. */
function unavailable({ detail, retryAfterSeconds }: Silence): EffectOutcome {
  const afterMs = retryAfterSeconds === null ? null : retryAfterSeconds * 1_000;
  return { kind: "retry", error: { code: "vcs_unavailable", message: detail }, afterMs };
}

type Silence = Extract<VcsAnswer<unknown>, { readonly kind: "unavailable" }>;

function changesOf(range: Answers["range"], from: Answers["from"], subject: DeploySubject): DeployVcsChanges | null {
  if (range.kind !== "found" || from.kind !== "found") return null;
  const links = linksOf(subject);
  const { count, commits } = range.value;
  return {
    ...{ count, compareUrl: links.compare(from.value, subject.view.record.commit) },
    commits: commits.map((one) => commitOf(one, links.commit(one.sha))),
  };
}

/** Enough to tell commits apart in a list. */
const TITLE_MAX = 200;

function commitOf({ sha, message, author, committedAt }: CommitFacts, url: string | null): DeployVcsCommit {
  const at = committedAt === null ? Number.NaN : Date.parse(committedAt);
  return {
    ...{ sha, title: (message.split("\n", 1)[0] ?? "").slice(0, TITLE_MAX) },
    author: author.login ?? author.name.slice(0, TITLE_MAX),
    ...{ committedAt: Number.isNaN(at) ? null : at, url },
  };
}
