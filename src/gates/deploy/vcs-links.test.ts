import { describe, expect, it } from "vitest";
import { encodedPath, isAddressOfRepo, isVcsRepo, vcsLinks } from "./vcs-links.ts";

const place = { provider: "github", repo: "MyOrg/my.app", githubUrl: null } as const;
const sha = "a".repeat(40);

describe("links", () => {
  it("deploy R-VCS-2: lead to GitHub, or to one's own", () => {
    const links = vcsLinks(place);
    expect(links.commit(sha)).toBe(`https://github.com/MyOrg/my.app/commit/${sha}`);
    expect(links.branch("feature/a b")).toBe("https://github.com/MyOrg/my.app/tree/feature/a%20b");
    expect(links.compare("main", sha)).toBe(`https://github.com/MyOrg/my.app/compare/main...${sha}`);
    expect(links.pull(7)).toBe("https://github.com/MyOrg/my.app/pull/7");
    expect(vcsLinks({ ...place, githubUrl: "https://git.example/" }).pull(7)).toBe(
      "https://git.example/MyOrg/my.app/pull/7",
    );
  });

  it("deploy R-VCS-2: lead to Bitbucket", () => {
    const links = vcsLinks({ ...place, provider: "bitbucket" });
    expect(links.commit(sha)).toBe(`https://bitbucket.org/MyOrg/my.app/commits/${sha}`);
    expect(links.branch("x")).toBe("https://bitbucket.org/MyOrg/my.app/branch/x");
    expect(links.compare("a", "b")).toBe("https://bitbucket.org/MyOrg/my.app/branches/compare/b..a");
    expect(links.pull(7)).toBe("https://bitbucket.org/MyOrg/my.app/pull-requests/7");
  });

  it("deploy R-VCS-2: lead to GitLab", () => {
    const links = vcsLinks({ ...place, provider: "gitlab" });
    expect(links.commit(sha)).toBe(`https://gitlab.com/MyOrg/my.app/-/commit/${sha}`);
    expect(links.branch("x")).toBe("https://gitlab.com/MyOrg/my.app/-/tree/x");
    expect(links.compare("a", "b")).toBe("https://gitlab.com/MyOrg/my.app/-/compare/a...b");
    expect(links.pull(7)).toBe("https://gitlab.com/MyOrg/my.app/-/merge_requests/7");
  });

  it.each([null, "", "repo", "a/b/c", "../..", "./x", "a/..", "a/b?x", "a b/c", "a/b\n", "ä/b"])(
    "deploy R-VCS-1: %j is no repository and has no links",
    (repo) => {
      const links = vcsLinks({ ...place, repo });
      expect([links.commit(sha), links.branch("x"), links.compare("a", "b"), links.pull(1)]).toEqual([
        null,
        null,
        null,
        null,
      ]);
      expect(repo !== null && isVcsRepo(repo)).toBe(false);
    },
  );
});

it("deploy R-GITHUB-1: a branch name cannot leave its place in a path", () => {
  expect(encodedPath("feature/../../x?y#z%2e")).toBe("feature/%2E%2E/%2E%2E/x%3Fy%23z%252e");
  expect(encodedPath(".")).toBe("%2E");
  expect(encodedPath("a..b")).toBe("a..b");
});

describe("the address of a repository", () => {
  it.each([
    "https://github.com/MyOrg/my.app",
    "https://github.com/myorg/MY.APP.git",
    "https://github.com/MyOrg/my.app/",
    "https://x-access-token:secret@github.com/MyOrg/my.app.git",
    "git@github.com:MyOrg/my.app.git",
    "ssh://git@github.com/MyOrg/my.app.git",
    "ssh://git@GITHUB.com:22/MyOrg/my.app.git",
  ])("deploy R-CI-4: %s is the app's", (address) => {
    expect(isAddressOfRepo(address, place)).toBe(true);
    expect(isAddressOfRepo(address, { ...place, repo: null })).toBe(false);
    expect(isAddressOfRepo(address, { ...place, provider: "gitlab" })).toBe(false);
  });

  it.each([
    "",
    "MyOrg/my.app",
    "https://github.com/MyOrg/my.app-evil",
    "https://github.com/evil/MyOrg/my.app",
    "https://github.com.evil.example/MyOrg/my.app",
    "https://evil.example/github.com/MyOrg/my.app",
    "https://evil.example/MyOrg/my.app",
    "https://github.com@evil.example/MyOrg/my.app",
    "https://github.com/MyOrg/my.app?x",
    "https://github.com/MyOrg/my.app.git.git",
    "https://github.com/MyOrg/my app",
  ])("deploy R-CI-4: %s is not", (address) => {
    expect(isAddressOfRepo(address, place)).toBe(false);
  });

  it("deploy R-CI-4: is known at Bitbucket, GitLab and an Enterprise server", () => {
    expect(isAddressOfRepo("git@bitbucket.org:MyOrg/my.app.git", { ...place, provider: "bitbucket" })).toBe(true);
    expect(isAddressOfRepo("https://gitlab.com/MyOrg/my.app", { ...place, provider: "gitlab" })).toBe(true);
    const own = { ...place, githubUrl: "https://Git.Example:8443/" };
    expect(isAddressOfRepo("https://git.example:8443/MyOrg/my.app", own)).toBe(true);
    expect(isAddressOfRepo("https://github.com/MyOrg/my.app", own)).toBe(false);
  });
});
