/** What the deploy gate does at CI and version control after a request was decided, against simulators (docs/spec/deploy.md sections 14, 15). */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Request } from "../../src/core/request.ts";
import { keepEffects } from "../../src/main/keep-effects.ts";
import type { DeployApprovalRecord } from "../../src/ports/deploy-records.ts";
import type { EffectRecord } from "../../src/ports/effects.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { openCircleciSimulator, type CircleciSimulator } from "../support/circleci-simulator/circleci-simulator.ts";
import { APP, DeployEffectsScene, REPO, SCOPE } from "../support/deploy-effects-scene.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { verifyDatabase } from "../support/verify-database.ts";

const JOB = "approve_deploy";
const SETTINGS = {
  ...{ circleci_approval_job_name: JOB, circleci_auto_approve_on_approval: true },
  ...{ circleci_cancel_on_rejection: false, github_post_pr_comment: true },
};

describeOnEveryPostgres("deploy effects", (database) => {
  let circleci: CircleciSimulator;
  let github: GithubSimulator;
  let scene: DeployEffectsScene;

  beforeAll(async () => {
    [circleci, github] = [await openCircleciSimulator(), await openGithubSimulator()];
    github.repository(REPO);
    scene = await DeployEffectsScene.open(database.url, {
      environment: {
        ...{ CIRCLECI_TOKEN: circleci.token, CIRCLECI_API_URL: circleci.url },
        ...{ GITHUB_TOKEN: github.token, GITHUB_API_URL: github.url },
      },
      settings: SETTINGS,
    });
  });
  beforeEach(() => {
    Object.assign(scene.settings, SETTINGS);
  });
  afterEach(() => {
    circleci.heal();
    github.heal();
  });
  afterAll(async () => {
    await scene.close();
    await circleci.close();
    await github.close();
  });

  function posts(workflow: { readonly id: string }): readonly string[] {
    return circleci.log.filter((call) => call.startsWith("POST") && call.includes(workflow.id));
  }

  /** A workflow on hold, and the record members of a request that names it. */
  function waiting(revision = "a".repeat(40), repo = REPO) {
    const workflow = circleci.addWorkflow({ repo, revision });
    return { workflow, changed: { ciMetadata: { workflow_id: workflow.id, pipeline_number: 7 } } };
  }

  async function unblockedEntries(): Promise<number> {
    return (await scene.entries("deploy.ci_unblocked")).length;
  }

  it("deploy R-CI-1, R-CI-4: an approval lets the hold job go on, and the ledger tells it once", async () => {
    const { workflow, changed } = waiting();
    const request = await scene.approved(changed);
    const before = await unblockedEntries();
    const effect = await scene.decideEffect("deploy.ci", request, { event: "approved" });
    expect(await scene.attemptOf(effect)).toMatchObject({
      kind: "done",
      result: { runs: [{ workflow_id: workflow.id }] },
    });
    expect(workflow.jobs).toMatchObject([{ name: JOB, status: "success" }]);
    expect((await scene.record(request)).ci).toMatchObject({ unblocked: [0] });
    expect(await scene.attemptOf(effect)).toMatchObject({ kind: "done", result: { runs: [{ already: true }] } });
    expect(posts(workflow)).toHaveLength(1);
    expect(await unblockedEntries()).toBe(before + 1);
  });

  it("deploy R-REQ-4: a run that joined is unblocked too, after its own check, and tells its own end", async () => {
    const own = waiting();
    const joined = waiting();
    const stranger = waiting("b".repeat(40));
    const request = await scene.approved({
      ...own.changed,
      ciJoined: [joined.changed.ciMetadata, stranger.changed.ciMetadata],
    });
    expect(await scene.attempt("deploy.ci", request, { event: "ci_joined", payload: { joined: 0 } })).toMatchObject({
      kind: "done",
    });
    expect([posts(own.workflow).length, posts(joined.workflow).length]).toEqual([0, 1]);
    expect(await scene.attempt("deploy.ci", request, { event: "ci_joined", payload: { joined: 1 } })).toMatchObject({
      ...{ kind: "failed", error: { code: "ci_workflow_mismatch" } },
    });
    expect(posts(stranger.workflow)).toEqual([]);
    expect((await scene.record(request)).ci.unblocked).toEqual([1]);
  });

  it("deploy R-CI-4 (acceptance 58): a workflow of another project or commit is never approved, and its problem is shown", async () => {
    for (const { workflow, changed } of [waiting("a".repeat(40), "Other/project"), waiting("c".repeat(40))]) {
      const request = await scene.ask(changed);
      expect(await scene.attempt("deploy.ci", request, { event: "created" })).toMatchObject({ kind: "done" });
      const { ci, warnings } = await scene.record(request);
      expect(ci.ready).toBe(false);
      expect(ci.problems.map(({ code }) => code)).toContainEqual(expect.stringMatching(/^(repo|commit)_mismatch$/));
      expect(warnings.map(({ code }) => code)).toContain("ci_not_ready");
      await scene.decide(request, "approve");
      expect(await scene.attempt("deploy.ci", request, { event: "approved" })).toMatchObject({
        ...{ kind: "failed", error: { code: "ci_workflow_mismatch" } },
      });
      expect([posts(workflow), workflow.jobs[0]?.status]).toEqual([[], "on_hold"]);
    }
  });

  it("deploy R-CI-1: an approval that was taken back meanwhile is not unblocked, even between the last questions and the call", async () => {
    const early = waiting();
    const first = await scene.approved(early.changed);
    await scene.revoke(first, "not today");
    expect(await scene.attempt("deploy.ci", first, { event: "approved" })).toMatchObject({
      ...{ kind: "withdrawn", error: { code: "approval_ended" } },
    });
    const late = waiting();
    const second = await scene.approved(late.changed);
    // While its jobs are read, which is the last question before the call.
    const run = (): Promise<void> => scene.revoke(second, "stop");
    circleci.fail({ path: /\/job$/, times: 1, fault: { kind: "before", run } });
    expect(await scene.attempt("deploy.ci", second, { event: "approved" })).toMatchObject({
      ...{ kind: "withdrawn", error: { code: "approval_ended" } },
    });
    expect([posts(late.workflow), late.workflow.jobs[0]?.status]).toEqual([[], "on_hold"]);
  });

  it("deploy R-CI-1 (acceptance 59): nothing is sent after the window, when CircleCI answered 500 until then", async () => {
    const { workflow, changed } = waiting();
    const request = await scene.approved(changed);
    circleci.fail({ path: /\/approve\//, fault: { kind: "answer", answer: { status: 500, body: { message: "no" } } } });
    const effect = await scene.decideEffect("deploy.ci", request, { event: "approved" });
    expect(await scene.attemptOf(effect)).toMatchObject({ kind: "retry", error: { code: "ci_unavailable" } });
    circleci.heal();
    const sent = posts(workflow).length;
    scene.at.advance(15 * 60_000);
    expect(await scene.attemptOf(effect, 2)).toMatchObject({ kind: "withdrawn", error: { code: "approval_ended" } });
    expect(posts(workflow)).toHaveLength(sent);
    expect(workflow.jobs[0]?.status).toBe("on_hold");
  });

  const ENDINGS = {
    rejected: (request: Request) => scene.decide(request, "reject", "no"),
    revoked: (request: Request) => scene.revoke(request, "no"),
    cancelled: (request: Request) => scene.cancel(request),
    superseded: (request: Request) => scene.supersede(request),
    deployed: (request: Request) => scene.deploy(request),
    expired: async () => {
      scene.at.advance(16 * 60_000);
      await Promise.resolve();
    },
  };

  it.each([
    ["rejected", "cancelled by setting", 1],
    ["revoked", "cancelled by setting", 1],
    ["cancelled", "cancelled by setting", 1],
    ["superseded", "cancelled by setting", 1],
    ["deployed", "left alone", 0],
    ["expired", "left alone", 0],
  ] as const)("deploy R-CI-5: a %s request's workflow is %s", async (ending, _, count) => {
    scene.settings["circleci_cancel_on_rejection"] = true;
    const { workflow, changed } = waiting();
    const isLive = ending === "rejected" || ending === "cancelled" || ending === "superseded";
    const request = isLive ? await scene.ask(changed) : await scene.approved(changed);
    await ENDINGS[ending](request);
    const event = ending === "revoked" ? "rejected" : ending;
    const outcome = await scene.attempt("deploy.ci", request, { event });
    expect(outcome.kind).toBe(count === 1 ? "done" : "withdrawn");
    expect([posts(workflow).length, workflow.status]).toEqual([count, count === 1 ? "canceled" : "on_hold"]);
  });

  it("deploy R-CI-5: by default the hold job of a rejected request stays on hold", async () => {
    const { workflow, changed } = waiting();
    const request = await scene.ask(changed);
    await scene.decide(request, "reject", "no");
    expect(await scene.attempt("deploy.ci", request, { event: "rejected" })).toMatchObject({
      ...{ kind: "withdrawn", error: { code: "not_configured" } },
    });
    expect(posts(workflow)).toEqual([]);
  });

  it("deploy R-CI-1 (acceptance 20): a worker that dies after the call leaves one unblock, whoever follows it", async () => {
    const { workflow, changed } = waiting();
    const request = await scene.approved(changed);
    const keep = (work = scene.works): (() => Promise<void>) =>
      keepEffects({
        ...{ pool: scene.at.pool, app: scene.at.app, guard: { quarantined: false }, work },
        ...{
          database: { connectionString: database.url },
          fallbackMs: 50,
          webhooksAtOnce: 1,
          onError: () => undefined,
        },
      });
    const ci = scene.works["deploy.ci"];
    if (ci === undefined) throw new Error("nobody works");
    let died = (): void => undefined;
    const dies = new Promise<void>((resolve) => {
      died = resolve;
    });
    // The first process makes the call and never learns what became of it.
    const first = keep({
      "deploy.ci": {
        schedule: ci.schedule,
        handle: async (effect, signal) => {
          const outcome = await ci.handle(effect, signal);
          if (effect.requestId !== request.id || effect.payload["event"] !== "approved") return outcome;
          died();
          return { kind: "retry", error: { code: "killed", message: "the process ended" }, afterMs: null };
        },
      },
    });
    await dies;
    await first();
    scene.at.advance(5 * 60_000);
    const second = keep();
    await expect
      .poll(async () => (await effectsOf(request)).map(({ state }) => state), { timeout: 15_000 })
      .toEqual(["done", "done"]);
    await second();
    expect(posts(workflow)).toHaveLength(1);
  });

  async function effectsOf({ id }: { readonly id: string }): Promise<readonly EffectRecord[]> {
    const effects = await scene.at.app.reader.records(recordsBy("effect", "requestId", [id]));
    return effects.filter(({ lane }) => lane === `ci:${id}`);
  }

  /** A commit with an open pull request. */
  function proposed(files: Readonly<Record<string, string>> = { "app.ts": "1" }) {
    const repository = github.repository(REPO);
    const commit = repository.push("feature", repository.commit({ files }));
    const pull = repository.pull("feature", commit);
    const { number, title } = pull;
    const pullRequest = { number, title, author: "ada", state: "open", isDraft: false, approvals: null };
    const facts = (treeId: string | null): DeployApprovalRecord["facts"] => ({
      ...{ repository: REPO, isDefaultBranch: false, pullRequest, activeRelease: null, activeCommit: null },
      commit: treeId === null ? null : { title: "t", author: "ada", committedAt: null, treeId },
      ...{ changes: null, commitUrl: null, branchUrl: null, prUrl: null, unmatchedAuthors: [], workload: null },
    });
    return { repository, commit, pull, changed: { commit: commit.sha, facts: facts(commit.tree) }, facts };
  }

  it("deploy R-GITHUB-3: a pull request gets one comment, edited through the states, and again only when something changed", async () => {
    const { repository, pull, changed } = proposed();
    const ours = (): readonly string[] =>
      repository.comments.filter(({ issue }) => issue === pull.number).map(({ body }) => body);
    const request = await scene.ask(changed);
    await scene.attempt("deploy.vcs_comment", request, { event: "created" });
    expect(ours()).toEqual([expect.stringContaining("**Deploy approval needed**")]);
    expect(ours()[0]?.split("\n")[0]).toBe(`<!-- countersign:deploy:${request.id} -->`);
    await scene.decide(request, "approve");
    await scene.attempt("deploy.vcs_comment", request, { event: "approved" });
    expect(ours()).toEqual([
      expect.stringMatching(/Deploy approved[\s\S]*Approved by: `Display ann`[\s\S]*Valid until/),
    ]);
    const calls = github.log.length;
    expect(await scene.attempt("deploy.vcs_comment", request, { event: "approved" })).toMatchObject({ kind: "done" });
    expect(github.log).toHaveLength(calls);
    await scene.revoke(request, "not <b>this</b> one @everybody");
    await scene.attempt("deploy.vcs_comment", request, { event: "rejected" });
    expect(ours()).toEqual([expect.stringMatching(/Deploy rejected[\s\S]*Notes: `not <b>this<\/b> one @everybody`/)]);
    expect(ours()[0]).not.toContain("example.com,");
  });

  it("deploy R-GITHUB-3, R-GITHUB-4: without a pull request, or switched off, no comment is written; the status of the commit is", async () => {
    const { repository, changed } = proposed();
    scene.settings["github_post_pr_comment"] = false;
    const off = await scene.ask(changed);
    const before = repository.comments.length;
    expect(await scene.attempt("deploy.vcs_comment", off)).toMatchObject({ kind: "withdrawn" });
    // The commit's status has nothing to do with comments (R-GITHUB-4).
    expect(await scene.attempt("deploy.vcs_status", off)).toMatchObject({ kind: "done" });
    scene.settings["github_post_pr_comment"] = true;
    const without = await scene.ask({ commit: changed.commit });
    expect(await scene.attempt("deploy.vcs_comment", without)).toMatchObject({ kind: "withdrawn" });
    expect(repository.comments).toHaveLength(before);
  });

  it("deploy R-GITHUB-4: the commit's status follows the request: pending, success, failure", async () => {
    const { repository, changed } = proposed();
    const request = await scene.ask(changed);
    const state = async (): Promise<unknown> => {
      await scene.attempt("deploy.vcs_status", request);
      return repository.statuses.at(-1);
    };
    const context = `countersign/${SCOPE}/${APP}`;
    expect(await state()).toMatchObject({ state: "pending", context });
    await scene.decide(request, "approve");
    expect(await state()).toMatchObject({ state: "pending", description: "Approved, waiting for the deploy" });
    await scene.deploy(request);
    expect(await state()).toMatchObject({ state: "success" });
    const other = await scene.ask(changed);
    await scene.decide(other, "reject", "no");
    await scene.attempt("deploy.vcs_status", other);
    expect(repository.statuses.at(-1)).toMatchObject({ state: "failure", description: "Rejected" });
  });

  it.each([100_000, 1])(
    "deploy R-SOURCE-1: the commit's files are kept and the request says how many (listings up to %i entries)",
    async (entries) => {
      const files = { "a.ts": String(entries), "lib/b.ts": "2", "lib/deep/c.ts": "3" };
      const { repository, commit, changed } = proposed(files);
      repository.treeEntriesMax = entries;
      const request = await scene.ask(changed);
      expect(await scene.attempt("deploy.vcs_tree", request, { event: "created" })).toMatchObject({ kind: "done" });
      repository.treeEntriesMax = 100_000;
      expect((await scene.record(request)).sourceTree).toEqual({ state: "ready", treeId: commit.tree, fileCount: 3 });
      const id = `${scene.at.app.orgId}/${REPO}@${commit.tree}`;
      const [tree] = await scene.at.app.reader.records(recordsBy("deployTree", "id", [id]));
      expect(tree?.files.map(({ path }) => path).toSorted()).toEqual(["a.ts", "lib/b.ts", "lib/deep/c.ts"]);
      expect(tree).toMatchObject({ objectFormat: "sha1", orgId: scene.at.app.orgId });
    },
  );

  it("deploy R-SOURCE-1, identity R-ORG-2: each organization reads a commit's files for itself, and shares them with nobody", async () => {
    const { commit, changed } = proposed({ "own.ts": "both" });
    const { app, pool } = scene.at;
    const theirs = randomUUID();
    await pool.query("insert into organizations (id, name, created_at) values ($1, 'Theirs', now())", [theirs]);
    const known = { orgId: theirs, readAt: app.clock(), objectFormat: "sha1", files: [] } as const;
    const other = app.forOrganization(theirs);
    for (const id of [`${REPO}@${commit.tree}`, `${theirs}/${REPO}@${commit.tree}`]) {
      await other.scratch.add("deployTree", { id, ...known });
    }
    const request = await scene.ask(changed);
    expect(await scene.attempt("deploy.vcs_tree", request, { event: "created" })).toMatchObject({ kind: "done" });
    expect((await scene.record(request)).sourceTree).toMatchObject({ state: "ready", fileCount: 1 });
    const sql = "select org_id, json_array_length(files) as files from deploy_trees where id like $1 order by files";
    const { rows } = await pool.query(sql, [`%/${REPO}@${commit.tree}`]);
    expect(rows).toEqual([
      { org_id: theirs, files: 0 },
      { org_id: app.orgId, files: 1 },
    ]);
  });

  it("deploy R-SOURCE-1, R-REQ-7: a tree that the request does not bind is never read; one that nobody can read is told as unavailable", async () => {
    const { commit, facts } = proposed({ "x.ts": "unknown tree" });
    const sourceTree = { state: "unavailable", why: "nobody told" } as const;
    const request = await scene.ask({ commit: commit.sha, facts: facts(null), sourceTree });
    expect(await scene.attempt("deploy.vcs_tree", request)).toMatchObject({ kind: "withdrawn" });
    expect((await scene.record(request)).sourceTree).toEqual(sourceTree);
    const missing = await scene.ask({ facts: facts("d".repeat(40)) });
    expect(await scene.attempt("deploy.vcs_tree", missing)).toMatchObject({ kind: "failed" });
    const told = await scene.record(missing);
    expect(told).toMatchObject({ sourceTree: { state: "unavailable" }, warnings: [{ code: "source_unverified" }] });
  });

  it("deploy R-REQ-7: after the first decision no tree is recorded any more", async () => {
    const request = await scene.approved(proposed({ "late.ts": "late" }).changed);
    expect(await scene.attempt("deploy.vcs_tree", request)).toMatchObject({ kind: "withdrawn" });
    expect((await scene.record(request)).sourceTree).toMatchObject({ state: "unavailable" });
  });

  it("deploy R-SOURCE-1: while GitHub does not answer the request says so after some attempts, and becomes ready afterwards", async () => {
    const { changed } = proposed({ "y.ts": "slow" });
    const request = await scene.ask(changed);
    github.fail({
      path: /\/git\/trees\//,
      fault: { kind: "answer", answer: { status: 403, headers: { "retry-after": "1" }, body: { message: "rate" } } },
    });
    const effect = await scene.decideEffect("deploy.vcs_tree", request);
    expect(await scene.attemptOf(effect, 1)).toMatchObject({ kind: "retry" });
    expect((await scene.record(request)).sourceTree.state).toBe("pending");
    expect(await scene.attemptOf(effect, 3)).toMatchObject({ kind: "retry" });
    const silent = await scene.record(request);
    expect([silent.sourceTree.state, silent.warnings.map(({ code }) => code)]).toEqual([
      ...["unavailable", ["source_unverified"]],
    ]);
    github.heal();
    scene.at.advance(2_000);
    expect(await scene.attemptOf(effect, 4)).toMatchObject({ kind: "done" });
    expect(await scene.record(request)).toMatchObject({ sourceTree: { state: "ready" }, warnings: [] });
  });

  it("deploy R-GITHUB-5: commits since the last deployed one are read for the reviewer; whoever does not answer is asked again and alarms nobody", async () => {
    const { repository, commit, pull } = proposed({ "z.ts": "1" });
    await scene.ask({ app: "watched", commit: commit.sha, deployedAt: scene.at.app.clock() });
    const next = repository.push("feature", repository.commit({ message: "Fix it\n\nbecause", parents: [commit] }));
    const ofPull = { number: pull.number, title: "t", author: "ada", state: "open", isDraft: false, approvals: null };
    const { facts } = proposed();
    const about = { app: "watched", commit: next.sha, facts: { ...facts(null), pullRequest: ofPull } };
    const request = await scene.ask(about);
    const effect = await scene.decideEffect("deploy.vcs_facts", request);
    github.fail({
      path: /\/compare\//,
      fault: { kind: "answer", answer: { status: 403, headers: { "retry-after": "1" } } },
    });
    expect(await scene.attemptOf(effect, 1)).toMatchObject({ kind: "retry", error: { code: "vcs_unavailable" } });
    scene.at.advance(2_000);
    expect(await scene.attemptOf(effect, 5)).toMatchObject({ kind: "withdrawn", error: { code: "vcs_unavailable" } });
    github.heal();
    scene.at.advance(2_000);
    pull.reviews.push({ user: "grace", state: "CHANGES_REQUESTED" }, { user: "grace", state: "APPROVED" });
    expect(await scene.attemptOf(effect)).toMatchObject({ kind: "done", result: { commits: 1, checks: "none" } });
    const [stored] = await scene.at.app.reader.records(recordsBy("deployVcsFacts", "approvalId", [request.id]));
    expect(stored?.facts).toEqual({
      changes: {
        ...{ count: 1, compareUrl: `https://github.com/${REPO}/compare/${commit.sha}...${next.sha}` },
        commits: [expect.objectContaining({ sha: next.sha, title: "Fix it" })],
      },
      ...{ reviews: [{ author: "grace", state: "approved" }], checks: "none" },
    });
    await scene.cancel(request);
    expect(await scene.attempt("deploy.vcs_facts", request)).toMatchObject({ kind: "withdrawn" });
  });

  it("ledger R-KIND-1: what the worker wrote is whole", async () => {
    expect(await verifyDatabase(database.url)).toEqual([]);
  });
});
