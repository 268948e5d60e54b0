/** Our CircleCI adapter against a simulator with the wire of API v2: docs/spec/deploy.md R-CI-4 to R-CI-6. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CircleciClient } from "../../src/adapters/circleci/circleci-client.ts";
import { createCircleci, type Circleci } from "../../src/adapters/circleci/circleci.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import type { CiSettings } from "../../src/gates/deploy/ci-outcome.ts";
import type { CiRequest } from "../../src/ports/ci-provider.ts";
import { openCircleciSimulator, type CircleciSimulator } from "../support/circleci-simulator/circleci-simulator.ts";

const repo = "MyOrg/myapp";
const commit = "a".repeat(40);
const job = "approve_deploy";

const settings: CiSettings = {
  provider: "circleci",
  vcsProvider: "github",
  vcsRepo: repo,
  approvalJobName: job,
  autoApprove: true,
  cancelOnRejection: true,
  githubEnvironment: null,
  webhookUrl: null,
};

let circleci: CircleciSimulator;

beforeEach(async () => {
  circleci = await openCircleciSimulator();
});

afterEach(async () => {
  await circleci.close();
});

function adapter(token = circleci.token, timeoutMs = 10_000): Circleci {
  const exchange = createProviderExchange(fetch);
  return createCircleci({
    client: new CircleciClient({ apiUrl: circleci.url, token, timeoutMs }, exchange),
    githubUrl: null,
  });
}

function request(workflowId: string, changed: Partial<CiSettings> = {}, revision = commit): CiRequest {
  return {
    ...{ scope: "production", app: "myapp", commit: revision, settings: { ...settings, ...changed } },
    ...{ metadata: { workflow_id: workflowId, pipeline_number: 42 }, comment: "", effectId: "eff_1", object: {} },
  };
}

describe("unblocking a hold job", () => {
  it("deploy R-CI-4: the six calls of the table, in their order, approve the job and record who did", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const [hold] = workflow.jobs;
    const result = await adapter().unblock(request(workflow.id));
    expect(result).toEqual({ result: "done", record: { workflow_id: workflow.id, approved_by: hold?.approvedBy } });
    expect(hold?.status).toBe("success");
    expect(circleci.log).toEqual([
      `GET /workflow/${workflow.id}`,
      `GET /pipeline/${workflow.pipelineId}`,
      `GET /pipeline/${workflow.pipelineId}/workflow`,
      `GET /workflow/${workflow.id}/job`,
      `POST /workflow/${workflow.id}/approve/${String(hold?.approvalRequestId)}`,
      `GET /workflow/${workflow.id}/job`,
    ]);
  });

  it("deploy R-CI-4: a job without an approval request id is approved by its own id", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const [hold] = workflow.jobs;
    delete hold?.approvalRequestId;
    expect((await adapter().unblock(request(workflow.id))).result).toBe("done");
    expect(circleci.log).toContain(`POST /workflow/${workflow.id}/approve/${String(hold?.id)}`);
  });

  it("deploy R-CI-4: a re-run is followed, and the old run is left alone", async () => {
    const old = circleci.addWorkflow({ repo, revision: commit });
    const rerun = circleci.rerun(old);
    expect((await adapter().unblock(request(old.id))).result).toBe("done");
    expect([old.jobs[0]?.status, rerun.jobs[0]?.status]).toEqual(["on_hold", "success"]);
  });

  it("deploy R-CI-4: lists are read to their last page", async () => {
    circleci.pageSize = 1;
    const old = circleci.addWorkflow({
      ...{ repo, revision: commit },
      jobs: [{ name: "test" }, { name: "lint" }, { name: job, type: "approval", status: "on_hold" }],
    });
    const rerun = circleci.rerun(old);
    expect((await adapter().unblock(request(old.id))).result).toBe("done");
    expect(rerun.jobs.map(({ status }) => status)).toEqual(["on_hold", "on_hold", "success"]);
  });

  it("deploy R-CI-1: unblocking twice is unblocking once", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    await adapter().unblock(request(workflow.id));
    const again = await adapter().unblock(request(workflow.id));
    expect(again).toMatchObject({ result: "done", record: { already: true } });
    expect(circleci.log.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  });

  it.each(["blocked", "not_running", "running", "queued"])(
    "deploy R-CI-4: a job that is %s is asked again",
    async (status) => {
      const workflow = circleci.addWorkflow({
        repo,
        revision: commit,
        jobs: [{ name: job, type: "approval", status }],
      });
      expect(await adapter().unblock(request(workflow.id))).toMatchObject({ result: "retry", afterSeconds: null });
    },
  );

  it.each(["canceled", "failed"])("deploy R-CI-4: a job that is %s is over", async (status) => {
    const workflow = circleci.addWorkflow({ repo, revision: commit, jobs: [{ name: job, type: "approval", status }] });
    expect(await adapter().unblock(request(workflow.id))).toMatchObject({ result: "permanent", code: "ci_job_ended" });
  });

  it("deploy R-CI-4: a job that changed its state in between is read again, and the second look decides", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const path = /\/approve\//;
    circleci.fail({
      ...{ path, times: 1 },
      fault: {
        kind: "before",
        run: () => {
          const [hold] = workflow.jobs;
          if (hold !== undefined) hold.status = "success";
        },
      },
    });
    expect(await adapter().unblock(request(workflow.id))).toMatchObject({ result: "done", record: { already: true } });
    const stuck = { status: 400, body: { message: "Invalid approval job state" } };
    const other = circleci.addWorkflow({ repo, revision: commit });
    circleci.fail({ path, fault: { kind: "answer", answer: stuck } });
    expect((await adapter().unblock(request(other.id))).result).toBe("retry");
  });

  it("deploy R-CI-4: an approval whose answer was lost is found done the next time", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    circleci.fail({ path: /\/approve\//, times: 1, fault: { kind: "lost" } });
    expect((await adapter().unblock(request(workflow.id))).result).toBe("retry");
    expect(await adapter().unblock(request(workflow.id))).toMatchObject({ result: "done", record: { already: true } });
  });

  it("deploy R-CI-4: it stays approved when nobody says afterwards who it was", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    circleci.fail({
      ...{ path: /\/approve\//, times: 1 },
      fault: {
        kind: "before",
        run: () => {
          circleci.fail({ path: /\/job$/, fault: { kind: "answer", answer: { status: 500 } } });
        },
      },
    });
    const result = await adapter().unblock(request(workflow.id));
    expect(result).toEqual({ result: "done", record: { workflow_id: workflow.id, approved_by: null } });
  });
});

describe("a workflow that is not the app's", () => {
  async function refusal(foreign: Parameters<CircleciSimulator["addWorkflow"]>[0], changed?: Partial<CiSettings>) {
    const workflow = circleci.addWorkflow(foreign);
    const asked = request(workflow.id, changed);
    const [result, verified, closed] = [
      await adapter().unblock(asked),
      await adapter().verify(asked),
      await adapter().close(asked, "rejected"),
    ];
    expect(workflow.jobs[0]?.status).toBe("on_hold");
    expect(circleci.log.filter((line) => line.startsWith("POST"))).toEqual([]);
    expect(closed).toMatchObject({ result: "permanent", code: "ci_workflow_mismatch" });
    return { result, verified };
  }

  it("deploy R-CI-4 case 58: a workflow of another project is never approved, nor cancelled", async () => {
    const { result, verified } = await refusal({ repo: "MyOrg/other", revision: commit });
    expect(result).toMatchObject({ result: "permanent", code: "ci_workflow_mismatch" });
    expect(verified).toMatchObject({ kind: "problems", problems: [{ code: "repo_mismatch" }] });
  });

  it("deploy R-CI-4 case 58: nor is one of another commit of the same project", async () => {
    const { result, verified } = await refusal({ repo, revision: "b".repeat(40) });
    expect(result).toMatchObject({ result: "permanent", code: "ci_workflow_mismatch" });
    expect(verified).toMatchObject({ kind: "problems", problems: [{ code: "commit_mismatch" }] });
  });

  it.each<[string, Parameters<CircleciSimulator["addWorkflow"]>[0], Partial<CiSettings>]>([
    ["an app without a repository", { repo, revision: commit }, { vcsRepo: null }],
    ["a pipeline that says no repository", { repo, revision: commit, slug: "circleci/a/b", vcs: null }, {}],
    ["a repository whose name begins the same", { repo: `${repo}-evil`, revision: commit }, {}],
    [
      "a repository of that name elsewhere",
      {
        repo,
        revision: commit,
        slug: `bb/${repo}`,
        vcs: {
          origin_repository_url: `https://evil.example/${repo}`,
          target_repository_url: `https://evil.example/${repo}`,
        },
      },
      {},
    ],
    ["an app at GitLab", { repo, revision: commit }, { vcsProvider: "gitlab" }],
  ])("deploy R-CI-4: %s", async (_name, foreign, changed) => {
    const { result } = await refusal(foreign, changed);
    expect(result).toMatchObject({ result: "permanent", code: "ci_workflow_mismatch" });
  });

  it.each([
    ["the slug of ids of the GitHub App", { repo, revision: commit, slug: "circleci/6eb1/9c2a" }, {}],
    [
      "a pull request of a fork into the repository",
      { repo, revision: commit, slug: "circleci/1/2", vcs: { origin_repository_url: "https://github.com/fork/myapp" } },
      {},
    ],
    ["another case", { repo: "myorg/MYAPP", revision: commit.toUpperCase() }, {}],
    ["Bitbucket", { repo, revision: commit, slug: `bb/${repo}` }, { vcsProvider: "bitbucket" as const }],
  ])("deploy R-CI-4: the app's own is known by %s", async (_name, own, changed) => {
    const workflow = circleci.addWorkflow(own);
    expect((await adapter().unblock(request(workflow.id, changed))).result).toBe("done");
  });
});

describe("errors", () => {
  it("deploy R-CI-4 case 70: a wrong job name is named", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const result = await adapter().unblock(request(workflow.id, { approvalJobName: "xxx" }));
    const sentence = "approval job 'xxx' not found in workflow";
    expect(result).toEqual({ result: "permanent", code: "ci_job_not_found", sentence });
  });

  it("deploy R-CI-4: a build job of that name is no approval job", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit, jobs: [{ name: job, status: "on_hold" }] });
    expect(await adapter().unblock(request(workflow.id))).toMatchObject({ code: "ci_job_not_found" });
  });

  it("deploy R-CI-4 case 70: an unknown workflow is not found", async () => {
    const unknown = request("00000000-0000-4000-8000-000000000000");
    const sentence = "workflow not found";
    expect(await adapter().unblock(unknown)).toEqual({ result: "permanent", code: "ci_workflow_not_found", sentence });
    const problems = [{ code: "workflow_not_found", message: sentence }];
    expect(await adapter().verify(unknown)).toEqual({ kind: "problems", problems });
  });

  it("deploy R-CI-4 case 70: a token that may not approve is told so", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const sentence = "403 Forbidden: token lacks write:builds scope or has expired";
    const result = await adapter(circleci.readOnlyToken).unblock(request(workflow.id));
    expect(result).toEqual({ result: "permanent", code: "ci_forbidden", sentence });
    expect((await adapter(circleci.readOnlyToken).close(request(workflow.id), "rejected")).result).toBe("permanent");
  });

  it("deploy R-CI-4: a token that was withdrawn is permanent", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const result = await adapter(circleci.revokedToken).unblock(request(workflow.id));
    expect(result).toMatchObject({ result: "permanent", code: "ci_forbidden" });
  });

  it.each([
    ["500", { kind: "answer", answer: { status: 500, body: "<html>" } }, null],
    ["429", { kind: "answer", answer: { status: 429, headers: { "retry-after": "7" } } }, 7],
    ["a broken connection", { kind: "reset" }, null],
    ["silence", { kind: "silence" }, null],
    ["an answer of another form", { kind: "answer", answer: { status: 200, body: { id: "../../me" } } }, null],
    [
      "an answer larger than 1 MiB",
      { kind: "answer", answer: { status: 200, body: "x".repeat(1024 * 1024 + 1) } },
      null,
    ],
  ] as const)(
    "deploy R-CI-4 case 73: %s is retried, wherever it comes, and works afterwards",
    async (_name, fault, afterSeconds) => {
      for (const path of [/^\/workflow\/[^/]+$/, /^\/pipeline\/[^/]+$/, /^\/pipeline\/.*\/workflow$/, /\/job$/]) {
        const workflow = circleci.addWorkflow({ repo, revision: commit });
        circleci.fail({ path, times: 1, fault });
        const result = await adapter(circleci.token, 150).unblock(request(workflow.id));
        expect([path, result]).toMatchObject([path, { result: "retry", afterSeconds }]);
        expect((await adapter().unblock(request(workflow.id))).result).toBe("done");
      }
      const unknown = circleci.addWorkflow({ repo, revision: commit });
      circleci.fail({ path: /^\/workflow\//, times: 1, fault });
      expect((await adapter(circleci.token, 150).verify(request(unknown.id))).kind).toBe("unknown");
    },
  );

  it("deploy R-CI-8: a page that leads to itself comes to an end", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    const body = { items: [], next_page_token: "again" };
    circleci.fail({ path: /\/job$/, fault: { kind: "answer", answer: { status: 200, body } } });
    expect((await adapter().unblock(request(workflow.id))).result).toBe("retry");
  });

  it.each(["../me", "a/b", "%2e", "", "x".repeat(129), "$CIRCLE_WORKFLOW_ID"])(
    "deploy R-CI-8: the id %j never reaches an address",
    async (id) => {
      const result = await adapter().unblock(request(id));
      expect(result).toMatchObject({ result: "permanent", code: "ci_not_configured" });
      expect(circleci.log).toEqual([]);
    },
  );

  it("deploy R-CI-4: without a job name nothing is asked", async () => {
    const result = await adapter().unblock(request("abc", { approvalJobName: "" }));
    expect(result).toMatchObject({ result: "permanent", code: "ci_not_configured" });
    expect(circleci.log).toEqual([]);
  });
});

describe("telling CircleCI that it will not be", () => {
  it("deploy R-CI-5: the newest run is cancelled, once", async () => {
    const old = circleci.addWorkflow({ repo, revision: commit });
    const rerun = circleci.rerun(old);
    expect(await adapter().close(request(old.id), "rejected")).toEqual({
      ...{ result: "done", record: { workflow_id: rerun.id } },
    });
    expect([old.status, rerun.status]).toEqual(["on_hold", "canceled"]);
    expect(await adapter().close(request(old.id), "rejected")).toMatchObject({ record: { already: true } });
    expect(circleci.log.filter((line) => line.startsWith("POST"))).toEqual([`POST /workflow/${rerun.id}/cancel`]);
  });
});

describe("the page of integrations", () => {
  it("deploy R-CI-6: a token is tested by asking whose it is, and never shown", async () => {
    expect(await adapter().testToken()).toEqual({ valid: true, login: "countersign-bot" });
    const revoked = await adapter(circleci.revokedToken).testToken();
    expect(revoked).toEqual({ valid: false, why: "401 Unauthorized: the token is not valid or has expired" });
    circleci.fail({ path: /^\/me$/, fault: { kind: "reset" } });
    const away = await adapter().testToken();
    expect(away).toEqual({ valid: false, why: "CircleCI could not be reached" });
  });

  it("deploy R-CI-1: a description calls nobody", () => {
    const { metadata } = request("abc");
    const url = "https://app.circleci.com/pipelines/gh/MyOrg/myapp/42";
    expect(adapter().describe(metadata, settings)).toEqual({ ready: true, problems: [], url });
    expect(adapter().describe(null, settings)).toMatchObject({ ready: false, url: null });
    expect(circleci.log).toEqual([]);
  });

  it("deploy R-CI-2: a run that fits is found with its status", async () => {
    const workflow = circleci.addWorkflow({ repo, revision: commit });
    expect(await adapter().verify(request(workflow.id))).toEqual({ kind: "matches", status: "on_hold" });
  });
});

describe("the simulator", () => {
  it("deploy R-RACKSIM-2: says what it is, and fails the test that calls it wrongly", async () => {
    const other = await openCircleciSimulator();
    const answer = await fetch(`${other.url}/nothing`, { method: "PUT", headers: { accept: "application/json" } });
    expect(answer.headers.get("x-simulator")).toBe("this is a simulator of circleci");
    await expect(other.close()).rejects.toThrow("no Circle-Token");
  });
});
