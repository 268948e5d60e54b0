/** Our GitLab adapter against a simulator with the wire of API v4: docs/spec/deploy.md R-CI-7. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGitlab } from "../../src/adapters/gitlab/gitlab.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import type { CiSettings } from "../../src/gates/deploy/ci-outcome.ts";
import type { CiProvider, CiRequest } from "../../src/ports/ci-provider.ts";
import { openGitlabSimulator, type GitlabSimulator } from "../support/gitlab-simulator/gitlab-simulator.ts";

const commit = "a".repeat(40);
const settings: CiSettings = {
  ...{ provider: "gitlab", vcsProvider: "gitlab", vcsRepo: "MyOrg/myapp", approvalJobName: "", autoApprove: false },
  ...{ cancelOnRejection: true, githubEnvironment: null, webhookUrl: null },
};

let gitlab: GitlabSimulator;

beforeEach(async () => {
  gitlab = await openGitlabSimulator();
});

afterEach(async () => {
  await gitlab.close();
});

function adapter(token = gitlab.token): CiProvider {
  return createGitlab({ url: gitlab.url, token, timeoutMs: 2_000 }, createProviderExchange(fetch));
}

function request(members: Readonly<Record<string, string | number>>, changed: Partial<CiSettings> = {}): CiRequest {
  return {
    ...{ scope: "production", app: "myapp", commit, settings: { ...settings, ...changed }, object: {} },
    ...{ metadata: { project_id: gitlab.projectId, ...members }, comment: "approved by Grace", effectId: "eff_1" },
  };
}

const posts = () => gitlab.log.filter((line) => line.startsWith("POST"));

describe("a manual job", () => {
  it("deploy R-CI-7: is played once, and only when it waits", async () => {
    const job = gitlab.addJob(commit);
    const asked = request({ job_id: job.id, pipeline_id: 50 });
    expect(await adapter().verify(asked)).toEqual({ kind: "matches", status: "manual" });
    expect(await adapter().unblock(asked)).toEqual({ result: "done", record: { job_id: String(job.id) } });
    expect(await adapter().unblock(asked)).toEqual({ result: "done", record: { already: true } });
    expect(job.status).toBe("pending");
    expect(posts()).toEqual([`POST /projects/7/jobs/${String(job.id)}/play`]);
  });

  it.each([
    ["created", { result: "retry" }],
    ["scheduled", { result: "retry" }],
    ["success", { result: "done" }],
    ["canceled", { result: "permanent", code: "ci_job_ended" }],
    ["skipped", { result: "permanent", code: "ci_job_ended" }],
  ])("deploy R-CI-7: one that is %s is not played", async (status, expected) => {
    const job = gitlab.addJob(commit, status);
    expect(await adapter().unblock(request({ job_id: job.id }))).toMatchObject(expected);
    expect(posts()).toEqual([]);
  });

  it("deploy R-CI-7: one that changed in between is looked at again later", async () => {
    const job = gitlab.addJob(commit);
    const run = () => {
      job.status = "created";
    };
    gitlab.fail({ path: /play$/, times: 1, fault: { kind: "before", run } });
    expect((await adapter().unblock(request({ job_id: job.id }))).result).toBe("retry");
  });

  it("deploy R-CI-7: is cancelled by setting, and not for a request that ran out of time", async () => {
    const job = gitlab.addJob(commit);
    const asked = request({ job_id: job.id });
    expect((await adapter().close(request({ job_id: job.id }, { cancelOnRejection: false }), "rejected")).result).toBe(
      "done",
    );
    expect((await adapter().close(asked, "expired")).result).toBe("done");
    expect(job.status).toBe("manual");
    expect(await adapter().close(asked, "rejected")).toEqual({ result: "done", record: { job_id: String(job.id) } });
    expect(job.status).toBe("canceled");
    expect(
      (await adapter(gitlab.readOnlyToken).close(request({ job_id: gitlab.addJob(commit).id }), "rejected")).result,
    ).toBe("permanent");
  });
});

describe("a deployment to a protected environment", () => {
  it("deploy R-CI-7: is approved with who approved it", async () => {
    const deployment = gitlab.addDeployment(commit);
    const asked = request({ deployment_id: deployment.id, pipeline_id: "50" });
    expect((await adapter().unblock(asked)).result).toBe("done");
    expect((await adapter().unblock(asked)).result).toBe("done");
    expect(deployment.approvals).toEqual([{ status: "approved", comment: "approved by Grace" }]);
  });

  it("deploy R-CI-7: is rejected at every end without an approval", async () => {
    const deployment = gitlab.addDeployment(commit);
    expect(
      (await adapter().close(request({ deployment_id: deployment.id }, { cancelOnRejection: false }), "expired"))
        .result,
    ).toBe("done");
    expect(deployment.approvals).toEqual([{ status: "rejected", comment: "approved by Grace" }]);
    expect(await adapter().unblock(request({ deployment_id: deployment.id }))).toMatchObject({ code: "ci_job_ended" });
    expect((await adapter().close(request({ deployment_id: deployment.id }), "expired")).result).toBe("done");
  });

  it("deploy R-CI-7: an approval that GitLab refuses is permanent", async () => {
    const deployment = gitlab.addDeployment(commit);
    gitlab.fail({
      path: /approval$/,
      fault: { kind: "answer", answer: { status: 400, body: { message: "You do not have permission" } } },
    });
    const sentence = "the service answered 400: You do not have permission";
    const result = await adapter().unblock(request({ deployment_id: deployment.id }));
    expect(result).toEqual({ result: "permanent", code: "ci_refused", sentence });
  });
});

describe("a run that is not the app's", () => {
  it.each<[string, (simulator: GitlabSimulator) => CiRequest, string]>([
    ["another commit", (at) => request({ job_id: at.addJob("b".repeat(40)).id }), "ci_workflow_mismatch"],
    [
      "another commit deployed",
      (at) => request({ deployment_id: at.addDeployment("b".repeat(40)).id }),
      "ci_workflow_mismatch",
    ],
    ["another pipeline", (at) => request({ job_id: at.addJob(commit).id, pipeline_id: 51 }), "ci_workflow_mismatch"],
    [
      "another project",
      (at) => request({ job_id: at.addJob(commit).id }, { vcsRepo: "MyOrg/other" }),
      "ci_workflow_mismatch",
    ],
    ["an unknown job", () => request({ job_id: 999 }), "ci_workflow_not_found"],
    ["no job", () => request({}), "ci_not_configured"],
    ["a path for an id", () => request({ job_id: "1/play" }), "ci_not_configured"],
  ])("deploy R-CI-7 case 58: %s is never set going", async (_name, asked, code) => {
    const made = asked(gitlab);
    expect(await adapter().unblock(made)).toMatchObject({ result: "permanent", code });
    expect(await adapter().close(made, "rejected")).toMatchObject({ result: "permanent", code });
    expect(await adapter().verify(made)).toMatchObject({ kind: "problems" });
    expect(posts()).toEqual([]);
  });

  it("deploy R-CI-7: code that is elsewhere is told by its commit alone", async () => {
    const job = gitlab.addJob(commit);
    expect((await adapter().unblock(request({ job_id: job.id }, { vcsProvider: "github" }))).result).toBe("done");
    expect(gitlab.log).not.toContain("GET /projects/7");
  });
});

describe("errors", () => {
  it("deploy R-CI-4: a token that may not is permanent, a fault is retried", async () => {
    const job = gitlab.addJob(commit);
    const asked = request({ job_id: job.id });
    expect(await adapter(gitlab.readOnlyToken).unblock(asked)).toMatchObject({
      result: "permanent",
      code: "ci_forbidden",
    });
    for (const path of [/jobs\/\d+$/, /projects\/7$/, /play$/]) {
      gitlab.fail({ path, times: 1, fault: { kind: "answer", answer: { status: 503 } } });
      expect([path, (await adapter().unblock(asked)).result]).toEqual([path, "retry"]);
    }
    const deployment = gitlab.addDeployment(commit);
    gitlab.fail({ path: /deployments/, times: 1, fault: { kind: "reset" } });
    expect((await adapter().unblock(request({ deployment_id: deployment.id }))).result).toBe("retry");
  });

  it("deploy R-CI-1: a description calls nobody", () => {
    const { metadata } = request({ job_id: 1, build_url: "https://gitlab.com/MyOrg/myapp/-/jobs/1" });
    expect(adapter().describe(metadata, settings)).toEqual({
      ...{ ready: true, problems: [], url: "https://gitlab.com/MyOrg/myapp/-/jobs/1" },
    });
    expect(gitlab.log).toEqual([]);
  });
});
