/** Where does a reviewer look at the commit, its branch and its changes? Implements docs/spec/deploy.md R-VCS-2. */

export type VcsProvider = "github" | "bitbucket" | "gitlab";

export interface VcsPlace {
  readonly provider: VcsProvider;
  /** `owner/repo`; another form yields no links. */
  readonly repo: string | null;
  /** `GITHUB_URL` for an Enterprise server of one's own; null for github.com. */
  readonly githubUrl: string | null;
}

export interface VcsLinks {
  readonly commit: (sha: string) => string | null;
  readonly branch: (name: string) => string | null;
  readonly compare: (from: string, to: string) => string | null;
  readonly pull: (number: number) => string | null;
}

const GITHUB = "https://github.com";

export function vcsLinks({ provider, repo, githubUrl }: VcsPlace): VcsLinks {
  if (repo === null || !isVcsRepo(repo)) return NO_LINKS;
  switch (provider) {
    case "github":
      return github(`${(githubUrl ?? GITHUB).replace(/\/+$/, "")}/${repo}`);
    case "bitbucket":
      return bitbucket(`https://bitbucket.org/${repo}`);
    case "gitlab":
      return gitlab(`https://gitlab.com/${repo}`);
  }
}

/** `owner/repo` (R-VCS-1), and no name that a path would take for a step upwards. */
export function isVcsRepo(text: string): boolean {
  return /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/.test(text) && text.split("/").every((part) => !/^\.{1,2}$/.test(part));
}

/** Slashes of a branch name stay, everything else that means something in a path is encoded (R-GITHUB-1). */
export function encodedPath(name: string): string {
  return name
    .split("/")
    .map((part) => (/^\.{1,2}$/.test(part) ? part.replaceAll(".", "%2E") : encodeURIComponent(part)))
    .join("/");
}

/** Does an address that a CI names (`https://`, `ssh://` or `git@host:`) belong to this repository? */
export function isAddressOfRepo(address: string, { provider, repo, githubUrl }: VcsPlace): boolean {
  if (repo === null || !isVcsRepo(repo)) return false;
  const [, host = "", path = ""] =
    /^(?:(?:https|ssh|git):\/\/)?(?:[^@/\s]*@)?([^:/\s]+)(?::[0-9]+\/|[:/])(.+)$/.exec(address) ?? [];
  const expected = provider === "github" ? hostOf(githubUrl ?? GITHUB) : HOSTS[provider];
  return host.toLowerCase() === expected && isSameRepo(path.replace(/\/$/, "").replace(/\.git$/, ""), repo);
}

/** Providers do not tell names apart by case. */
export function isSameRepo(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

const HOSTS = { bitbucket: "bitbucket.org", gitlab: "gitlab.com" } as const;

function hostOf(url: string): string {
  return url
    .replace(/^https?:\/\//i, "")
    .replace(/[:/].*$/, "")
    .toLowerCase();
}

const NO_LINKS: VcsLinks = { commit: () => null, branch: () => null, compare: () => null, pull: () => null };

function github(base: string): VcsLinks {
  return {
    commit: (sha) => `${base}/commit/${encodedPath(sha)}`,
    branch: (name) => `${base}/tree/${encodedPath(name)}`,
    compare: (from, to) => `${base}/compare/${encodedPath(from)}...${encodedPath(to)}`,
    pull: (number) => `${base}/pull/${String(number)}`,
  };
}

function bitbucket(base: string): VcsLinks {
  return {
    commit: (sha) => `${base}/commits/${encodedPath(sha)}`,
    branch: (name) => `${base}/branch/${encodedPath(name)}`,
    compare: (from, to) => `${base}/branches/compare/${encodedPath(to)}..${encodedPath(from)}`,
    pull: (number) => `${base}/pull-requests/${String(number)}`,
  };
}

function gitlab(base: string): VcsLinks {
  return {
    commit: (sha) => `${base}/-/commit/${encodedPath(sha)}`,
    branch: (name) => `${base}/-/tree/${encodedPath(name)}`,
    compare: (from, to) => `${base}/-/compare/${encodedPath(from)}...${encodedPath(to)}`,
    pull: (number) => `${base}/-/merge_requests/${String(number)}`,
  };
}
