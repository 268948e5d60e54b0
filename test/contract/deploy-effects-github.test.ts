/** GitHub Actions asks by webhook: signed, counted once, and only for what an app's settings name (docs/spec/deploy.md R-CI-9). */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installManagedPolicies } from "../../src/app/install-managed-policies.ts";
import { policyCreateSchema } from "../../src/contract/policy.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { defaultDeployPolicy } from "../../src/gates/deploy/default-policy.ts";
import type { EnvironmentSetting } from "../../src/gates/deploy/environment-settings.ts";
import { buildDeploy } from "../../src/main/build-deploy.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { deployCall, openDeployServer, type DeployServer } from "../support/deploy-server.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";
import { bodyOf, objectIn, textAt } from "../support/json-answer.ts";
import { must, signedInAs, type BrowserAnswer } from "../support/signed-in.ts";

const REPO = "MyOrg/myapp";
const SECRET = "a secret of the webhook";

describe("deploy effects: GitHub's webhook", () => {
  let github: GithubSimulator;
  let open: DeployServer;

  beforeAll(async () => {
    github = await openGithubSimulator();
    const built = buildDeploy({
      environment: { GITHUB_TOKEN: github.token, GITHUB_API_URL: github.url, GITHUB_WEBHOOK_SECRET: SECRET },
      ...{ settings: [], racks: { all: () => [], find: () => undefined }, clock: () => Date.now() },
      ...{ webhookKey: randomBytes(32), guardedFetch: (address, init) => fetch(address, init) },
    });
    const { versionControl, ci, githubWebhook } = built.parts;
    await built.close();
    open = await openDeployServer({
      deploy: { versionControl, ci, githubWebhook },
      environment: [
        setting("vcs_repo", REPO),
        setting("github_environment", "live"),
        setting("github_actions_token", "actions"),
        setting("ci_provider", "github_actions"),
        { ...setting("vcs_repo", REPO), app: "silent" },
        { ...setting("github_environment", "silent"), app: "silent" },
      ],
    });
    await installManagedPolicies(open.at.app, [policyCreateSchema.parse(defaultDeployPolicy)]);
    must(await deployCall(open.admin, "POST", "/api-tokens", { name: "actions", role: "cicd" }), 200);
    // The only administrator owns nothing here, and somebody else can approve besides.
    await signedInAs(open.at, open.admin, { roles: ["admin"] });
  });
  afterAll(async () => {
    await open.close();
    await github.close();
  });

  /** In one rack alone, so that one app is meant. */
  function setting(key: string, value: string): EnvironmentSetting {
    return { scope: "production", app: "myapp", key, value, envVar: `RGW_RACK_PRODUCTION_APP_MYAPP_SETTING_${key}` };
  }

  function waiting(environment: string) {
    const repository = github.repository(REPO);
    const branch = `feature-${randomUUID()}`;
    const commit = repository.push(branch, repository.commit());
    repository.pull(branch, commit);
    const run = repository.run(commit.sha, environment);
    const { body, headers } = github.protectionRuleWebhook(repository, run.id, SECRET);
    const payload = objectIn(body);
    return { repository, commit, branch, run, body, headers, payload };
  }

  function send(body: string, headers: Readonly<Record<string, string>>): Promise<BrowserAnswer> {
    return open.at.server.inject({ method: "POST", url: "/api/v1/hooks/github", payload: body, headers });
  }

  /** The simulator's payload with other members, signed again, as another delivery. */
  function signed(payload: JsonObject, secret = SECRET): Promise<BrowserAnswer> {
    const body = JSON.stringify(payload);
    return send(body, {
      ...{ "content-type": "application/json", "x-github-event": "deployment_protection_rule" },
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    });
  }

  /** As GitHub names the branch that is deployed. */
  function onBranch(payload: JsonObject, ref: string): JsonObject {
    const { deployment } = payload;
    return { ...payload, deployment: { ...(isJsonObject(deployment) ? deployment : {}), ref } };
  }

  async function approvals(commit: string) {
    return open.at.app.reader.records(recordsBy("deployApproval", "commit", [commit]));
  }

  it("deploy R-CI-9: a run that waits asks for approval in the name of the app's token, once per delivery", async () => {
    const { commit, branch, run, payload } = waiting("live");
    const first = await signed(onBranch(payload, branch));
    expect([first.statusCode, bodyOf(first)]).toMatchObject([202, { status: "created" }]);
    const [record, second] = await approvals(commit.sha);
    expect(second).toBeUndefined();
    expect(record).toMatchObject({
      ...{ scope: "production", app: "myapp", branch },
      ciMetadata: { run_id: String(run.id), environment: "live", deployment_sha: commit.sha },
    });
    expect(record?.createdByTokenId).toBe(record?.targetTokenId);
    expect(record?.message).toContain("started by");
  });

  it("deploy R-CI-9: the same delivery again changes nothing, another one of the same commit joins", async () => {
    const { repository, commit, branch, payload, headers } = waiting("live");
    const body = JSON.stringify(onBranch(payload, branch));
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    const sent = { ...headers, "x-hub-signature-256": signature };
    expect(bodyOf(await send(body, sent))).toMatchObject({ status: "created" });
    expect(bodyOf(await send(body, sent))).toEqual({ status: "repeated" });
    const again = repository.run(commit.sha, "live");
    const other = objectIn(github.protectionRuleWebhook(repository, again.id, SECRET).body);
    expect(bodyOf(await signed(onBranch(other, branch)))).toMatchObject({ status: "joined" });
    const [record, second] = await approvals(commit.sha);
    expect([record?.ciJoined, second]).toMatchObject([[{ run_id: String(again.id) }], undefined]);
  });

  it("deploy R-CI-9: what GitHub did not sign is refused, and so is a signed body that was changed by a byte", async () => {
    const { commit, branch, payload, body, headers } = waiting("live");
    expect((await signed(onBranch(payload, branch), "another secret")).statusCode).toBe(401);
    expect((await send(`${body} `, headers)).statusCode).toBe(401);
    expect((await send(body, { "content-type": "application/json" })).statusCode).toBe(401);
    expect(await approvals(commit.sha)).toEqual([]);
  });

  it("deploy R-CI-9: an environment that no app names, or an app without a token for it, gets no approval, and a word that says why on the run, which waits on", async () => {
    for (const [environment, why] of [
      ["elsewhere", "no app is set up"],
      ["silent", "github_actions_token is not set"],
    ] as const) {
      const { commit, branch, payload, run } = waiting(environment);
      const answer = await signed(onBranch(payload, branch));
      expect(run.reviews).toMatchObject([{ environment, state: "commented" }]);
      expect(run.reviews[0]?.comment).toContain(why);
      expect([run.pending, run.status]).toEqual([[environment], "waiting"]);
      expect(bodyOf(answer)).toMatchObject({ status: "refused" });
      expect(textAt(bodyOf(answer), "why")).toContain(why);
      expect(await approvals(commit.sha)).toEqual([]);
    }
  });

  it("deploy R-CI-9: while GitHub does not answer nothing is counted, so that the delivery can be sent again", async () => {
    const { commit, branch, payload, headers } = waiting("live");
    const body = JSON.stringify(onBranch(payload, branch));
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    const sent = { ...headers, "x-hub-signature-256": signature };
    github.fail({ path: /\/branches\//, fault: { kind: "answer", answer: { status: 500, body: {} } } });
    expect((await send(body, sent)).statusCode).toBe(503);
    github.heal();
    expect(bodyOf(await send(body, sent))).toMatchObject({ status: "created" });
    expect(await approvals(commit.sha)).toHaveLength(1);
  });

  it("deploy R-CI-9: a body larger than 1 MiB is not read", async () => {
    const answer = await send("x".repeat(1024 * 1024 + 1), { "content-type": "application/json" });
    expect(answer.statusCode).toBe(413);
  });
});
