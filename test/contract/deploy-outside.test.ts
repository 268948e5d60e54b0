/**
 * What people see of what is done outside: one server with its worker, two racks, and simulators of CircleCI, GitHub, Slack and a mail
 * server. Everything goes through HTTP; the worker's own steps are proven in the files beside (docs/spec/deploy.md sections 14 to 16, 24).
 */
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createEffectQueue } from "../../src/adapters/postgres/effect-queue.ts";
import { createSmtpMailer } from "../../src/adapters/smtp/smtp-mailer.ts";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { installManagedPolicies } from "../../src/app/install-managed-policies.ts";
import { effectGivenUp } from "../../src/app/effects/effect-given-up.ts";
import { policyCreateSchema } from "../../src/contract/policy.ts";
import { isId } from "../../src/core/ids.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { defaultDeployPolicy } from "../../src/gates/deploy/default-policy.ts";
import type { EnvironmentSetting } from "../../src/gates/deploy/environment-settings.ts";
import { buildDeploy } from "../../src/main/build-deploy.ts";
import { deployEffectWorks } from "../../src/main/deploy-effects.ts";
import { logEffectTrouble } from "../../src/main/effect-log.ts";
import { startEffectLoop } from "../../src/worker/effect-loop.ts";
import type { Loop } from "../../src/worker/timer-loop.ts";
import { openCircleciSimulator, type CircleciSimulator } from "../support/circleci-simulator/circleci-simulator.ts";
import { CiToken } from "../support/deploy-requests-scene.ts";
import { deployCall, deployGet, itemsOf, openDeployServer, type DeployServer } from "../support/deploy-server.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";
import { textAt } from "../support/json-answer.ts";
import { must, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { openSlackSimulator, textsOf, type SlackSimulator } from "../support/slack-simulator/slack-simulator.ts";
import { openSmtpSink, type SmtpSink } from "../support/smtp-sink.ts";

const REPO = "MyOrg/myapp";
const REQUESTS = "/deploy-approval-requests";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SOON = { timeout: 10_000, interval: 50 };
const JOBS = { production: "approve_deploy_us", staging: "approve_deploy_eu" } as const;

describe("deploy: what is done outside, as people see it", () => {
  let circleci: CircleciSimulator;
  let github: GithubSimulator;
  let slack: SlackSimulator;
  let mails: SmtpSink;
  let open: DeployServer;
  let ann: TestBrowser;
  let ci: CiToken;
  let worker: Loop;
  const settings: EnvironmentSetting[] = [];
  const logged: string[] = [];

  beforeAll(async () => {
    [circleci, github] = [await openCircleciSimulator(), await openGithubSimulator()];
    [slack, mails] = [await openSlackSimulator(), await openSmtpSink()];
    const built = buildDeploy({
      environment: {
        ...{ CIRCLECI_TOKEN: circleci.token, CIRCLECI_API_URL: circleci.url },
        ...{ GITHUB_TOKEN: github.token, GITHUB_API_URL: github.url },
        ...{ SLACK_CLIENT_ID: slack.clientId, SLACK_CLIENT_SECRET: slack.clientSecret, SLACK_URL: slack.url },
      },
      ...{ settings: [], racks: { all: () => [], find: () => undefined }, clock: () => Date.now() },
      ...{ webhookKey: randomBytes(32), guardedFetch: (address, init) => fetch(address, init) },
    });
    await built.close();
    const { versionControl, ci: providers, chat } = built.parts;
    open = await openDeployServer({ deploy: { versionControl, ci: providers, chat }, environment: settings });
    await installManagedPolicies(open.at.app, [policyCreateSchema.parse(defaultDeployPolicy)]);
    for (const scope of ["production", "staging"] as const) {
      set("vcs_repo", REPO, scope);
      set("circleci_approval_job_name", JOBS[scope], scope);
      set("circleci_auto_approve_on_approval", true, scope);
      set("github_post_pr_comment", true, scope);
    }
    ci = new CiToken(
      open.at,
      must(await deployCall(open.admin, "POST", "/api-tokens", { name: "ci", role: "cicd" }), 200),
    );
    ann = await signedInAs(open.at, open.admin, { login: "ann", name: "Ann Ash", roles: ["admin"] });
    // A factor decides a day after it was enrolled.
    await later(25 * 60);
    await connectSlack();
    worker = startWorker();
  }, 60_000);
  afterEach(() => {
    circleci.heal();
    set("circleci_approval_job_name", JOBS.production, "production");
  });
  afterAll(async () => {
    await worker.stop();
    await open.close();
    await Promise.all([circleci.close(), github.close(), slack.close(), mails.close()]);
  });

  function set(key: string, value: JsonValue, scope: string): void {
    const before = settings.findIndex((one) => one.key === key && one.scope === scope);
    if (before >= 0) settings.splice(before, 1);
    settings.push({ scope, app: "myapp", key, value, envVar: `RGW_${scope}_${key}`.toUpperCase() });
    open.at.app.deploy.settings.drop();
  }

  /** Minutes pass, and whoever was signed in for too long signs in again. */
  async function later(minutes: number): Promise<void> {
    open.at.advance(minutes * MINUTE);
    for (const browser of [open.admin, ann]) {
      browser.forgetCookies();
      must(await browser.signIn(), 201);
    }
  }

  async function connectSlack(): Promise<void> {
    const begun = must(await deployCall(open.admin, "POST", "/integrations/slack/oauth/authorize", {}), 200);
    const url = textAt(begun, "authorization_url");
    const back = { state: new URL(url).searchParams.get("state") ?? "", code: slack.allow(url) };
    const path = `/integrations/slack/oauth/callback?${new URLSearchParams(back).toString()}`;
    expect((await deployCall(open.admin, "GET", path)).statusCode).toBe(302);
    const alerts = { deploy_approvals_enabled: true, deploy_approvals_channel_id: "C1" };
    must(await deployCall(open.admin, "PUT", "/integrations/slack/alerts", alerts), 200);
  }

  /** As the server keeps it: what is tried again is tried when the test's clock says so. */
  function startWorker(): Loop {
    const { app, pool, options } = open.at;
    const mailer = createSmtpMailer({
      ...{ host: "127.0.0.1", port: mails.port, user: "", password: "", useTls: false, timeoutMs: 5_000 },
      from: "Countersign <no-reply@example.com>",
    });
    const schedule = { waitsMs: [SECOND], attemptsMax: 3, timeoutMs: 5_000 };
    return startEffectLoop({
      ...{ queue: createEffectQueue(pool), worker: randomUUID(), clock: app.clock, random: () => 0.5 },
      work: deployEffectWorks(app, { mailer, baseUrl: app.identity.publicUrl, schedule }),
      subscribe: (listener) => options.events.subscribe(listener),
      onGivenUp: async ({ id }) => {
        await effectGivenUp(app, id);
      },
      onTrouble: logEffectTrouble({ warn: (_about: unknown, line?: string) => void logged.push(line ?? "") }),
      ...{ concurrency: 8, fallbackMs: 20, isPaused: () => false },
      onError: (error) => {
        throw error;
      },
    });
  }

  interface Waiting {
    readonly request: JsonObject;
    readonly workflow: ReturnType<CircleciSimulator["addWorkflow"]>;
    readonly pull: number;
  }

  /** A commit with a pull request, its run on hold, and the request that the run made. */
  async function waiting(changed: JsonObject = {}, jobs: readonly string[] = [JOBS.production]): Promise<Waiting> {
    const repository = github.repository(REPO);
    const branch = `feature-${randomUUID()}`;
    const commit = repository.push(branch, repository.commit({ files: { "app.ts": branch } }));
    const pull = repository.pull(branch, commit).number;
    const workflow = circleci.addWorkflow({
      ...{ repo: REPO, revision: commit.sha },
      jobs: jobs.map((name) => ({ name, type: "approval", status: "on_hold" })),
    });
    const request = await asked("production", {
      ...{ git_commit_hash: commit.sha, git_branch: branch, ci_metadata: { workflow_id: workflow.id } },
      ...changed,
    });
    return { request, workflow, pull };
  }

  async function asked(rack: string, about: JsonObject): Promise<JsonObject> {
    const answer = await open.at.server.inject({
      ...{ method: "POST", url: `/racks/${rack}/api/v1${REQUESTS}`, remoteAddress: "10.200.0.1" },
      headers: { authorization: ci.authorization, "content-type": "application/json" },
      payload: JSON.stringify({ app: "myapp", message: "Deploy it", ...about }),
    });
    return must(answer, 201);
  }

  const idOf = (request: JsonObject): string => textAt(request, "public_id");

  const act = async (name: string, request: JsonObject, body: JsonObject = {}): Promise<JsonObject> =>
    must(await deployCall(ann, "POST", `${REQUESTS}/${idOf(request)}/${name}`, body), 200);

  const shown = async (request: JsonObject): Promise<JsonObject> =>
    must(await deployGet(ann, `${REQUESTS}/${idOf(request)}`), 200);

  /** What the request says of its calls to the CI, newest last. */
  async function ciEffects(request: JsonObject): Promise<readonly JsonObject[]> {
    return itemsOf((await shown(request))["effects"]).filter(({ kind }) => kind === "deploy.ci");
  }

  /** Kinds of what is still to be done; the reminder waits for its time. */
  async function waitingFor(request: JsonObject): Promise<readonly JsonValue[]> {
    const pending = itemsOf((await shown(request))["effects"]).filter(({ state }) => state === "pending");
    return pending.map(({ kind }) => kind ?? "");
  }

  const lastOfCi = async (request: JsonObject): Promise<JsonObject> => (await ciEffects(request)).at(-1) ?? {};

  async function lineOfCi(request: JsonObject): Promise<string> {
    const { state, last_error: error } = await lastOfCi(request);
    return `${textOrNull(state) ?? ""} ${textOrNull(error) ?? ""}`;
  }

  function approvals(workflow: { readonly id: string }): readonly string[] {
    return circleci.log.filter((call) => call.startsWith("POST") && call.includes(`/workflow/${workflow.id}/approve/`));
  }

  function comments(pull: number): readonly string[] {
    return github
      .repository(REPO)
      .comments.filter(({ issue }) => issue === pull)
      .map(({ body }) => body);
  }

  async function history(request: JsonObject): Promise<readonly JsonObject[]> {
    const { logs } = must(await deployGet(ann, `${REQUESTS}/${idOf(request)}/audit-logs`), 200);
    return itemsOf(logs);
  }

  it("deploy R-CI-1, deploy acceptance 59: an approval that expires while CircleCI answers 500 is not unblocked afterwards, and says so", async () => {
    const { request, workflow } = await waiting();
    const no = { status: 500, body: { message: "no" } };
    circleci.fail({ path: /\/approve\//, fault: { kind: "answer", answer: no } });
    await act("approve", request);
    await expect.poll(() => lineOfCi(request), SOON).toMatch(/^pending .*500/);
    const sent = approvals(workflow).length;
    circleci.heal();
    await later(15);
    await expect
      .poll(() => lastOfCi(request), SOON)
      .toMatchObject({
        ...{ state: "withdrawn", last_error: "The approval is expired: nothing was unblocked" },
      });
    expect(await shown(request)).toMatchObject({ status: "expired", ci: { status: "withdrawn" } });
    expect([approvals(workflow).length, workflow.jobs[0]?.status]).toEqual([sent, "on_hold"]);
  });

  it.each([
    [
      "an approval job of another name",
      "approval job 'no_such_job' not found in workflow",
      () => {
        set("circleci_approval_job_name", "no_such_job", "production");
        return {};
      },
    ],
    [
      "a token that may not approve",
      "403 Forbidden",
      () => {
        const answer = { status: 403, body: { message: "Permission denied." } };
        circleci.fail({ path: /\/approve\//, method: "POST", fault: { kind: "answer", answer } });
        return {};
      },
    ],
    ["an unknown workflow", "workflow not found", () => ({ ci_metadata: { workflow_id: randomUUID() } })],
  ] as const)(
    "deploy R-CI-4, deploy acceptance 70: %s is told on the request, in its history and in the log",
    async (_, said, prepare) => {
      const { request, workflow } = await waiting(prepare());
      await act("approve", request);
      await expect.poll(() => lastOfCi(request), SOON).toMatchObject({ state: "failed" });
      expect(textAt(await lastOfCi(request), "last_error")).toContain(said);
      expect(workflow.jobs[0]?.status).toBe("on_hold");
      expect(logged).toContainEqual(expect.stringMatching(new RegExp(`^circleci: .*${said}`)));
      await expect
        .poll(async () => (await history(request)).map(({ action }) => action), SOON)
        .toContain("effect.exhausted");
    },
  );

  it("deploy R-CI-4, deploy acceptance 72: of two environments with jobs of their own each unblocks only its own", async () => {
    const us = await waiting({}, [JOBS.production, JOBS.staging]);
    const { git_commit_hash: commit, git_branch: branch, ci_metadata: metadata } = us.request;
    const about = { git_commit_hash: commit ?? "", git_branch: branch ?? "", ci_metadata: metadata ?? null };
    const eu = await asked("staging", about);
    const jobs = (): readonly string[] => us.workflow.jobs.map(({ name, status }) => `${name} ${status}`);
    await act("approve", eu);
    await expect.poll(jobs, SOON).toEqual([`${JOBS.production} on_hold`, `${JOBS.staging} success`]);
    await act("approve", us.request);
    await expect.poll(jobs, SOON).toEqual([`${JOBS.production} success`, `${JOBS.staging} success`]);
    expect(approvals(us.workflow)).toHaveLength(2);
  });

  it("deploy R-CI-1, deploy acceptance 73: a CircleCI that fails, breaks off and loses its answer is asked again until it is done, once, by whichever worker", async () => {
    const { request, workflow } = await waiting();
    await expect.poll(() => lastOfCi(request), SOON).toMatchObject({ state: "done" });
    const down = { status: 503, body: { message: "down" } };
    circleci.fail({ path: /^\/workflow\/[^/]+$/, times: 1, fault: { kind: "answer", answer: down } });
    circleci.fail({ path: /\/pipeline\/[^/]+$/, times: 1, fault: { kind: "reset" } });
    circleci.fail({ path: /\/approve\//, times: 1, fault: { kind: "lost" } });
    await act("approve", request);
    await expect.poll(() => lineOfCi(request), SOON).toMatch(/^pending .*503/);
    await worker.stop();
    worker = startWorker();
    await expect
      .poll(async () => {
        open.at.advance(SECOND);
        return lastOfCi(request);
      }, SOON)
      .toMatchObject({ state: "done", attempts: 4 });
    expect([approvals(workflow).length, workflow.jobs[0]?.status]).toEqual([1, "success"]);
    const told = (await history(request)).filter(({ action }) =>
      /ci[._]unblock/.test(typeof action === "string" ? action : ""),
    );
    expect(told).toHaveLength(1);
  });

  const NASTY = "<script>alert(1)</script> <!channel> [x](https://evil.example) @here **b** \u202Egnp ``` `";

  it("deploy R-GITHUB-3, R-SLACK-2, deploy acceptance 57, 74: one comment and one message follow a request, and show what people wrote as it is", async () => {
    const { request, pull } = await waiting({ message: NASTY });
    const heads = (): readonly string[] => comments(pull).map((body) => body.split("\n")[1] ?? "");
    const chat = () => slack.messages.filter(({ blocks }) => JSON.stringify(blocks).includes(idOf(request)));
    await expect.poll(heads, SOON).toEqual([expect.stringContaining("**Deploy approval needed**")]);
    const [comment = ""] = comments(pull);
    // Fenced by more backticks than it holds, and what turns letters around as its number.
    expect(comment).toContain(
      "````text\n<script>alert(1)</script> <!channel> [x](https://evil.example) @here **b** \\u{202e}gnp",
    );
    expect(comment).not.toContain("\u202E");
    await expect.poll(() => chat().length, SOON).toBe(1);
    const texts = textsOf(chat()[0]?.blocks).join("\n");
    expect(texts).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt;");
    expect(texts).not.toMatch(/<!channel>|\u202E/);
    await act("approve", request, { notes: NASTY });
    await expect.poll(heads, SOON).toEqual([expect.stringContaining("**Deploy approved**")]);
    await act("reject", request, { notes: NASTY });
    await expect.poll(heads, SOON).toEqual([expect.stringContaining("**Deploy rejected**")]);
    expect(comments(pull)[0]).not.toContain("\u202E");
    await expect.poll(() => textsOf(chat()[0]?.blocks)[0], SOON).toBe("Deploy rejected");
    expect([comments(pull).length, chat().length]).toEqual([1, 1]);
  });

  it("deploy R-GITHUB-3, deploy acceptance 74: the comment of a request that nobody decided ends as expired", async () => {
    const { request, pull } = await waiting();
    await expect.poll(() => comments(pull).length, SOON).toBe(1);
    await later(24 * 60 + 1);
    const { public_id: id } = request;
    if (typeof id === "string" && isId<"request">(id)) await applyDueTimers(open.at.app, id);
    await expect.poll(() => comments(pull), SOON).toEqual([expect.stringContaining("**Deploy request expired**")]);
  });

  it("deploy R-GITHUB-5: reviews of the pull request and the checks of the commit are read by the worker, kept for a minute, and absent without failing", async () => {
    github.fail({ path: /check-runs$/, fault: { kind: "answer", answer: { status: 403, body: {} } } });
    const { request, pull } = await waiting();
    await expect.poll(async () => textOrNull((await shown(request))["vcs_read_at"]), SOON).not.toBeNull();
    await expect.poll(() => waitingFor(request), SOON).toEqual([]);
    const first = await shown(request);
    expect(first["checks"]).toBeUndefined();
    expect(JSON.stringify(first["pr"])).not.toContain("reviews");
    github.heal();
    const repository = github.repository(REPO);
    repository.pulls.find(({ number }) => number === pull)?.reviews.push({ user: "grace", state: "APPROVED" });
    repository.checkRuns.push({ status: "completed", conclusion: "failure" });
    const calls = github.log.length;
    expect(await shown(request)).toEqual(first);
    expect(github.log).toHaveLength(calls);
    open.at.advance(61 * SECOND);
    await expect
      .poll(() => shown(request), SOON)
      .toMatchObject({
        ...{ checks: "failure", pr: { number: pull, reviews: [{ author: "grace", state: "approved" }] } },
      });
    repository.checkRuns.splice(0);
  });

  it("deploy R-SLACK-3, R-MAIL-1, deploy acceptance 56: the links in comment, chat and mail are pages, and looking at them changes nothing", async () => {
    const { request, pull } = await waiting();
    const id = idOf(request);
    await expect.poll(() => comments(pull).length, SOON).toBe(1);
    await expect.poll(() => slack.messages.some(({ blocks }) => JSON.stringify(blocks).includes(id)), SOON).toBe(true);
    // It may go out with the next message to the same people.
    await expect
      .poll(() => {
        open.at.advance(MINUTE);
        return mails.mails.some(({ email }) => email.text?.includes(id));
      }, SOON)
      .toBe(true);
    await later(0);
    await expect.poll(() => waitingFor(request), SOON).toEqual([]);
    const texts = [
      ...comments(pull),
      ...slack.messages.map(({ blocks }) => JSON.stringify(blocks)),
      ...mails.mails.map(({ email }) => `${email.text ?? ""} ${email.html ?? ""}`),
    ];
    const { publicUrl } = open.at.app.identity;
    const own = [...new Set(texts.flatMap((text) => text.match(/https?:\/\/[^\s"<>|)]+/g) ?? []))].filter(
      (link) => link.startsWith(publicUrl) && link.includes(id),
    );
    expect(own).toEqual([textAt(request, "page_url")]);
    const before = await standing(request);
    for (const link of own) {
      for (const method of ["GET", "HEAD"] as const) {
        for (const prefetch of [{}, { "sec-purpose": "prefetch" }]) {
          await ann.call(method, `root:${link.slice(publicUrl.length)}`, undefined, { headers: prefetch });
        }
      }
    }
    expect(await standing(request)).toEqual(before);
  });

  it("deploy R-MAIL-1: what waits for mail that nobody has set up says so, and promises no time", async () => {
    const { request } = await waiting();
    const unconfigured = async (): Promise<readonly JsonObject[]> =>
      itemsOf((await shown(request))["effects"]).filter(({ state }) => state === "not_configured");
    await expect.poll(unconfigured, SOON).toContainEqual({
      ...{ kind: "deploy.mail", state: "not_configured", attempts: 0 },
      last_error: "It waits until mail is set up on this server",
    });
  });

  async function standing(request: JsonObject): Promise<unknown> {
    const { rows } = await open.at.pool.query<{ size: string }>("select size from ledger_head");
    const { version, status } = await shown(request);
    return { version, status, entries: rows[0]?.size };
  }

  function textOrNull(value: JsonValue | undefined): string | null {
    return typeof value === "string" ? value : null;
  }
});
