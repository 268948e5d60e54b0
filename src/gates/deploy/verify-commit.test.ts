import { describe, expect, it } from "vitest";
import type { CommitFacts, PullRequest, VcsAnswer } from "./vcs-facts.ts";
import {
  expandCommit,
  verifyCommit,
  verifyStillCurrent,
  type CommitAnswers,
  type CommitNeed,
  type CommitQuestion,
} from "./verify-commit.ts";

const commit = "a".repeat(40);
const other = "b".repeat(40);
const who = { name: "Ada", email: "ada@example.com", login: "ada" };
const facts: CommitFacts = { sha: commit, message: "m", tree: other, author: who, committer: who, committedAt: null };
const pull: PullRequest = {
  ...{ number: 7, title: "t", open: true, draft: false, author: "ada" },
  ...{ headSha: commit, headBranch: "feature" },
};

const question: CommitQuestion = {
  ...{ repo: "MyOrg/myapp", commit, branch: "feature", defaultBranch: "main" },
  ...{ allowDefaultBranch: false, requirePullRequest: true, mode: "latest" },
};

const onBranch: Required<CommitAnswers> = {
  head: found(commit),
  comparison: found({ status: "behind", aheadBy: 0, mergeBase: commit }),
  pulls: found([pull]),
  commit: found(facts),
};

const unavailable = { kind: "unavailable", detail: "no answer within 10 s", retryAfterSeconds: null } as const;
const hidden = { kind: "repository_hidden" } as const;
const absent = { kind: "absent" } as const;

function found<Value>(value: Value): VcsAnswer<Value> {
  return { kind: "found", value };
}

function textOf(asked: Partial<CommitQuestion>, answers: Partial<CommitAnswers> = {}): string {
  const verdict = verifyCommit({ ...question, ...asked }, { ...onBranch, ...answers });
  if (verdict.verdict !== "refused") return verdict.verdict;
  const { code, status, message, hint } = verdict.refusal;
  expect(hint.join("")).not.toBe("");
  return `${String(status)} ${code}: ${message}`;
}

describe("at creation", () => {
  it("deploy R-GITHUB-2: facts are asked for in the order of the steps, and none is asked for in vain", () => {
    const asked: CommitNeed[] = [];
    const branch: CommitQuestion = { ...question, mode: "branch" };
    let answers: CommitAnswers = {};
    for (;;) {
      const verdict = verifyCommit(branch, answers);
      if (verdict.verdict !== "ask") break;
      asked.push(verdict.need);
      const { need } = verdict;
      answers = { ...answers, [need]: need === "head" ? found(other) : onBranch[need] };
    }
    expect(asked).toEqual(["head", "comparison", "pulls", "commit"]);
    expect(verifyCommit(branch, answers)).toEqual({ verdict: "verified", verified: { head: other, facts, pull } });
    expect(textOf({ branch: null }, {})).toBe(
      "400 commit_not_verified: git_branch is required for GitHub verification",
    );
    expect(textOf({ branch: "" }, {})).toBe("400 commit_not_verified: git_branch is required for GitHub verification");
  });

  it("deploy R-GITHUB-2: the default branch is for deploying only where the app says so", () => {
    const text = "400 commit_not_verified: deploying from default branch 'main' is not allowed";
    expect(textOf({ branch: "main" })).toBe(text);
    expect(textOf({ branch: "main", allowDefaultBranch: true })).toBe("verified");
  });

  it("deploy R-GITHUB-2: no pull request is needed on the default branch, or where the app needs none", () => {
    const none = { pulls: found([]) };
    const text = "400 commit_not_verified: GitHub verification failed: no open pull request found for branch feature";
    expect(textOf({}, none)).toBe(text);
    expect(textOf({}, { pulls: found([{ ...pull, open: false }]) })).toBe(text);
    expect(textOf({}, { pulls: found([{ ...pull, headSha: other, headBranch: "features" }]) })).toBe(text);
    expect(textOf({ requirePullRequest: false }, none)).toBe("verified");
    expect(textOf({ branch: "main", allowDefaultBranch: true }, none)).toBe("verified");
  });

  it("deploy R-GITHUB-2: the pull request of the commit goes before that of the branch", () => {
    const ofBranch = { ...pull, number: 8, headSha: other };
    const verdict = verifyCommit(question, { ...onBranch, pulls: found([ofBranch, { ...pull, headBranch: "x" }]) });
    expect(verdict).toMatchObject({ verified: { pull: { number: 7 } } });
    const alone = verifyCommit(question, { ...onBranch, pulls: found([ofBranch]) });
    expect(alone).toMatchObject({ verified: { pull: { number: 8 } } });
  });

  it("deploy R-GITHUB-2: in mode latest nothing but the head will do, to the last digit", () => {
    const near = `${commit.slice(0, 39)}b`;
    expect(textOf({}, { head: found(near) })).toBe(
      `400 commit_not_verified: GitHub verification failed: commit ${commit} is not the latest commit on branch feature (latest: ${near})`,
    );
  });

  it.each([
    ["behind", 0, commit, true],
    ["identical", 0, commit, true],
    ["ahead", 1, commit, false],
    ["ahead", 0, commit, false],
    ["diverged", 1, other, false],
    ["diverged", 0, commit, false],
    ["behind", 1, commit, false],
    ["behind", 0, other, false],
    ["anything new", 0, commit, false],
  ])(
    "deploy R-GITHUB-2: compared as %s, %i ahead, merge base %s: on the branch %s",
    (status, aheadBy, mergeBase, expected) => {
      const comparison = found({ status, aheadBy, mergeBase });
      const text = `400 commit_not_verified: GitHub verification failed: commit ${commit} not found or not on branch feature`;
      expect(textOf({ mode: "branch" }, { head: found(other), comparison })).toBe(expected ? "verified" : text);
    },
  );

  it.each(["head", "comparison", "pulls", "commit"] as const)(
    "deploy R-GITHUB-2: no answer to %s is never a yes",
    (need) => {
      const asked = { mode: "branch" } as const;
      const answers = { head: found(other) };
      const failed = "400 commit_not_verified: GitHub verification failed:";
      const missing =
        need === "head" ? "branch feature not found" : `commit ${commit} not found or not on branch feature`;
      expect(textOf(asked, { ...answers, [need]: absent })).toBe(`${failed} ${missing}`);
      expect(textOf(asked, { ...answers, [need]: hidden })).toBe(
        `${failed} repository MyOrg/myapp not found or not visible to the token`,
      );
      expect(textOf(asked, { ...answers, [need]: unavailable })).toBe(
        "502 vcs_unavailable: GitHub verification failed: GitHub could not be reached",
      );
    },
  );
});

describe("at approval", () => {
  const stale = {
    refusal: { code: "approval_stale", status: 409, message: "commit is no longer the latest on branch feature" },
  };

  it("deploy R-VCS-3: what has not changed is current", () => {
    expect(verifyStillCurrent(question, {})).toEqual({ verdict: "ask", need: "head" });
    expect(verifyStillCurrent(question, { head: found(commit) })).toEqual({ verdict: "ask", need: "pulls" });
    expect(verifyStillCurrent(question, onBranch)).toEqual({ verdict: "current" });
    expect(verifyStillCurrent({ ...question, requirePullRequest: false, mode: "branch" }, {})).toEqual({
      verdict: "current",
    });
  });

  it("deploy R-VCS-3: a branch that moved or went is stale in mode latest, and says where it is", () => {
    const moved = verifyStillCurrent(question, { head: found(other) });
    expect(moved).toMatchObject(stale);
    expect(JSON.stringify(moved)).toContain(other);
    expect(verifyStillCurrent(question, { head: absent })).toMatchObject(stale);
    expect(verifyStillCurrent({ ...question, mode: "branch" }, { head: found(other), pulls: onBranch.pulls })).toEqual({
      ...{ verdict: "current" },
    });
  });

  it("deploy R-VCS-3: a pull request that was needed and is closed is stale in both modes", () => {
    const closed = found([{ ...pull, open: false }]);
    for (const mode of ["latest", "branch"] as const) {
      expect(verifyStillCurrent({ ...question, mode }, { head: found(commit), pulls: closed })).toMatchObject(stale);
      expect(verifyStillCurrent({ ...question, mode }, { head: found(commit), pulls: absent })).toMatchObject(stale);
    }
  });

  it("deploy R-VCS-3: nobody to ask is 502, and no approval", () => {
    const away = { refusal: { code: "vcs_unavailable", status: 502 } };
    expect(verifyStillCurrent(question, { head: unavailable })).toMatchObject(away);
    expect(verifyStillCurrent(question, { head: found(commit), pulls: unavailable })).toMatchObject(away);
    expect(verifyStillCurrent(question, { head: hidden })).toMatchObject({ refusal: { status: 400 } });
    expect(verifyStillCurrent({ ...question, branch: null }, onBranch)).toMatchObject({ refusal: { status: 400 } });
  });
});

describe("an abbreviated commit", () => {
  const incomplete = { code: "commit_incomplete", status: 400 };

  it("deploy R-REQ-3: only a full id that starts with it counts", () => {
    expect(expandCommit("aaaaaaa", found(facts))).toBe(commit);
    expect(expandCommit("bbbbbbb", found(facts))).toMatchObject(incomplete);
    expect(expandCommit("aaaaaaa", found({ ...facts, sha: "aaaaaaaa" }))).toMatchObject(incomplete);
    expect(expandCommit("aaaaaaa", absent)).toMatchObject(incomplete);
    expect(expandCommit("aaaaaaa", hidden)).toMatchObject(incomplete);
    expect(expandCommit("aaaaaaa", unavailable)).toMatchObject({ code: "vcs_unavailable" });
  });
});
