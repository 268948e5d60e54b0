/** Our GitHub adapter against a simulator with GitHub's wire: docs/spec/deploy.md R-GITHUB-1 to R-GITHUB-5 and R-VCS-3. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GithubClient } from "../../src/adapters/github/github-client.ts";
import type { GithubCredential } from "../../src/adapters/github/github-credential.ts";
import { createGithub } from "../../src/adapters/github/github-repository.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import { askAboutCommit, askStillCurrent } from "../../src/app/commit-verification.ts";
import { commitAuthors } from "../../src/gates/deploy/commit-authors.ts";
import { prComment, prCommentMarker, type PrCommentState } from "../../src/gates/deploy/pr-comment.ts";
import { expandCommit, type CommitQuestion } from "../../src/gates/deploy/verify-commit.ts";
import type { Repository } from "../../src/ports/version-control.ts";
import type { SimulatedCommit } from "../support/github-simulator/github-history.ts";
import type { SimulatedRepository } from "../support/github-simulator/github-repository.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";

const repo = "MyOrg/myapp";
const branch = "feature/a b#1";

let github: GithubSimulator;
let repository: SimulatedRepository;
let now: number;
let pauses: number[];

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1);
  pauses = [];
  github = await openGithubSimulator(() => now);
  repository = github.repository(repo);
});

afterEach(async () => {
  await github.close();
});

function client(
  credential: GithubCredential = { kind: "token", token: github.token },
  timeoutMs = 10_000,
): GithubClient {
  return new GithubClient(
    { apiUrl: github.url, credential, timeoutMs },
    {
      exchange: createProviderExchange(fetch),
      clock: () => now,
      pause: async (ms) => {
        pauses.push(ms);
      },
    },
  );
}

function opened(credential?: GithubCredential, name = repo): Repository {
  return createGithub(client(credential)).repository(name, null);
}

function question(commit: SimulatedCommit | string, changed: Partial<CommitQuestion> = {}): CommitQuestion {
  return {
    ...{ repo, branch, commit: typeof commit === "string" ? commit : commit.sha, defaultBranch: "main" },
    ...{ allowDefaultBranch: false, requirePullRequest: true, mode: "latest" },
    ...changed,
  };
}

/** main ← first ← second, which is the head of the branch and of an open pull request. */
function history(): { base: SimulatedCommit; first: SimulatedCommit; second: SimulatedCommit } {
  const base = repository.push("main", repository.commit());
  const first = repository.commit({ parents: [base] });
  const second = repository.push(branch, repository.commit({ parents: [first] }));
  repository.pull(branch, second);
  return { base, first, second };
}

describe("verifying a commit", () => {
  it("deploy R-GITHUB-2: the latest commit of a branch with an open pull request passes, in four questions", async () => {
    const { second } = history();
    const verified = await askAboutCommit(opened(), question(second));
    expect(verified).toMatchObject({
      head: second.sha,
      facts: { sha: second.sha, tree: second.tree },
      pull: { number: 1 },
    });
    expect(github.log).toEqual([
      `GET /repos/MyOrg/myapp/branches/feature/a%20b%231`,
      `GET /repos/MyOrg/myapp/commits/${second.sha}/pulls?per_page=100`,
      `GET /repos/MyOrg/myapp/pulls?head=MyOrg%3Afeature%2Fa+b%231&state=open&per_page=100`,
      `GET /repos/MyOrg/myapp/commits/${second.sha}?per_page=1`,
    ]);
  });

  it("deploy R-GITHUB-2: in mode latest an older commit of the branch is refused, and the latest is named", async () => {
    const { first, second } = history();
    expect(await askAboutCommit(opened(), question(first))).toMatchObject({
      code: "commit_not_verified",
      status: 400,
      message: `GitHub verification failed: commit ${first.sha} is not the latest commit on branch ${branch} (latest: ${second.sha})`,
    });
  });

  it("deploy R-GITHUB-2: in mode branch an older commit of the branch passes", async () => {
    const { first } = history();
    expect(await askAboutCommit(opened(), question(first, { mode: "branch" }))).toMatchObject({
      facts: { sha: first.sha },
    });
    expect(github.log[1]).toMatch(/^GET \/repos\/MyOrg\/myapp\/compare\/[0-9a-f]{40}\.\.\.[0-9a-f]{40}\?per_page=1$/);
  });

  it.each(["diverged", "ahead", "unrelated", "unknown"])(
    "deploy R-GITHUB-2 case 60: a commit that is %s is not on the branch",
    async (kind) => {
      const { base, second } = history();
      const parents = { diverged: [base], ahead: [second], unrelated: [], unknown: [] }[kind] ?? [];
      const commit = kind === "unknown" ? "f".repeat(40) : repository.commit({ parents }).sha;
      repository.pull("other", second, { headSha: commit });
      expect(await askAboutCommit(opened(), question(commit, { mode: "branch" }))).toMatchObject({
        ...{
          status: 400,
          message: `GitHub verification failed: commit ${commit} not found or not on branch ${branch}`,
        },
      });
    },
  );

  it("deploy R-GITHUB-2 case 60: a commit that a force push took off the branch is refused", async () => {
    const { base, second } = history();
    repository.push(branch, repository.commit({ parents: [base] }));
    expect(await askAboutCommit(opened(), question(second, { mode: "branch" }))).toMatchObject({ status: 400 });
  });

  it("deploy R-GITHUB-2: a comparison too large to read is one of a commit that is not on the branch", async () => {
    const { first } = history();
    const body = "x".repeat(1024 * 1024 + 1);
    github.fail({ path: /\/compare\//, fault: { kind: "answer", answer: { status: 200, body } } });
    expect(await askAboutCommit(opened(), question(first, { mode: "branch" }))).toMatchObject({ status: 400 });
  });

  it("deploy R-GITHUB-2: a branch that is not there, and a repository that is not there, are told apart", async () => {
    const { second } = history();
    const gone = await askAboutCommit(opened(), question(second, { branch: "gone" }));
    expect(gone).toMatchObject({ status: 400, message: "GitHub verification failed: branch gone not found" });
    const asked = question(second, { repo: "MyOrg/other" });
    expect(await askAboutCommit(opened(undefined, "MyOrg/other"), asked)).toMatchObject({
      ...{
        status: 400,
        message: "GitHub verification failed: repository MyOrg/other not found or not visible to the token",
      },
    });
    expect(await askAboutCommit(opened({ kind: "token", token: github.revokedToken }), question(second))).toMatchObject(
      {
        ...{
          status: 400,
          message: "GitHub verification failed: repository MyOrg/myapp not found or not visible to the token",
        },
      },
    );
  });

  it("deploy R-GITHUB-2: an open pull request is needed, of whatever fork", async () => {
    const base = repository.push("main", repository.commit());
    const head = repository.push(branch, repository.commit({ parents: [base] }));
    const none = {
      status: 400,
      message: `GitHub verification failed: no open pull request found for branch ${branch}`,
    };
    expect(await askAboutCommit(opened(), question(head))).toMatchObject(none);
    const closed = repository.pull(branch, head, { state: "closed" });
    expect(await askAboutCommit(opened(), question(head))).toMatchObject(none);
    repository.pull("patch-1", head, { headOwner: "somebody", draft: true });
    expect(await askAboutCommit(opened(), question(head))).toMatchObject({ pull: { number: 2, draft: true } });
    closed.state = "open";
    expect(await askAboutCommit(opened(), question(head))).toMatchObject({ pull: { number: 1 } });
  });

  it("deploy R-GITHUB-2: an older commit is covered by the pull request of its branch", async () => {
    const { first, second } = history();
    const verified = await askAboutCommit(opened(), question(first, { mode: "branch" }));
    expect(verified).toMatchObject({ pull: { headSha: second.sha } });
  });

  it.each([
    ["500", { kind: "answer", answer: { status: 500 } }],
    ["502 with a page", { kind: "answer", answer: { status: 502, body: "<html>Unicorn!</html>" } }],
    ["a broken connection", { kind: "reset" }],
    ["an answer of another form", { kind: "answer", answer: { status: 200, body: { commit: { sha: "main" } } } }],
    ["a limit of the rate", { kind: "answer", answer: { status: 429, headers: { "retry-after": "30" } } }],
  ] as const)("deploy R-GITHUB-2: %s is 502, and nothing is believed", async (_name, fault) => {
    const { second } = history();
    github.fail({ path: /./, fault });
    expect(await askAboutCommit(opened(), question(second))).toMatchObject({
      ...{ code: "vcs_unavailable", status: 502, message: "GitHub verification failed: GitHub could not be reached" },
    });
  });

  it("deploy R-GITHUB-1: a budget for all calls together is kept", async () => {
    const { second } = history();
    github.fail({ path: /\/pulls$/, fault: { kind: "silence" } });
    const limited = createGithub(client()).repository(repo, 300);
    expect(await askAboutCommit(limited, question(second))).toMatchObject({ code: "vcs_unavailable" });
    expect(await askAboutCommit(limited, question(second))).toMatchObject({ code: "vcs_unavailable" });
  });

  it("deploy R-REQ-10: who wrote it is read with the commit", async () => {
    const author = { name: "Ada", email: "ada@example.com", login: "ada" };
    const message = "Change\n\nCo-authored-by: Grace Hopper <grace@example.com>\n";
    const committer = { name: "GitHub", email: "noreply@github.com", login: "web-flow" };
    const head = repository.push(branch, repository.commit({ message, author, committer }));
    const facts = await opened().commit(head.sha);
    expect(facts.kind === "found" ? commitAuthors(facts.value) : facts).toEqual([
      author,
      { name: "Grace Hopper", email: "grace@example.com", login: null },
    ]);
  });

  it("deploy R-REQ-3: an abbreviated id is expanded, and a branch of that name is not", async () => {
    const { first, second } = history();
    const short = first.sha.slice(0, 8);
    expect(expandCommit(short, await opened().resolve(short))).toBe(first.sha);
    repository.push("abcdef1", second);
    expect(expandCommit("abcdef1", await opened().resolve("abcdef1"))).toMatchObject({ code: "commit_incomplete" });
    expect(expandCommit("0000000", await opened().resolve("0000000"))).toMatchObject({ code: "commit_incomplete" });
  });
});

describe("at approval", () => {
  it("deploy R-VCS-3 case 60: a branch that moved, or a pull request that was closed, is stale", async () => {
    const { second } = history();
    const asked = question(second);
    expect(await askStillCurrent(opened(), asked)).toBeNull();
    const [pull] = repository.pulls;
    const stale = {
      code: "approval_stale",
      status: 409,
      message: `commit is no longer the latest on branch ${branch}`,
    };
    if (pull !== undefined) pull.state = "closed";
    expect(await askStillCurrent(opened(), asked)).toMatchObject(stale);
    if (pull !== undefined) pull.state = "open";
    repository.push(branch, repository.commit({ parents: [second] }));
    expect(await askStillCurrent(opened(), asked)).toMatchObject(stale);
    repository.branches.delete(branch);
    expect(await askStillCurrent(opened(), asked)).toMatchObject(stale);
  });

  it("deploy R-VCS-3: GitHub out of reach is 502", async () => {
    const { second } = history();
    github.fail({ path: /./, fault: { kind: "answer", answer: { status: 503 } } });
    expect(await askStillCurrent(opened(), question(second))).toMatchObject({ code: "vcs_unavailable", status: 502 });
  });
});

describe("calls", () => {
  it("deploy R-GITHUB-1: a fault is tried twice more, and no more", async () => {
    const { second } = history();
    github.fail({ path: /\/branches\//, times: 2, fault: { kind: "answer", answer: { status: 500 } } });
    expect(await opened().branchHead(branch)).toEqual({ kind: "found", value: second.sha });
    expect(pauses).toEqual([250, 1_000]);
    github.fail({ path: /\/branches\//, times: 3, fault: { kind: "reset" } });
    expect(await opened().branchHead(branch)).toMatchObject({ kind: "unavailable", retryAfterSeconds: null });
    expect(github.log).toHaveLength(6);
  });

  it("deploy R-GITHUB-1: silence ends after the time for one call", async () => {
    history();
    github.fail({ path: /./, fault: { kind: "silence" } });
    const slow = createGithub(client(undefined, 60)).repository(repo, null);
    expect(await slow.branchHead(branch)).toMatchObject({ detail: "no answer within 0.06 s" });
    expect(github.calls).toHaveLength(3);
  });

  it.each([
    ["Retry-After", { status: 403, headers: { "retry-after": "30" } }],
    [
      "the reset",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Date.UTC(2026, 0, 1) / 1_000 + 30) },
      },
    ],
  ])("deploy R-GITHUB-1: a limit is kept to until %s", async (_name, answer) => {
    const { second } = history();
    const at = createGithub(client()).repository(repo, null);
    github.fail({ path: /./, times: 1, fault: { kind: "answer", answer } });
    expect(await at.branchHead(branch)).toMatchObject({ kind: "unavailable", retryAfterSeconds: 30 });
    now += 29_500;
    expect(await at.branchHead(branch)).toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
    expect(github.calls).toHaveLength(1);
    now += 1_000;
    expect(await at.branchHead(branch)).toEqual({ kind: "found", value: second.sha });
    const secondary = { status: 403, body: { message: "You have exceeded a secondary rate limit." } };
    github.fail({ path: /./, times: 1, fault: { kind: "answer", answer: secondary } });
    expect(await at.branchHead(branch)).toMatchObject({ kind: "unavailable", retryAfterSeconds: 60 });
  });

  it("deploy R-GITHUB-1: what GitHub confirms as unchanged is not sent again, what changed is", async () => {
    const { second } = history();
    const at = createGithub(client()).repository(repo, null);
    expect(await at.branchHead(branch)).toEqual({ kind: "found", value: second.sha });
    expect(await at.branchHead(branch)).toEqual({ kind: "found", value: second.sha });
    expect(github.calls[1]?.headers["if-none-match"]).toMatch(/^W\//);
    const third = repository.push(branch, repository.commit({ parents: [second] }));
    expect(await at.branchHead(branch)).toEqual({ kind: "found", value: third.sha });
  });

  it("deploy R-GITHUB-1: a redirect is not followed", async () => {
    history();
    const answer = { status: 301, headers: { location: "http://127.0.0.1:1/repositories/1" } };
    github.fail({ path: /./, fault: { kind: "answer", answer } });
    expect(await opened().branchHead(branch)).toEqual({ kind: "repository_hidden" });
  });

  it("deploy R-VCS-1: a repository whose name is a way out never becomes an address", () => {
    expect(() => opened(undefined, "..//x")).toThrow("is a bug");
    expect(() => opened(undefined, "../..")).toThrow("is a bug");
  });
});

describe("a GitHub App", () => {
  it("deploy R-GITHUB-1: makes one short token per repository, narrowed to it, and renews it in time", async () => {
    const { second } = history();
    github.repository("MyOrg/other").push("main", github.repository("MyOrg/other").commit());
    const { appId, privateKey, made } = await github.app();
    const vcs = createGithub(client({ kind: "app", appId, privateKey }));
    const [at, other] = [vcs.repository(repo, null), vcs.repository("MyOrg/other", null)];
    const both = await Promise.all([at.branchHead(branch), at.branchHead(branch)]);
    expect(both).toEqual([
      { kind: "found", value: second.sha },
      { kind: "found", value: second.sha },
    ]);
    expect((await other.branchHead("main")).kind).toBe("found");
    expect(made).toEqual({ myapp: 1, other: 1 });
    now += 54 * 60_000;
    expect((await at.branchHead(branch)).kind).toBe("found");
    expect(made).toEqual({ myapp: 1, other: 1 });
    now += 2 * 60_000;
    expect((await at.branchHead(branch)).kind).toBe("found");
    expect(made).toEqual({ myapp: 2, other: 1 });
  });

  it("deploy R-GITHUB-1: a token that was withdrawn is renewed once", async () => {
    history();
    const app = await github.app();
    const at = createGithub(client({ kind: "app", appId: app.appId, privateKey: app.privateKey })).repository(
      repo,
      null,
    );
    await at.branchHead(branch);
    app.revokeTokens();
    expect((await at.branchHead(branch)).kind).toBe("found");
    expect(app.made).toEqual({ myapp: 2 });
  });

  it("deploy R-GITHUB-1: a repository without the App is not visible", async () => {
    const { appId, privateKey } = await github.app();
    const at = opened({ kind: "app", appId, privateKey }, "MyOrg/elsewhere");
    expect(await at.branchHead("main")).toEqual({ kind: "repository_hidden" });
  });

  it("deploy R-GITHUB-1: no token within the budget is no answer", async () => {
    history();
    const { appId, privateKey } = await github.app();
    github.fail({ path: /installation$/, times: 1, fault: { kind: "silence" } });
    const vcs = createGithub(client({ kind: "app", appId, privateKey }, 500));
    expect(await vcs.repository(repo, 50).branchHead(branch)).toMatchObject({ kind: "unavailable" });
  });
});

describe("the files of a commit", () => {
  const files = {
    "convox.yml": "services: {}\n",
    "src/a.ts": "a",
    "src/lib/b.ts": "b",
    "bin/run": "#!",
    link: "src/a.ts",
  };
  const modes = { "bin/run": "100755", link: "120000" };

  it("deploy R-SOURCE-1: a tree is every file with its mode, object and size", async () => {
    const commit = repository.commit({ files, modes });
    const tree = await opened().tree(commit.tree);
    const entries = tree.kind === "found" ? tree.value.map(({ path, mode, size }) => [path, mode, size]) : tree;
    expect(entries).toEqual([
      ["bin/run", "100755", 2],
      ["convox.yml", "100644", 13],
      ["link", "120000", 8],
      ["src/a.ts", "100644", 1],
      ["src/lib/b.ts", "100644", 1],
    ]);
    expect(github.calls).toHaveLength(1);
  });

  it("deploy R-SOURCE-1: a tree that was cut off is read directory by directory, and is the same", async () => {
    const commit = repository.commit({ files, modes });
    const whole = await opened().tree(commit.tree);
    repository.treeEntriesMax = 2;
    const pieces = await opened().tree(commit.tree);
    const sorted = (answer: typeof whole) =>
      answer.kind === "found" ? answer.value.toSorted((one, other) => (one.path < other.path ? -1 : 1)) : answer;
    expect(sorted(pieces)).toEqual(sorted(whole));
  });

  it("deploy R-SOURCE-1: at most 500 calls are made for it", async () => {
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`d${String(at)}/f`, String(at)]));
    const commit = repository.commit({ files: many });
    repository.treeEntriesMax = 10;
    expect(await opened().tree(commit.tree)).toMatchObject({ kind: "unavailable" });
    expect(github.calls.length).toBeLessThanOrEqual(502);
  });

  it("deploy R-VCS-1: a file is read at a commit, byte for byte", async () => {
    const content = "#!/bin/sh\n".repeat(20);
    const commit = repository.commit({ files: { "dir name/f #1.sh": content } });
    const file = await opened().file(commit.sha, "dir name/f #1.sh");
    expect(file.kind === "found" ? Buffer.from(file.value).toString() : file).toBe(content);
    expect(await opened().file(commit.sha, "dir name/other")).toEqual({ kind: "absent" });
  });
});

describe("what reviewers see", () => {
  it("deploy R-GITHUB-5: the commits since the last deploy, at most 250", async () => {
    const base = repository.commit();
    let head = base;
    for (let made = 0; made < 260; made += 1) head = repository.commit({ parents: [head] });
    const range = await opened().changes(base.sha, head.sha);
    expect(range.kind === "found" ? [range.value.count, range.value.commits.length] : range).toEqual([260, 250]);
    expect(github.calls).toHaveLength(3);
    const none = await opened().changes(base.sha, base.sha);
    expect(none).toEqual({ kind: "found", value: { count: 0, commits: [] } });
  });

  it("deploy R-GITHUB-5: reviews, and the worst of statuses and check runs", async () => {
    const { second } = history();
    repository.pulls[0]?.reviews.push({ user: "grace", state: "APPROVED" });
    expect(await opened().reviews(1)).toEqual({ kind: "found", value: [{ author: "grace", state: "approved" }] });
    expect(await opened().reviews(9)).toEqual({ kind: "absent" });
    const check = async () => {
      const answer = await opened().checks(second.sha);
      return answer.kind === "found" ? answer.value : answer.kind;
    };
    expect(await check()).toBe("none");
    // What we say ourselves while an approval is waited for is no check.
    repository.statuses.push({ context: "countersign/production/myapp", state: "pending" });
    expect(await check()).toBe("none");
    repository.checkRuns.push({ status: "completed", conclusion: "success" });
    expect(await check()).toBe("success");
    repository.checkRuns.push({ status: "in_progress", conclusion: null });
    expect(await check()).toBe("pending");
    repository.checkRuns.push({ status: "completed", conclusion: "timed_out" });
    expect(await check()).toBe("failure");
    repository.checkRuns.splice(0);
    repository.statuses.push({ context: "ci/build", state: "pending" });
    expect(await check()).toBe("pending");
    github.fail({ path: /check-runs$/, fault: { kind: "answer", answer: { status: 403 } } });
    expect(await check()).toBe("repository_hidden");
    github.fail({ path: /status$/, fault: { kind: "answer", answer: { status: 403 } } });
    expect(await check()).toBe("repository_hidden");
  });
});

describe("the comment of a pull request", () => {
  const publicId = "0b7e7f0e-58b1-4c53-9c8e-0f6d2b1f7c11";
  const marker = prCommentMarker(publicId);

  function text(state: PrCommentState): string {
    const subject = { publicId, scope: "production", app: "myapp", commit: "a".repeat(40), branch, message: "Deploy" };
    return prComment({ ...subject, requester: "Ada", url: "https://countersign.example/deploy/1", state });
  }

  it("deploy R-GITHUB-3 case 74: is one, edited through its life, also when its id was lost", async () => {
    const at = opened();
    const made = await at.comment({ pull: 1, marker, text: text({ status: "pending" }), id: null });
    expect(made).toEqual({ result: "done", record: { comment_id: 100 } });
    const approved = text({ status: "approved", by: "Grace", until: "2026-01-01T00:15:00Z" });
    expect(await at.comment({ pull: 1, marker, text: approved, id: 100 })).toEqual(made);
    const deployed = text({ status: "deployed", build: "BABC", release: "RABC" });
    expect(await at.comment({ pull: 1, marker, text: deployed, id: null })).toEqual(made);
    expect(repository.comments.map(({ body }) => body)).toEqual([deployed]);
  });

  it("deploy R-GITHUB-3: an answer that was lost makes no second comment", async () => {
    github.fail({ path: /comments$/, method: "POST", times: 1, fault: { kind: "lost" } });
    const comment = { pull: 1, marker, text: text({ status: "pending" }), id: null };
    expect((await opened().comment(comment)).result).toBe("retry");
    expect(await opened().comment(comment)).toEqual({ result: "done", record: { comment_id: 100 } });
    expect(repository.comments).toHaveLength(1);
  });

  it("deploy R-GITHUB-3: somebody else's comment with our marker stays theirs, on whatever page", async () => {
    for (let at = 0; at < 150; at += 1) {
      repository.comments.push({ id: 1_000 + at, issue: 1, user: "mallory", appId: null, body: `${marker} approved!` });
    }
    const quoting = { id: 5, issue: 1, user: "countersign-bot", appId: null, body: `Look: ${marker}` };
    repository.comments.push(quoting);
    const made = await opened().comment({ pull: 1, marker, text: text({ status: "pending" }), id: null });
    expect(made).toEqual({ result: "done", record: { comment_id: 251 } });
    const again = await opened().comment({ pull: 1, marker, text: text({ status: "expired" }), id: null });
    expect(again).toEqual(made);
    expect(repository.comments[150]?.body).toBe(quoting.body);
    expect(repository.comments.filter(({ user }) => user === "countersign-bot")).toHaveLength(2);
  });

  it("deploy R-GITHUB-3: an App knows its own by the App", async () => {
    const { appId, privateKey } = await github.app();
    const at = opened({ kind: "app", appId, privateKey });
    const made = await at.comment({ pull: 1, marker, text: text({ status: "pending" }), id: null });
    expect(await at.comment({ pull: 1, marker, text: text({ status: "expired" }), id: null })).toEqual(made);
    expect(repository.comments).toHaveLength(1);
  });

  it("deploy R-GITHUB-3: a comment that somebody deleted is written anew", async () => {
    const made = await opened().comment({ pull: 1, marker, text: text({ status: "pending" }), id: 99 });
    expect(made).toEqual({ result: "done", record: { comment_id: 100 } });
  });

  it.each([
    ["500", { status: 500 }, { result: "retry", afterSeconds: null }],
    ["a limit", { status: 429, headers: { "retry-after": "9" } }, { result: "retry", afterSeconds: 9 }],
    [
      "403",
      { status: 403, body: { message: "Resource not accessible" } },
      { result: "permanent", code: "vcs_forbidden" },
    ],
    ["404", { status: 404 }, { result: "permanent", code: "vcs_not_found" }],
    ["422", { status: 422, body: { message: "Validation Failed" } }, { result: "permanent", code: "vcs_refused" }],
    ["an odd 201", { status: 201, body: {} }, { result: "retry", afterSeconds: null }],
  ])("deploy R-GITHUB-3: writing it answers %s as a value", async (_name, answer, expected) => {
    github.fail({ path: /comments$/, method: "POST", fault: { kind: "answer", answer } });
    const comment = { pull: 1, marker, text: text({ status: "pending" }), id: null };
    expect(await opened().comment(comment)).toMatchObject(expected);
  });

  it("deploy R-GITHUB-3: when its like cannot be looked for, none is written", async () => {
    github.fail({ path: /comments$/, method: "GET", times: 3, fault: { kind: "answer", answer: { status: 500 } } });
    const comment = { pull: 1, marker, text: text({ status: "pending" }), id: null };
    expect((await opened().comment(comment)).result).toBe("retry");
    github.fail({ path: /comments$/, method: "GET", times: 1, fault: { kind: "answer", answer: { status: 403 } } });
    expect((await opened().comment(comment)).result).toBe("permanent");
    expect(repository.comments).toEqual([]);
  });

  it("deploy R-GITHUB-4: a status stands at the commit, in a context of its own", async () => {
    const sha = "a".repeat(40);
    const status = {
      sha,
      state: "pending",
      context: "countersign/production/myapp",
      url: "https://countersign.example/1",
    } as const;
    expect(await opened().status({ ...status, description: "d".repeat(200) })).toEqual({ result: "done", record: {} });
    expect(repository.statuses).toEqual([
      { sha, state: "pending", context: status.context, target_url: status.url, description: "d".repeat(140) },
    ]);
    github.fail({ path: /statuses/, fault: { kind: "answer", answer: { status: 404 } } });
    expect((await opened().status({ ...status, description: "" })).result).toBe("permanent");
  });
});
