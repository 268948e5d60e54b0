import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { ciLink } from "./ci-links.ts";
import { ciTarget, metadataText } from "./ci-metadata.ts";
import { ciProviders, type CiSettings } from "./ci-outcome.ts";
import { callObstacle, ciProblems, obstacleFault, originProblems } from "./ci-problems.ts";

const settings: CiSettings = {
  ...{
    provider: "circleci",
    vcsProvider: "github",
    vcsRepo: "MyOrg/myapp",
    approvalJobName: "approve",
    autoApprove: true,
  },
  ...{ cancelOnRejection: false, githubEnvironment: null, webhookUrl: null },
};
const workflow = { workflow_id: "7f3e", pipeline_number: 42 };

function codes(
  metadata: JsonObject | null,
  { hasCredential = true, ...changed }: Partial<CiSettings> & { hasCredential?: boolean },
): string[] {
  return ciProblems({ metadata, settings: { ...settings, ...changed }, hasCredential }).map(({ code }) => code);
}

describe("problems at creation", () => {
  it.each<[string, JsonObject | null, Partial<CiSettings> & { hasCredential?: boolean }, string[]]>([
    ["everything in place", workflow, {}, []],
    ["no metadata", null, {}, ["ci_metadata_missing"]],
    ["empty metadata", {}, {}, ["ci_metadata_missing"]],
    ["no workflow", { other: 1 }, {}, ["workflow_id_missing"]],
    ["a blank workflow", { workflow_id: " " }, {}, ["workflow_id_missing"]],
    ["a workflow of another type", { workflow_id: { a: 1 } }, {}, ["workflow_id_missing"]],
    ["a workflow that is a fraction", { workflow_id: 1.5 }, {}, ["workflow_id_missing"]],
    ["a workflow that leads away", { workflow_id: "../me" }, {}, ["workflow_id_invalid"]],
    ["a workflow too long", { workflow_id: "x".repeat(129) }, {}, ["workflow_id_invalid"]],
    ["single quotes in the shell", { workflow_id: "$CIRCLE_WORKFLOW_ID" }, {}, ["metadata_unexpanded"]],
    ["single quotes in the config", { workflow_id: "<< pipeline.id >>" }, {}, ["metadata_unexpanded"]],
    ["single quotes elsewhere", { ...workflow, x: ["a", { y: " $Z" }], n: 1 }, {}, ["metadata_unexpanded"]],
    ["no job name", workflow, { approvalJobName: "" }, ["job_name_missing"]],
    ["no token", workflow, { hasCredential: false }, ["token_missing"]],
    ["no automatic approval", workflow, { autoApprove: false }, ["auto_approve_off"]],
    [
      "nothing at all",
      null,
      { approvalJobName: "", autoApprove: false, hasCredential: false },
      ["ci_metadata_missing", "job_name_missing", "token_missing", "auto_approve_off"],
    ],
    ["another provider", workflow, { provider: "jenkins" }, ["provider_unsupported"]],
    ["a webhook to nowhere", null, { provider: "webhook" }, ["provider_unsupported"]],
    ["a webhook", null, { provider: "webhook", webhookUrl: "https://ci.example" }, []],
    ["a GitLab job", { project_id: 7, job_id: "8" }, { provider: "gitlab" }, []],
    [
      "a GitLab job of an odd pipeline",
      { project_id: 7, job_id: 8, pipeline_id: "x" },
      { provider: "gitlab" },
      ["workflow_id_invalid"],
    ],
    ["half a GitLab job", { project_id: 7 }, { provider: "gitlab" }, ["workflow_id_missing"]],
    ["a run of Actions", { run_id: 7, environment: "my env" }, { provider: "github_actions" }, []],
    [
      "an environment with a line break",
      { run_id: 7, environment: "a\nb" },
      { provider: "github_actions" },
      ["workflow_id_invalid"],
    ],
    [
      "a Buildkite step",
      { organization: "o", pipeline: "p", build_number: 1, step_key: "s" },
      { provider: "buildkite" },
      [],
    ],
    [
      "a Buildkite step that leads away",
      { organization: "..", pipeline: "p", build_number: 1, step_key: "s" },
      { provider: "buildkite" },
      ["workflow_id_invalid"],
    ],
  ])("deploy R-CI-2: %s", (_name, metadata, changed, expected) => {
    expect(codes(metadata, changed)).toEqual(expected);
  });

  it("deploy R-CI-2: the shell that did not expand is told what to do", () => {
    const [problem] = ciProblems({ metadata: { workflow_id: "$X" }, settings, hasCredential: true });
    expect(problem?.message).toBe("ci_metadata.workflow_id: the shell did not expand this: use double quotes");
  });

  it("deploy R-CI-8: an inherited member is no member", () => {
    expect(metadataText({}, "constructor")).toBeNull();
    expect(metadataText({ n: Number.MAX_SAFE_INTEGER + 1 }, "n")).toBeNull();
    expect(ciProviders.map((provider) => ciTarget(provider, null))).toHaveLength(5);
  });

  it("deploy R-CI-7: a deployment goes before a job, and a pipeline is kept", () => {
    const metadata = { project_id: 7, job_id: 8, deployment_id: 9, pipeline_id: 10 };
    expect(ciTarget("gitlab", metadata)).toEqual({
      ...{ provider: "gitlab", projectId: "7", waiting: { kind: "deployment", id: "9" }, pipelineId: "10" },
    });
  });
});

describe("what the provider says", () => {
  it("deploy R-CI-4: only a run of this repository and commit has no problem", () => {
    const of = (isRepo: boolean, commit: string | null) =>
      originProblems({ isRepo, commit }, { ...settings, vcsRepo: null }, "a").map(({ code }) => code);
    expect(of(true, "a")).toEqual([]);
    expect(of(false, "a")).toEqual(["repo_mismatch"]);
    expect(of(true, "b")).toEqual(["commit_mismatch"]);
    expect(of(false, null)).toEqual(["repo_mismatch", "commit_mismatch"]);
    expect(originProblems({ isRepo: false, commit: "a" }, settings, "a")[0]?.message).toContain("MyOrg/myapp");
  });

  it.each([
    ["repo_mismatch", "ci_workflow_mismatch"],
    ["commit_mismatch", "ci_workflow_mismatch"],
    ["workflow_not_found", "ci_workflow_not_found"],
    ["token_missing", "ci_forbidden"],
    ["workflow_id_missing", "ci_not_configured"],
  ] as const)("deploy R-CI-4: %s is permanent as %s", (code, expected) => {
    const problems = [
      { code, message: "one" },
      { code: "job_name_missing", message: "two" },
    ] as const;
    expect(obstacleFault({ kind: "problems", problems })).toEqual({
      result: "permanent",
      code: expected,
      sentence: "one; two",
    });
  });

  it("deploy R-CI-4: a provider that did not answer is asked again", () => {
    const words = { forbidden: "f", missing: "m" };
    const unknown = callObstacle({ status: 503, retryAfterSeconds: 3, message: "" }, words);
    expect(unknown).toMatchObject({ kind: "unknown", retryAfterSeconds: 3 });
    expect(obstacleFault(unknown)).toMatchObject({ result: "retry", afterSeconds: 3 });
    const missing = callObstacle({ status: 404, retryAfterSeconds: null, message: "" }, words);
    expect(missing).toEqual({ kind: "problems", problems: [{ code: "workflow_not_found", message: "m" }] });
    const forbidden = callObstacle({ status: 403, retryAfterSeconds: null, message: "" }, words);
    expect(forbidden).toEqual({ kind: "problems", problems: [{ code: "token_missing", message: "403 Forbidden: f" }] });
  });
});

describe("the link", () => {
  it.each<[JsonObject | null, Partial<CiSettings>, string | null]>([
    [{ pipeline_number: 42 }, {}, "https://app.circleci.com/pipelines/gh/MyOrg/myapp/42"],
    [{ pipeline_number: "42" }, {}, "https://app.circleci.com/pipelines/gh/MyOrg/myapp/42"],
    [{ pipeline_number: "42" }, { vcsProvider: "bitbucket" }, "https://app.circleci.com/pipelines/bb/MyOrg/myapp/42"],
    [{ pipeline_number: "42" }, { vcsProvider: "gitlab" }, null],
    [{ pipeline_number: "42/../x" }, {}, null],
    [{ pipeline_number: 42 }, { vcsRepo: null }, null],
    [{ pipeline_number: 42 }, { vcsRepo: "../x" }, null],
    [{ build_url: "https://ci.example/1" }, {}, null],
    [null, {}, null],
    [
      { build_url: "https://ci.example:8080/job/a%20b/1/?x=[y]" },
      { provider: "webhook" },
      "https://ci.example:8080/job/a%20b/1/?x=[y]",
    ],
    [{ build_url: "https://ci.example" }, { provider: "gitlab" }, "https://ci.example"],
    [{ build_url: "http://ci.example/1" }, { provider: "webhook" }, null],
    [{ build_url: "javascript:alert(1)" }, { provider: "webhook" }, null],
    [{ build_url: "https://user@ci.example/" }, { provider: "webhook" }, null],
    [{ build_url: "https://ci.example/<b>" }, { provider: "webhook" }, null],
    [{ build_url: `https://ci.example/${"x".repeat(2_048)}` }, { provider: "webhook" }, null],
    [
      { organization: "o", pipeline: "p", build_number: 1, step_key: "s" },
      { provider: "buildkite" },
      "https://buildkite.com/o/p/builds/1",
    ],
    [{ organization: "o" }, { provider: "buildkite" }, null],
    [{ project_id: 1, job_id: 1 }, { provider: "gitlab" }, null],
    [null, { provider: "jenkins" }, null],
  ])("deploy R-CI-3: %j with %j: %s", (metadata, changed, expected) => {
    expect(ciLink(metadata, { ...settings, ...changed })).toBe(expected);
  });
});
