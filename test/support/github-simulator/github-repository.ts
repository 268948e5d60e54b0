/** One simulated repository: what a test puts into it, and what GitHub answers about it. */
import { createHash } from "node:crypto";
import type { SimulatedAnswer, SimulatedCall } from "../simulator-server.ts";
import { GithubHistory, type SimulatedCommit, type SimulatedPerson } from "./github-history.ts";

export interface CommitSeed {
  readonly parents?: readonly SimulatedCommit[];
  readonly message?: string;
  readonly author?: SimulatedPerson;
  readonly committer?: SimulatedPerson;
  /** Path to content, mode 100644; `mode` names others. */
  readonly files?: Readonly<Record<string, string>>;
  readonly modes?: Readonly<Record<string, string>>;
}

export interface SimulatedPull {
  readonly number: number;
  title: string;
  state: "open" | "closed";
  draft: boolean;
  readonly user: string;
  headSha: string;
  readonly headRef: string;
  /** Whose branch it is; a fork's owner when it comes from a fork. */
  readonly headOwner: string;
  readonly reviews: { readonly user: string; readonly state: string }[];
}

export interface SimulatedComment {
  readonly id: number;
  readonly issue: number;
  readonly user: string;
  readonly appId: number | null;
  body: string;
}

export interface SimulatedRun {
  readonly id: number;
  status: string;
  conclusion: string | null;
  readonly headSha: string;
  /** Environments that wait for us. */
  readonly pending: string[];
  readonly reviews: { readonly environment: string; readonly state: string; readonly comment: string }[];
}

interface TreeItem {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly sha: string;
  readonly size?: number;
}

const ada: SimulatedPerson = { name: "Ada Lovelace", email: "ada@example.com", login: "ada" };

export class SimulatedRepository {
  readonly history = new GithubHistory();
  readonly branches = new Map<string, string>();
  readonly pulls: SimulatedPull[] = [];
  readonly comments: SimulatedComment[] = [];
  readonly statuses: Readonly<Record<string, unknown>>[] = [];
  readonly checkRuns: { readonly status: string; readonly conclusion: string | null }[] = [];
  readonly runs: SimulatedRun[] = [];
  /** A recursive listing with more entries than this is cut off. */
  treeEntriesMax = 100_000;
  readonly owner: string;
  readonly name: string;
  readonly #trees = new Map<string, readonly TreeItem[]>();
  readonly #blobs = new Map<string, string>();
  #made = 0;

  constructor(fullName: string) {
    const [owner = "", name = ""] = fullName.split("/");
    this.owner = owner;
    this.name = name;
  }

  get fullName(): string {
    return `${this.owner}/${this.name}`;
  }

  /** Puts a commit where GitHub would have it, on no branch yet. */
  commit({
    parents = [],
    message,
    author = ada,
    committer = author,
    files = {},
    modes = {},
  }: CommitSeed = {}): SimulatedCommit {
    this.#made += 1;
    const text = message ?? `Change ${String(this.#made)}`;
    const tree = this.#tree(
      Object.entries(files).map(([path, content]) => ({ path, content, mode: modes[path] ?? "100644" })),
    );
    const sha = hash(`commit ${this.fullName} ${String(this.#made)} ${text} ${tree}`);
    return this.history.add({
      sha,
      parents: parents.map((parent) => parent.sha),
      message: text,
      tree,
      author,
      committer,
    });
  }

  /** Moves a branch, with or without what was on it. */
  push(branch: string, commit: SimulatedCommit): SimulatedCommit {
    this.branches.set(branch, commit.sha);
    return commit;
  }

  pull(headRef: string, commit: SimulatedCommit, changed: Partial<SimulatedPull> = {}): SimulatedPull {
    const pull: SimulatedPull = {
      ...{ number: this.pulls.length + 1, title: "A change", state: "open", draft: false, user: "ada" },
      ...{ headSha: commit.sha, headRef, headOwner: this.owner, reviews: [] },
      ...changed,
    };
    this.pulls.push(pull);
    return pull;
  }

  run(headSha: string, environment: string): SimulatedRun {
    const run = {
      id: 9_000 + this.runs.length,
      status: "waiting",
      conclusion: null,
      headSha,
      pending: [environment],
      reviews: [],
    };
    this.runs.push(run);
    return run;
  }

  showBranch(name: string): SimulatedAnswer {
    const sha = this.branches.get(name);
    const commit = sha === undefined ? undefined : this.history.get(sha);
    if (commit === undefined) return { status: 404, body: { message: "Branch not found" } };
    return { status: 200, body: { name, commit: shown(commit), protected: false } };
  }

  showCommit(ref: string): SimulatedAnswer {
    const commit = this.history.find(this.branches.get(ref) ?? ref);
    if (commit === undefined) return { status: 422, body: { message: `No commit found for SHA: ${ref}` } };
    return { status: 200, body: shown(commit) };
  }

  showComparison(base: string, head: string, { query }: SimulatedCall): SimulatedAnswer {
    const compared = this.history.get(base) === undefined ? null : this.history.compare(base, head);
    if (compared === null) return { status: 404, body: { message: "Not Found" } };
    const { status, ahead, behindBy, mergeBase } = compared;
    const size = Number(query.get("per_page") ?? 250);
    const from = (Number(query.get("page") ?? 1) - 1) * size;
    const commits = ahead.slice(from, from + size).map(shown);
    const counts = { status, ahead_by: ahead.length, behind_by: behindBy, total_commits: ahead.length };
    return { status: 200, body: { ...counts, merge_base_commit: shown(mergeBase), commits, files: [] } };
  }

  /** Of a commit that is not on the default branch: the open ones that hold it, from forks too. */
  showPullsOfCommit(sha: string): SimulatedAnswer {
    if (this.history.get(sha) === undefined)
      return { status: 422, body: { message: `No commit found for SHA: ${sha}` } };
    const holding = this.pulls.filter(({ headSha }) => {
      const behind = this.history.compare(headSha, sha)?.status;
      return behind === "identical" || behind === "behind";
    });
    return { status: 200, body: holding.map((pull) => this.#shownPull(pull)) };
  }

  listPulls({ query }: SimulatedCall): SimulatedAnswer {
    const [owner, ref] = (query.get("head") ?? "").split(/:(.*)/s);
    const state = query.get("state") ?? "open";
    const found = this.pulls.filter((pull) => pull.headOwner === owner && pull.headRef === ref && pull.state === state);
    return { status: 200, body: found.map((pull) => this.#shownPull(pull)) };
  }

  showTree(sha: string, { query }: SimulatedCall): SimulatedAnswer {
    const items = this.#trees.get(sha);
    if (items === undefined) return { status: 404, body: { message: "Not Found" } };
    const all = query.has("recursive") ? this.#below(items, "") : items;
    const truncated = query.has("recursive") && all.length > this.treeEntriesMax;
    return { status: 200, body: { sha, tree: truncated ? all.slice(0, this.treeEntriesMax) : all, truncated } };
  }

  showFile(path: string, { query }: SimulatedCall): SimulatedAnswer {
    const commit = this.history.get(query.get("ref") ?? "");
    const item = commit && this.#below(this.#trees.get(commit.tree) ?? [], "").find((entry) => entry.path === path);
    const content = item && this.#blobs.get(item.sha);
    if (content === undefined) return { status: 404, body: { message: "Not Found" } };
    const encoded = Buffer.from(content).toString("base64").replace(/.{60}/g, "$&\n");
    return { status: 200, body: { type: "file", encoding: "base64", size: content.length, path, content: encoded } };
  }

  showRun({ id, status, conclusion, headSha }: SimulatedRun): SimulatedAnswer {
    return {
      status: 200,
      body: { id, status, conclusion, head_sha: headSha, repository: { full_name: this.fullName } },
    };
  }

  #shownPull({
    number,
    title,
    state,
    draft,
    user,
    headSha,
    headRef,
    headOwner,
  }: SimulatedPull): Record<string, unknown> {
    const head = {
      label: `${headOwner}:${headRef}`,
      ref: headRef,
      sha: headSha,
      repo: { full_name: `${headOwner}/${this.name}` },
    };
    return { number, title, state, draft, user: { login: user }, head, base: { ref: "main" } };
  }

  #tree(files: readonly { readonly path: string; readonly content: string; readonly mode: string }[]): string {
    const names = [...new Set(files.map(({ path }) => path.split("/")[0] ?? ""))].sort();
    const items = names.map((name): TreeItem => {
      const file = files.find(({ path }) => path === name);
      const inside = files.filter(({ path }) => path.startsWith(`${name}/`));
      if (file === undefined) {
        const sha = this.#tree(inside.map((entry) => ({ ...entry, path: entry.path.slice(name.length + 1) })));
        return { path: name, mode: "040000", type: "tree", sha };
      }
      const sha = hash(`blob ${String(file.content.length)}\0${file.content}`);
      if (file.mode === "160000") return { path: name, mode: file.mode, type: "commit", sha };
      this.#blobs.set(sha, file.content);
      return { path: name, mode: file.mode, type: "blob", sha, size: file.content.length };
    });
    const sha = hash(`tree ${JSON.stringify(items)}`);
    this.#trees.set(sha, items);
    return sha;
  }

  #below(items: readonly TreeItem[], prefix: string): TreeItem[] {
    return items.flatMap((item) => {
      const path = `${prefix}${item.path}`;
      const inside = item.type === "tree" ? this.#below(this.#trees.get(item.sha) ?? [], `${path}/`) : [];
      return [{ ...item, path }, ...inside];
    });
  }
}

function shown({ sha, parents, message, tree, author, committer }: SimulatedCommit): Record<string, unknown> {
  const date = "2026-01-02T03:04:05Z";
  const signature = ({ name, email }: SimulatedPerson) => ({ name, email, date });
  const account = ({ login }: SimulatedPerson) => (login === undefined ? null : { login, id: 1 });
  return {
    ...{ sha, author: account(author), committer: account(committer) },
    commit: { author: signature(author), committer: signature(committer), message, tree: { sha: tree } },
    parents: parents.map((parent) => ({ sha: parent })),
  };
}

function hash(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
