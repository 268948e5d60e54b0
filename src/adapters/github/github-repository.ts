/** One repository at GitHub, as the deploy gate reads it. Implements docs/spec/deploy.md R-VCS-1, the calls of R-GITHUB-2, and R-GITHUB-5. */
import type { z } from "zod";
import type {
  CommitFacts,
  CommitRange,
  Comparison,
  PullRequest,
  PullRequestReview,
  TreeEntry,
  VcsAnswer,
} from "../../gates/deploy/vcs-facts.ts";
import { encodedPath, isVcsRepo } from "../../gates/deploy/vcs-links.ts";
import type { EffectResult } from "../../gates/deploy/effect-result.ts";
import type { CommitStatus, PullRequestComment, Repository, VersionControl } from "../../ports/version-control.ts";
import {
  branchAnswer,
  checkRunsAnswer,
  combinedStatusAnswer,
  commitAnswer,
  comparisonAnswer,
  fileAnswer,
  pullsAnswer,
  rangeAnswer,
  reviewsAnswer,
} from "./github-answers.ts";
import type { GithubAnswer, GithubClient } from "./github-client.ts";
import { getFrom, readAnswer, type GithubPlace } from "./github-reads.ts";
import { postCommitStatus, writeComment } from "./github-writes.ts";
import { readTree } from "./github-tree.ts";

export function createGithub(client: GithubClient): VersionControl {
  return {
    repository(repo, budgetMs) {
      if (!isVcsRepo(repo)) throw new Error(`${repo} is not owner/repo (this is a bug)`);
      return new GithubRepository({
        client,
        repo,
        ...(budgetMs === null ? {} : { signal: AbortSignal.timeout(budgetMs) }),
      });
    },
  };
}

/** Answers with files in them: patches are as large as their changes. */
const RANGE_BYTES_MAX = 8 * 1024 * 1024;
const PAGE = 100;
const RANGE_PAGES_MAX = 3;
const RANGE_MAX = 250;
/** Of the statuses that we write (R-GITHUB-4). */
const OWN_CONTEXT = "countersign/";

class GithubRepository implements Repository {
  readonly #place: GithubPlace;

  constructor(place: GithubPlace) {
    this.#place = place;
  }

  resolve(ref: string): Promise<VcsAnswer<CommitFacts>> {
    return this.commit(ref);
  }

  async branchHead(branch: string): Promise<VcsAnswer<string>> {
    const answer = await this.#get(`/branches/${encodedPath(branch)}`);
    return mapped(await this.#read(answer, branchAnswer), ({ commit }) => commit.sha);
  }

  async contains(head: string, commit: string): Promise<VcsAnswer<Comparison>> {
    const answer = await this.#get(`/compare/${encodedPath(head)}...${encodedPath(commit)}?per_page=1`);
    // A commit that is on the branch brings neither commits nor files: an answer that is too large is no such commit's.
    if (answer.kind === "unavailable" && answer.tooLarge) return { kind: "absent" };
    return mapped(await this.#read(answer, comparisonAnswer), (found) => ({
      status: found.status,
      aheadBy: found.ahead_by,
      mergeBase: found.merge_base_commit.sha,
    }));
  }

  /** One file of the change is enough: the files are not what is asked for. */
  async commit(sha: string): Promise<VcsAnswer<CommitFacts>> {
    return this.#read(await this.#get(`/commits/${encodedPath(sha)}?per_page=1`), commitAnswer);
  }

  tree(sha: string): Promise<VcsAnswer<readonly TreeEntry[]>> {
    return readTree(this.#place, sha);
  }

  async file(sha: string, path: string): Promise<VcsAnswer<Uint8Array>> {
    const answer = await this.#get(`/contents/${encodedPath(path)}?ref=${encodeURIComponent(sha)}`);
    return mapped(await this.#read(answer, fileAnswer), ({ content }) => Buffer.from(content, "base64"));
  }

  async pullRequests(commit: string, branch: string): Promise<VcsAnswer<readonly PullRequest[]>> {
    const ofCommit = await this.#read(
      await this.#get(`/commits/${encodedPath(commit)}/pulls?per_page=100`),
      pullsAnswer,
    );
    if (ofCommit.kind !== "found") return ofCommit;
    const { repo } = this.#place;
    const head = encodeURIComponent(`${repo.slice(0, repo.indexOf("/"))}:${branch}`);
    const ofBranch = await this.#read(await this.#get(`/pulls?head=${head}&state=open&per_page=100`), pullsAnswer);
    if (ofBranch.kind !== "found") return ofBranch;
    const known = new Set(ofCommit.value.map(({ number }) => number));
    return { kind: "found", value: [...ofCommit.value, ...ofBranch.value.filter(({ number }) => !known.has(number))] };
  }

  async changes(from: string, to: string): Promise<VcsAnswer<CommitRange>> {
    const commits: CommitFacts[] = [];
    let count = 0;
    for (let page = 1; page <= RANGE_PAGES_MAX; page += 1) {
      const path = `/compare/${encodedPath(from)}...${encodedPath(to)}?per_page=${String(PAGE)}&page=${String(page)}`;
      const answer = await this.#get(path, RANGE_BYTES_MAX);
      const found = await this.#read(answer, rangeAnswer);
      if (found.kind !== "found") return found;
      count = found.value.ahead_by;
      commits.push(...found.value.commits);
      if (found.value.commits.length < PAGE || commits.length >= count) break;
    }
    return { kind: "found", value: { count, commits: commits.slice(0, RANGE_MAX) } };
  }

  async reviews(pull: number): Promise<VcsAnswer<readonly PullRequestReview[]>> {
    const answer = await this.#get(`/pulls/${String(pull)}/reviews?per_page=100`);
    return mapped(await this.#read(answer, reviewsAnswer), (reviews) =>
      reviews.map(({ user, state }) => ({ author: user, state: state.toLowerCase() })),
    );
  }

  /** Statuses and check runs are two things at GitHub; the worse one counts. Our own status, which waits for an approval, is no check. */
  async checks(sha: string): Promise<VcsAnswer<string>> {
    const ofStatuses = `/commits/${encodedPath(sha)}/status?per_page=100`;
    const statuses = await this.#read(await this.#get(ofStatuses), combinedStatusAnswer);
    if (statuses.kind !== "found") return statuses;
    const path = `/commits/${encodedPath(sha)}/check-runs?per_page=100`;
    const runs = await this.#read(await this.#get(path), checkRunsAnswer);
    if (runs.kind !== "found") return runs;
    const states = [...checkingStatuses(statuses.value), ...runs.value.check_runs.map(stateOfRun)];
    return { kind: "found", value: states.length === 0 ? "none" : worst(states) };
  }

  comment(comment: PullRequestComment): Promise<EffectResult> {
    return writeComment(this.#place, comment);
  }

  status(status: CommitStatus): Promise<EffectResult> {
    return postCommitStatus(this.#place, status);
  }

  #get(path: string, bytesMax?: number): Promise<GithubAnswer> {
    return getFrom(this.#place, path, bytesMax);
  }

  #read<Schema extends z.ZodType>(answer: GithubAnswer, schema: Schema): Promise<VcsAnswer<z.output<Schema>>> {
    return readAnswer(this.#place, answer, schema);
  }
}

function mapped<From, To>(answer: VcsAnswer<From>, map: (value: From) => To): VcsAnswer<To> {
  return answer.kind === "found" ? { kind: "found", value: map(answer.value) } : answer;
}

function stateOfRun({ status, conclusion }: { readonly status: string; readonly conclusion: string | null }): string {
  if (status !== "completed") return "pending";
  return conclusion === "success" || conclusion === "neutral" || conclusion === "skipped" ? "success" : "failure";
}

function checkingStatuses({ state, total_count: count, statuses }: z.output<typeof combinedStatusAnswer>): string[] {
  // More than one page holds: GitHub's own sum of them all.
  if (count > statuses.length) return [state];
  return statuses.filter(({ context }) => !context.startsWith(OWN_CONTEXT)).map((status) => status.state);
}

function worst(states: readonly string[]): string {
  if (states.some((state) => state === "failure" || state === "error")) return "failure";
  return states.every((state) => state === "success") ? "success" : "pending";
}
