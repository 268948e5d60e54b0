/** Runs of GitHub Actions that wait for our protection rule, from the webhook to the answer: docs/spec/deploy.md R-CI-7 and R-CI-9. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGithubActions } from "../../src/adapters/github/github-actions.ts";
import { GithubClient } from "../../src/adapters/github/github-client.ts";
import { readGithubWebhook } from "../../src/adapters/github/github-webhook.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { CiSettings } from "../../src/gates/deploy/ci-outcome.ts";
import type { CiProvider, CiRequest } from "../../src/ports/ci-provider.ts";
import type { GithubDelivery, GithubWebhook } from "../../src/ports/github-webhook.ts";
import type { SimulatedRepository, SimulatedRun } from "../support/github-simulator/github-repository.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";

const secret = "a secret of the webhook";
const settings: CiSettings = {
  ...{
    provider: "github_actions",
    vcsProvider: "github",
    vcsRepo: "MyOrg/myapp",
    approvalJobName: "",
    autoApprove: false,
  },
  ...{ cancelOnRejection: false, githubEnvironment: "production", webhookUrl: null },
};

let github: GithubSimulator;
let repository: SimulatedRepository;
let run: SimulatedRun;
let commit: string;

beforeEach(async () => {
  github = await openGithubSimulator();
  repository = github.repository("MyOrg/myapp");
  commit = repository.push("feature", repository.commit()).sha;
  run = repository.run(commit, "production");
});

afterEach(async () => {
  await github.close();
});

async function adapter(): Promise<CiProvider> {
  const { appId, privateKey } = await github.app();
  const world = { exchange: createProviderExchange(fetch), clock: Date.now, pause: async () => undefined };
  const client = new GithubClient({ apiUrl: github.url, credential: { kind: "app", appId, privateKey } }, world);
  return createGithubActions(client, { githubUrl: "https://github.com/" });
}

function request(metadata: JsonObject, changed: Partial<CiSettings> = {}): CiRequest {
  const known = { scope: "production", app: "myapp", commit, effectId: "eff_1", object: {} };
  return { ...known, metadata, settings: { ...settings, ...changed }, comment: "approved by Grace" };
}

function delivery(changed: Partial<GithubDelivery> = {}): GithubDelivery {
  const { body, headers } = github.protectionRuleWebhook(repository, run.id, secret);
  return {
    body: Buffer.from(body),
    signature: headers["x-hub-signature-256"],
    event: headers["x-github-event"],
    delivery: headers["x-github-delivery"],
    ...changed,
  };
}

function read(given: GithubDelivery, apiUrl = github.url): GithubWebhook {
  return readGithubWebhook(given, { secret, apiUrl });
}

function metadata(): JsonObject {
  const webhook = read(delivery());
  if (webhook.kind !== "requested") throw new Error(webhook.kind);
  return webhook.request.metadata;
}

describe("a run that waits", () => {
  it("deploy R-CI-7: is let on with who approved it, once", async () => {
    const actions = await adapter();
    const asked = request(metadata());
    expect(await actions.verify(asked)).toEqual({ kind: "matches", status: "waiting" });
    expect(await actions.unblock(asked)).toEqual({ result: "done", record: { run_id: String(run.id) } });
    expect(await actions.unblock(asked)).toEqual({ result: "done", record: { already: true } });
    expect(run.reviews).toEqual([{ environment: "production", state: "approved", comment: "approved by Grace" }]);
  });

  it("deploy R-CI-7: is rejected when the request ends, and can then not be let on", async () => {
    const actions = await adapter();
    const asked = request(metadata());
    expect((await actions.close(asked, "expired")).result).toBe("done");
    expect(run.reviews).toMatchObject([{ state: "rejected" }]);
    expect((await actions.close(asked, "expired")).result).toBe("done");
    expect(await actions.unblock(asked)).toMatchObject({ result: "permanent", code: "ci_job_ended" });
  });

  it.each<[string, () => CiRequest, string]>([
    ["another commit", () => ({ ...request(metadata()), commit: "b".repeat(40) }), "ci_workflow_mismatch"],
    [
      "a commit of the run that the metadata denies",
      () => ({ ...request({ run_id: run.id, environment: "production" }), commit: "b".repeat(40) }),
      "ci_workflow_mismatch",
    ],
    [
      "a callback elsewhere",
      () => request({ ...metadata(), deployment_callback_url: "https://evil.example/" }),
      "ci_workflow_mismatch",
    ],
    ["another environment", () => request({ ...metadata(), environment: "staging" }), "ci_workflow_mismatch"],
    [
      "another repository",
      () => request({ run_id: run.id, environment: "production" }, { vcsRepo: "MyOrg/other" }),
      "ci_workflow_not_found",
    ],
    ["an unknown run", () => request({ run_id: 1, environment: "production" }), "ci_workflow_not_found"],
    ["no repository", () => request(metadata(), { vcsRepo: null }), "ci_workflow_mismatch"],
    ["no run", () => request({ environment: "production" }), "ci_not_configured"],
  ])("deploy R-CI-7 case 58: %s is refused", async (_name, asked, code) => {
    const actions = await adapter();
    expect(await actions.unblock(asked())).toMatchObject({ result: "permanent", code });
    expect(await actions.verify(asked())).toMatchObject({ kind: "problems" });
    expect(run.reviews).toEqual([]);
  });

  it("deploy R-CI-4: faults are retried", async () => {
    const actions = await adapter();
    for (const path of [/runs\/\d+$/, /pending_deployments$/]) {
      github.fail({ path, times: 3, fault: { kind: "answer", answer: { status: 500 } } });
      expect([path, (await actions.unblock(request(metadata()))).result]).toEqual([path, "retry"]);
    }
    github.fail({ path: /protection_rule$/, times: 1, fault: { kind: "answer", answer: { status: 502 } } });
    expect((await actions.unblock(request(metadata()))).result).toBe("retry");
    expect((await actions.unblock(request(metadata()))).result).toBe("done");
  });

  it("deploy R-CI-3: a description links to the run and calls nobody", async () => {
    const actions = await adapter();
    const asked = metadata();
    const url = `https://github.com/MyOrg/myapp/actions/runs/${String(run.id)}`;
    expect(actions.describe(asked, settings)).toEqual({ ready: true, problems: [], url });
    expect(actions.describe(null, settings)).toMatchObject({ ready: false, url: null });
    expect(github.log).toEqual([]);
  });
});

describe("the webhook", () => {
  it("deploy R-CI-9: says which run of which commit waits for which environment", () => {
    const given = delivery();
    expect(read(given)).toEqual({
      kind: "requested",
      request: {
        ...{
          delivery: given.delivery,
          repo: "MyOrg/myapp",
          environment: "production",
          commit,
          branch: "feature",
          creator: "ada",
        },
        metadata: {
          run_id: String(run.id),
          environment: "production",
          deployment_callback_url: `${github.url}/repos/MyOrg/myapp/actions/runs/${String(run.id)}/deployment_protection_rule`,
          deployment_sha: commit,
        },
      },
    });
  });

  const other = "0".repeat(64);
  it.each<[string, () => GithubDelivery, number]>([
    ["no signature", () => delivery({ signature: undefined }), 401],
    ["another signature", () => delivery({ signature: `sha256=${other}` }), 401],
    ["a shorter signature", () => delivery({ signature: "sha256=00" }), 401],
    ["the old kind of signature", () => delivery({ signature: `sha1=${"0".repeat(40)}` }), 401],
    ["a byte more", () => delivery({ body: Buffer.concat([delivery().body, Buffer.from(" ")]) }), 401],
    ["a body larger than 1 MiB", () => delivery({ body: Buffer.alloc(1024 * 1024 + 1) }), 413],
    ["no delivery id", () => delivery({ delivery: undefined }), 400],
    ["an odd delivery id", () => delivery({ delivery: "../x" }), 400],
  ])("deploy R-CI-9: %s is refused", (_name, given, status) => {
    expect(read(given())).toMatchObject({ kind: "refused", status });
  });

  it("deploy R-CI-9: an empty secret signs nothing", () => {
    const given = github.protectionRuleWebhook(repository, run.id, "");
    const signed = delivery({ body: Buffer.from(given.body), signature: given.headers["x-hub-signature-256"] });
    expect(readGithubWebhook(signed, { secret: "", apiUrl: github.url })).toMatchObject({ status: 401 });
  });

  it("deploy R-CI-9: a callback to another host than the configured one is refused", () => {
    expect(read(delivery(), "https://api.github.com")).toMatchObject({ kind: "refused", status: 400 });
  });

  it("deploy R-CI-9: other events are ignored, other bodies refused", async () => {
    expect(read(delivery({ event: "push" }))).toEqual({ kind: "ignored" });
    const { createHmac } = await import("node:crypto");
    const signed = (body: string): GithubWebhook =>
      read(
        delivery({
          body: Buffer.from(body),
          signature: `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        }),
      );
    expect(signed("{")).toMatchObject({ kind: "refused", status: 400 });
    expect(signed("{}")).toMatchObject({ kind: "refused", status: 400 });
    const text = Buffer.from(delivery().body).toString();
    expect(signed(text.replace('"requested"', '"closed"'))).toEqual({ kind: "ignored" });
    expect(signed(text.replace("/actions/runs/", "/actions/"))).toMatchObject({ status: 400 });
    expect(signed(text.replace('"ref":"feature"', '"ref":"refs/tags/v1"'))).toMatchObject({
      request: { branch: null },
    });
    expect(signed(text.replace('"ref":"feature"', '"ref":"refs/heads/x"'))).toMatchObject({ request: { branch: "x" } });
    expect(signed(text.replace('"ref":"feature",', "").replace(/"creator":\{[^}]*\}/, '"creator":null'))).toMatchObject(
      {
        request: { branch: null, creator: null },
      },
    );
  });
});
