import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { boundCommit, jobOf, keptClaims, shownWorkload, withOwnRun, workloadCommit } from "./workload-identity.ts";
import type { WorkloadIdentity } from "./workload-identity.ts";

const SHA = "4f0c1a2b3d4e5f60718293a4b5c6d7e8f9012345";
const CIRCLECI = "oidc.circleci.com/";

function identity(preset: WorkloadIdentity["preset"], claims: JsonObject, bindCommit = true): WorkloadIdentity {
  return { tokenId: "t", name: "pipeline", preset, bindCommit, claims: keptClaims(preset, claims) };
}

describe("what a platform signed about a job", () => {
  it.each([
    ["github", { sha: SHA, event_name: "push" }, SHA],
    ["github", { sha: SHA.toUpperCase(), event_name: "workflow_dispatch" }, SHA],
    ["github", { sha: SHA, event_name: "pull_request" }, null],
    ["github", { sha: SHA, event_name: "pull_request_target" }, null],
    ["github", { sha: SHA }, null],
    ["github", { sha: SHA.slice(0, 12), event_name: "push" }, null],
    ["gitlab", { sha: SHA }, SHA],
    ["circleci", { [`${CIRCLECI}vcs-sha`]: SHA }, SHA],
    ["circleci", { sha: SHA }, null],
    ["custom", { sha: SHA }, SHA],
    ["custom", { sha: SHA, event_name: "pull_request" }, null],
    ["custom", { build_commit: SHA }, SHA],
    ["kubernetes", { sha: SHA }, null],
  ] as const)("deploy R-OIDC-4: of %s with %j vouches for the commit %s", (preset, claims, commit) => {
    expect(workloadCommit(identity(preset, claims))).toBe(commit);
    expect(boundCommit(identity(preset, claims))).toEqual({ commit });
    expect(boundCommit(identity(preset, claims, false))).toBeNull();
  });

  it("deploy R-OIDC-3: names the job by its token's id, or by the job's where tokens have none", () => {
    expect(jobOf({ jti: "a", [`${CIRCLECI}job-id`]: "j" })).toBe("jti:a");
    expect(jobOf({ [`${CIRCLECI}job-id`]: "j" })).toBe("job:j");
    expect(jobOf({ jti: 5 })).toBeNull();
  });

  it("deploy R-OIDC-4: names the run, where the job did not say which it is", () => {
    const circleci = identity("circleci", { [`${CIRCLECI}workflow-id`]: "w1" });
    expect(withOwnRun(null, circleci)).toEqual({ workflow_id: "w1" });
    expect(withOwnRun({ pipeline_number: 4 }, circleci)).toEqual({ pipeline_number: 4, workflow_id: "w1" });
    expect(withOwnRun({ workflow_id: "own" }, circleci)).toEqual({ workflow_id: "own" });
    expect(withOwnRun(null, identity("github", { run_id: "7" }))).toEqual({ run_id: "7" });
    expect([withOwnRun(null, identity("custom", {})), withOwnRun(null, null)]).toEqual([null, null]);
  });

  it("deploy R-OIDC-4: is shown to approvers in a sentence, with the claims that were kept and no others", () => {
    const github = identity("github", {
      ...{ repository: "MyOrg/myapp", run_id: "123", actor: "octocat", secret: "x", repository_id: 1 },
      workflow_ref: "MyOrg/myapp/.github/workflows/deploy.yml@refs/heads/main",
    });
    expect(shownWorkload(github)).toMatchObject({
      name: "pipeline",
      summary: "GitHub Actions run 123 of MyOrg/myapp, workflow deploy.yml, by octocat",
    });
    expect(github.claims).not.toHaveProperty("secret");
    expect(github.claims["repository_id"]).toBe("1");
    const circleci = identity("circleci", { [`${CIRCLECI}workflow-id`]: "w1", [`${CIRCLECI}vcs-origin`]: "g/a" });
    expect(shownWorkload(circleci)["summary"]).toBe("CircleCI workflow w1 of g/a");
    const gitlab = identity("gitlab", { pipeline_id: "9", project_path: "g/a", user_login: "ann" });
    expect(shownWorkload(gitlab)["summary"]).toBe("GitLab pipeline 9 of g/a, by ann");
    expect(shownWorkload(identity("custom", { sub: "a:b" }))["summary"]).toBe("pipeline workload a:b");
    expect(keptClaims("github", { actor: "x".repeat(513), ref: ["a", "b"] })).toEqual({ ref: ["a", "b"] });
  });
});
