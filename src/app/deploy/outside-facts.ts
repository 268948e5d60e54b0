/**
 * What the rack and version control say of a commit before approval for it is asked, in the order of docs/spec/deploy.md R-REQ-2.
 * Whoever does not answer refuses the request; what only helps reviewers is left out then. Implements R-REQ-3, R-REQ-10, R-GITHUB-2.
 */
import { foldName } from "../../core/person.ts";
import type { Actor } from "../admitted-actor.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { commitAuthors } from "../../gates/deploy/commit-authors.ts";
import { isDeployRefusal, refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { isFullCommit, type RequestMembers } from "../../gates/deploy/request-members.ts";
import { commitIncomplete } from "../../gates/deploy/request-refusals.ts";
import { reviewApprovals } from "../../gates/deploy/review-state.ts";
import type { AppSettings } from "../../gates/deploy/resolve-settings.ts";
import type { GitIdentity } from "../../gates/deploy/vcs-facts.ts";
import { expandCommit, type VerifiedCommit } from "../../gates/deploy/verify-commit.ts";
import type { Rack } from "../../ports/rack.ts";
import type { Repository } from "../../ports/version-control.ts";
import type { Application } from "../application.ts";
import { askAboutCommit } from "../commit-verification.ts";
import { commitQuestion, repositoryOf } from "./app-repository.ts";
import { rackActor } from "./deploy-caller.ts";

const RACK_TIMEOUT_MS = 10_000;
/** All calls to version control of one creation together (R-GITHUB-1). */
const VCS_BUDGET_MS = 20_000;

/** The app's active release, `""` before the first; or why nobody can deploy it. */
export async function activeRelease(
  rack: Rack,
  actor: Actor,
  appName: string,
): Promise<{ readonly release: string } | DeployRefusal> {
  try {
    const question = { path: `/apps/${appName}`, actor: rackActor(actor), timeoutMs: RACK_TIMEOUT_MS };
    const { status, json } = await rack.ask(question);
    if (status === 404) return refuseDeploy("app_not_found", `app '${appName}' not found`);
    if (status < 200 || status > 299 || !isJsonObject(json)) return appUnknown();
    const { release } = json;
    return { release: typeof release === "string" ? release : "" };
  } catch (error) {
    if (error instanceof RackFault) return appUnknown();
    throw error;
  }
}

function appUnknown(): DeployRefusal {
  return refuseDeploy("rack_unreachable", "failed to validate app", ["The rack did not answer. Try again."]);
}

export interface CommitKnown {
  /** Full. */
  readonly commit: string;
  readonly isExpanded: boolean;
  /** Null where nothing was verified. */
  readonly verified: VerifiedCommit | null;
  /** Why nothing was, as it continues `were not checked: `; null where it was. */
  readonly whyUnverified: string | null;
  /** Of the commit's files, bound from the start (R-REQ-7); or why nobody told. */
  readonly tree: { readonly id: string } | { readonly why: string };
  readonly authors: readonly GitIdentity[];
  /** Of everything since the last deployed commit. */
  readonly rangeAuthors: readonly GitIdentity[];
  readonly changeCount: number | null;
  readonly lastCommit: string | null;
  /** Reviewers of the pull request who approve. */
  readonly reviewApprovals: number | null;
  /** Authors whom nobody here goes by. */
  readonly unmatched: readonly string[];
}

export async function knownCommit(
  app: Application,
  {
    scope,
    members,
    settings,
  }: { readonly scope: string; readonly members: RequestMembers; readonly settings: AppSettings },
): Promise<CommitKnown | DeployRefusal> {
  const repository = repositoryOf(app, settings, VCS_BUDGET_MS);
  const commit = await fullCommit(repository, members.commit);
  if (typeof commit !== "string") return commit;
  const lastCommit = await app.reader.lastDeployed(scope, members.app);
  const known = { commit, isExpanded: commit !== members.commit, lastCommit };
  const whyUnverified = unverifiedBecause(repository, settings);
  if (repository === null || whyUnverified !== null) {
    const tree = repository === null ? { why: whyUnverified ?? UNREAD } : await treeOf(repository, commit);
    return { ...known, ...NOT_VERIFIED, whyUnverified, tree };
  }
  const question = commitQuestion(settings, { commit, branch: members.branch });
  const verified = await askAboutCommit(repository, question);
  if (isDeployRefusal(verified)) return verified;
  const authors = commitAuthors(verified.facts);
  const range = await rangeSince(repository, lastCommit, commit);
  return {
    ...{ ...known, verified, authors, whyUnverified, tree: { id: verified.facts.tree } },
    ...{ rangeAuthors: range?.authors ?? authors, changeCount: range?.count ?? null },
    reviewApprovals: await approvalsOf(repository, verified),
    unmatched: await unmatchedAuthors(app, authors),
  };
}

const NOT_VERIFIED = {
  ...{ verified: null, authors: [], rangeAuthors: [], changeCount: null, reviewApprovals: null, unmatched: [] },
} as const;

function unverifiedBecause(repository: Repository | null, settings: AppSettings): string | null {
  if (settings.vcsRepo.value === null) return "no repository configured";
  if (repository === null) return `the server has no credential for ${settings.vcsProvider.value}`;
  return settings.githubVerification.value ? null : "github_verification is off for this app";
}

const UNREAD = "the commit could not be read when the approval was asked for";

/** What is not checked may still be compared with: whoever does not answer leaves it out. */
async function treeOf(repository: Repository, commit: string): Promise<CommitKnown["tree"]> {
  const answer = await repository.commit(commit);
  return answer.kind === "found" && answer.value.sha === commit ? { id: answer.value.tree } : { why: UNREAD };
}

async function fullCommit(repository: Repository | null, commit: string): Promise<string | DeployRefusal> {
  if (isFullCommit(commit)) return commit;
  return repository === null ? commitIncomplete() : expandCommit(commit, await repository.resolve(commit));
}

interface Range {
  readonly count: number;
  readonly authors: readonly GitIdentity[];
}

async function rangeSince(repository: Repository, from: string | null, to: string): Promise<Range | null> {
  if (from === null || from === to) return null;
  const answer = await repository.changes(from, to);
  if (answer.kind !== "found") return null;
  return { count: answer.value.count, authors: answer.value.commits.flatMap(commitAuthors) };
}

async function approvalsOf(repository: Repository, { pull }: VerifiedCommit): Promise<number | null> {
  if (pull === null) return null;
  const answer = await repository.reviews(pull.number);
  return answer.kind === "found" ? reviewApprovals(answer.value) : null;
}

/** An address, an account, and the account behind the address that a provider gives instead. */
function namesOf({ email, login }: GitIdentity): readonly string[] {
  const hidden = /^(?:[0-9]+\+)?([A-Za-z0-9-]+)@users\.noreply\.github\.com$/i.exec(email)?.[1];
  return [email, ...(login === null ? [] : [login]), ...(hidden === undefined ? [] : [hidden])].filter(
    (name) => name !== "",
  );
}

/** Each once, as the context's lists name people. */
export function authorNames(authors: readonly GitIdentity[]): readonly string[] {
  return [...new Set(authors.flatMap(namesOf))];
}

async function unmatchedAuthors(app: Application, authors: readonly GitIdentity[]): Promise<readonly string[]> {
  const known = await app.reader.knownNames(authors.flatMap(namesOf).map(foldName));
  return authors.filter((author) => !namesOf(author).some((name) => known.has(foldName(name)))).map(labelOf);
}

function labelOf({ name, email }: GitIdentity): string {
  return name === "" ? email : `${name} <${email}>`;
}

/** What the CI's own words are in the context: bound, so that an approver knows which run goes on. */
export function ciContext(provider: string, metadata: JsonObject | null, url: string | null): JsonObject | null {
  if (metadata === null) return null;
  const text = (name: string): string | null => {
    const value = metadata[name];
    if (typeof value === "number") return String(value);
    return typeof value === "string" ? value : null;
  };
  return { provider, workflow_id: text("workflow_id"), pipeline_number: text("pipeline_number"), url };
}
