/**
 * Every file of a commit. GitHub cuts large trees off; then their directories are asked for one by one, so that no file is ever missing
 * from what an archive is compared with. Implements the listing of docs/spec/deploy.md R-SOURCE-1.
 */
import type { TreeEntry, VcsAnswer } from "../../gates/deploy/vcs-facts.ts";
import { treeAnswer, treeEntry, type TreeAnswer } from "./github-answers.ts";
import { getFrom, readAnswer, type GithubPlace } from "./github-reads.ts";

const CALLS_MAX = 500;
const TREE_BYTES_MAX = 32 * 1024 * 1024;
/** More files than any repository that is deployed as one archive. */
const ENTRIES_MAX = 1_000_000;

interface Directory {
  readonly sha: string;
  /** Path with a slash at its end; empty for the root. */
  readonly below: string;
}

export async function readTree(place: GithubPlace, sha: string): Promise<VcsAnswer<readonly TreeEntry[]>> {
  const entries: TreeEntry[] = [];
  const open: Directory[] = [{ sha, below: "" }];
  let calls = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const listed = await list(place, next);
    if (listed.kind !== "found") return listed;
    const { items, isWhole } = listed.value;
    calls += isWhole ? 1 : 2;
    if (calls > CALLS_MAX || entries.length > ENTRIES_MAX) return tooLarge();
    for (const item of items) {
      if (item.type !== "tree") entries.push(treeEntry(item, next.below));
      else if (!isWhole) open.push({ sha: item.sha, below: `${next.below}${item.path}/` });
    }
  }
  return { kind: "found", value: entries };
}

interface Listing {
  readonly items: TreeAnswer["tree"];
  /** Everything below, and not only what stands in the directory itself. */
  readonly isWhole: boolean;
}

async function list(place: GithubPlace, directory: Directory): Promise<VcsAnswer<Listing>> {
  const whole = await ask(place, directory, "?recursive=1");
  if (whole.kind !== "found") return whole;
  if (!whole.value.truncated) return { kind: "found", value: { items: whole.value.tree, isWhole: true } };
  const own = await ask(place, directory, "");
  if (own.kind !== "found") return own;
  return own.value.truncated ? tooLarge() : { kind: "found", value: { items: own.value.tree, isWhole: false } };
}

async function ask(place: GithubPlace, { sha }: Directory, query: string): Promise<VcsAnswer<TreeAnswer>> {
  const path = `/git/trees/${encodeURIComponent(sha)}${query}`;
  return readAnswer(place, await getFrom(place, path, TREE_BYTES_MAX), treeAnswer);
}

function tooLarge(): VcsAnswer<never> {
  return { kind: "unavailable", detail: "the repository has too many files to be read", retryAfterSeconds: null };
}
