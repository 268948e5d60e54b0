/** The commits of a simulated repository: who is whose ancestor, and how a comparison counts them. */

export interface SimulatedPerson {
  readonly name: string;
  readonly email: string;
  readonly login?: string;
}

export interface SimulatedCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly tree: string;
  readonly author: SimulatedPerson;
  readonly committer: SimulatedPerson;
}

export interface SimulatedComparison {
  readonly status: "identical" | "ahead" | "behind" | "diverged";
  readonly ahead: readonly SimulatedCommit[];
  readonly behindBy: number;
  readonly mergeBase: SimulatedCommit;
}

export class GithubHistory {
  readonly #commits = new Map<string, SimulatedCommit>();

  add(commit: SimulatedCommit): SimulatedCommit {
    this.#commits.set(commit.sha, commit);
    return commit;
  }

  get(sha: string): SimulatedCommit | undefined {
    return this.#commits.get(sha);
  }

  /** By full id, or by an abbreviation that fits one commit alone. */
  find(ref: string): SimulatedCommit | undefined {
    const found = [...this.#commits.values()].filter(({ sha }) => sha.startsWith(ref));
    return ref.length >= 7 && found.length === 1 ? found[0] : undefined;
  }

  /** Three dots: from where the two parted to `head`. Null when they share nothing. */
  compare(base: string, head: string): SimulatedComparison | null {
    const ofBase = this.#ancestry(base);
    const ofHead = this.#ancestry(head);
    const mergeBase = ofHead.find((commit) => ofBase.includes(commit));
    if (mergeBase === undefined) return null;
    const ahead = ofHead.filter((commit) => !ofBase.includes(commit)).toReversed();
    const behindBy = ofBase.filter((commit) => !ofHead.includes(commit)).length;
    if (ahead.length === 0) return { status: behindBy === 0 ? "identical" : "behind", ahead, behindBy, mergeBase };
    return { status: behindBy === 0 ? "ahead" : "diverged", ahead, behindBy, mergeBase };
  }

  /** The commit and everything before it, the newest first. */
  #ancestry(sha: string): SimulatedCommit[] {
    const found: SimulatedCommit[] = [];
    const open = [sha];
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const commit = this.#commits.get(next);
      if (commit === undefined || found.includes(commit)) continue;
      found.push(commit);
      open.push(...commit.parents);
    }
    return found;
  }
}
