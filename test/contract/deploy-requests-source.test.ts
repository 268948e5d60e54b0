/** What version control and CI say of a deploy approval request, and what follows from it (docs/spec/deploy.md R-REQ-3, R-REQ-10, sections 14 and 15). */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { createImageRegistries } from "../../src/adapters/registry/image-registries.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import {
  deployCall,
  DeployRequestsScene,
  ended,
  REPO,
  REQUESTS,
  type CiToken,
} from "../support/deploy-requests-scene.ts";
import type { SimulatedRepository } from "../support/github-simulator/github-repository.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { RegistrySimulator } from "../support/registry-simulator/registry-simulator.ts";
import { must, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

describeOnEveryPostgres("deploy approval requests and where their commits come from", (database) => {
  let scene: DeployRequestsScene;
  let token: CiToken;
  let ann: TestBrowser;
  let ada: TestBrowser;
  let registry: RegistrySimulator;
  const repository = (): SimulatedRepository => scene.outside.github.repository(REPO);

  beforeAll(async () => {
    registry = await RegistrySimulator.open({ challenge: "none" });
    const registries = [{ name: "registry.example.com", url: registry.url, tokenHost: "", credential: null }];
    const fetch = createGuardedFetch({ allow: [], allowHttp: false, development: true });
    scene = await DeployRequestsScene.open(database.url, createImageRegistries({ registries, fetch }));
    ann = await scene.person({ login: "ann", roles: ["admin"] });
    // The simulator's commits are hers.
    ada = await scene.person({ login: "ada", name: "Ada Lovelace", roles: ["admin"] });
    token = await scene.token();
    await scene.cool([scene.admin, ann, ada]);
    scene.set("vcs_repo", REPO);
    repository().push("main", repository().commit());
  }, 120_000);
  afterAll(async () => {
    await scene.close();
    await registry.close();
  });
  beforeEach(() => {
    for (const key of ["verify_source", "verify_git_commit_mode", "circleci_approval_job_name"]) scene.set(key, null);
  });

  /** A branch with one commit and an open pull request. */
  function pushed(branch: string): string {
    const base = repository().history.get(repository().branches.get("main") ?? "");
    if (base === undefined) throw new Error("no main branch");
    const commit = repository().push(branch, repository().commit({ parents: [base], files: { "app.js": branch } }));
    repository().pull(branch, commit);
    return commit.sha;
  }

  const body = (branch: string, commit: string, more: JsonObject = {}): JsonObject =>
    scene.body({ git_branch: branch, git_commit_hash: commit, ...more });

  it("deploy R-REQ-10: whoever wrote the commit may not approve it, and is told so", async () => {
    const made = must(await token.call("POST", REQUESTS, body("mine", pushed("mine"))), 201);
    expect(made).toMatchObject({
      commit: { author: "Ada Lovelace" },
      pr: { number: 1, author: "ada" },
      unmatched_authors: [],
    });
    const refused = await scene.act(ada, made, "approve");
    expect([ended(refused), bodyOf(refused)["reason"]]).toEqual(["403 separation_of_duties", "commit_author"]);
    expect(must(await deployCall(ada, "GET", `${REQUESTS}/${textAt(made, "public_id")}`), 200)["viewer"]).toMatchObject(
      {
        can_approve: false,
        can_reject: true,
        why_not: "you wrote the commit",
      },
    );
    // An administrative rejection is open to an excluded author.
    expect(must(await scene.act(ada, made, "reject", { notes: "my mistake" }), 200)).toMatchObject({
      status: "rejected",
    });
  });

  it("deploy R-IMAGE-8: what the committed manifest's images lead to is recorded and shown before anybody approves", async () => {
    const digest = registry.push("app", "stable", "one");
    const base = repository().history.get(repository().branches.get("main") ?? "");
    const images = { web: "registry.example.com/app:stable", worker: "registry.example.com/app:$TAG" };
    const lines = Object.entries(images).map(([name, image]) => `  ${name}:\n    image: ${image}\n`);
    const files = { "convox.yml": `services:\n${lines.join("")}  own:\n    build: .\n` };
    const commit = repository().commit({ parents: base === undefined ? [] : [base], files });
    repository().pull("images", repository().push("images", commit));
    scene.set("image_digest_resolution", "record");
    const made = must(await token.call("POST", REQUESTS, body("images", commit.sha)), 201);
    scene.set("image_digest_resolution", null);
    expect(made["images"]).toEqual([
      { service: "web", image: images.web, digest },
      { service: "own", image: "", built: true },
    ]);
    expect((await scene.history(ann, made)).map(({ action }) => action)).toContain("deploy.images_resolved");
  });

  it("deploy R-REQ-1, R-REQ-3: an abbreviated commit is looked up and stored in full; what is no commit is refused", async () => {
    const commit = pushed("short");
    const made = must(await token.call("POST", REQUESTS, body("short", commit.slice(0, 8).toUpperCase())), 201);
    expect(made).toMatchObject({ git_commit_hash: commit });
    expect(JSON.stringify(made["warnings"])).toContain("commit_expanded");
    const full = "git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)";
    for (const wrong of ["%", "_", "a", `${commit.slice(0, 39)}%`, `${commit}0`, "deadbee"]) {
      const answer = await token.call("POST", REQUESTS, body("short", wrong));
      expect([wrong, answer.statusCode, bodyOf(answer)["error"]]).toEqual([wrong, 400, full]);
    }
    scene.set("vcs_repo", null);
    const unknown = await token.call("POST", REQUESTS, body("short", commit.slice(0, 39)));
    scene.set("vcs_repo", REPO);
    expect(ended(unknown)).toBe("400 commit_incomplete");
  });

  it("deploy R-GITHUB-2: only the head of a branch with an open pull request, which has not gone another way", async () => {
    const old = pushed("grows");
    const parent = repository().history.get(old);
    const forced = repository().push("grows", repository().commit({ parents: parent === undefined ? [] : [parent] }));
    const stale = await token.call("POST", REQUESTS, body("grows", old));
    expect(ended(stale)).toBe("400 commit_not_verified");
    const elsewhere = repository().commit();
    expect(ended(await token.call("POST", REQUESTS, body("grows", elsewhere.sha)))).toBe("400 commit_not_verified");
    scene.set("verify_git_commit_mode", "branch");
    expect(ended(await token.call("POST", REQUESTS, body("grows", elsewhere.sha)))).toBe("400 commit_not_verified");
    repository().push("grows", elsewhere);
    const diverged = await token.call("POST", REQUESTS, body("grows", forced.sha));
    expect(ended(diverged)).toBe("400 commit_not_verified");
  });

  it("deploy R-VCS-3: a branch that moved on since is not approved, by this route or by the generic one", async () => {
    const commit = pushed("moves");
    const made = must(await token.call("POST", REQUESTS, body("moves", commit)), 201);
    const parent = repository().history.get(commit);
    repository().push("moves", repository().commit({ parents: parent === undefined ? [] : [parent] }));
    const refused = await scene.act(ann, made, "approve");
    expect(ended(refused)).toBe("409 approval_stale");
    expect(bodyOf(refused)).toMatchObject({ public_id: made["public_id"], status: "pending" });
    const generic = await decidedGenerically(made);
    expect([generic.statusCode, bodyOf(generic)["code"]]).toEqual([409, "approval_stale"]);
    expect(await scene.shown(token, made)).toMatchObject({ status: "pending" });
    repository().push("moves", parent ?? repository().commit());
    const approved = await decidedGenerically(made);
    expect(approved.statusCode).toBe(201);
    const shown = await scene.shown(token, made);
    const window = Date.parse(textAt(shown, "approval_expires_at")) - Date.parse(textAt(shown, "approved_at"));
    expect([shown["status"], window]).toEqual(["approved", 15 * 60_000]);
  });

  async function decidedGenerically(made: JsonObject): ReturnType<TestBrowser["call"]> {
    const { items } = must(await ann.get(`/tasks?request_id=${textAt(made, "public_id")}`), 200);
    const id = textAt(items, 0, "id");
    const proof = await ann.proofFor(`POST /tasks/${id}/decision`, { decision: "approve" });
    return ann.call("POST", `root:/v1/awe/tasks/${id}/decision`, { action: "approve" }, { headers: proof });
  }

  it("deploy R-SOURCE-1: where the source must be verified, nothing is approved before it is known", async () => {
    scene.set("verify_source", "enforce");
    const made = must(await token.call("POST", REQUESTS, body("enforced", pushed("enforced"))), 201);
    expect(made["source_verification"]).toBe("pending");
    expect(ended(await scene.act(ann, made, "approve"))).toBe("409 source_not_ready");
  });

  it("deploy R-REQ-7, R-REQ-13: without verification the tree is bound all the same, and the warning says what is switched off", async () => {
    scene.set("github_verification", false);
    const commit = pushed("unverified");
    const made = must(await token.call("POST", REQUESTS, body("unverified", commit)), 201);
    const nowhere = must(await token.call("POST", REQUESTS, body("nowhere", "e".repeat(40))), 201);
    scene.set("github_verification", null);
    expect([made["source_verification"], codesOf(made)]).toEqual(["pending", ["vcs_not_configured"]]);
    expect(JSON.stringify(made["warnings"])).toContain("github_verification is off for this app");
    const request = must(await ann.get(`/requests/${textAt(made, "public_id")}`), 200);
    expect(request["context"]).toMatchObject({ source_tree: repository().history.get(commit)?.tree });
    expect(nowhere["source_verification"]).toContain("unavailable (the commit could not be read");
    expect(codesOf(nowhere)).toEqual(["vcs_not_configured", "source_unverified"]);
  });

  function codesOf({ warnings }: JsonObject): readonly string[] {
    const all = Array.isArray(warnings) ? warnings.filter(isJsonObject).map((one) => textAt(one, "code")) : [];
    return all.filter((code) => code !== "ci_not_ready");
  }

  it("deploy R-VCS-3: version control that does not answer refuses, and leaves nothing behind", async () => {
    const commit = pushed("silent");
    scene.outside.github.fail({
      path: /./,
      fault: { kind: "answer", answer: { status: 500, body: { message: "broken" } } },
    });
    const refused = await token.call("POST", REQUESTS, body("silent", commit));
    scene.outside.github.heal();
    expect(refused.statusCode).toBe(502);
    must(await token.call("POST", REQUESTS, body("silent", commit)), 201);
  });

  it("deploy R-CI-2, R-REQ-4: problems of CI are told, and another run of the same commit joins the live request", async () => {
    scene.set("circleci_approval_job_name", "hold");
    scene.set("circleci_auto_approve_on_approval", true);
    const commit = pushed("ci");
    const unexpanded = await token.call(
      "POST",
      REQUESTS,
      body("ci", commit, { ci_metadata: { workflow_id: "$CIRCLE_WORKFLOW_ID" } }),
    );
    const told = must(unexpanded, 201);
    expect(JSON.stringify(told["warnings"])).toContain("ci_not_ready");
    expect(told["ci"]).toMatchObject({
      provider: "circleci",
      ready: false,
      problems: [{ code: "metadata_unexpanded" }],
    });
    must(await token.call("POST", `${REQUESTS}/${textAt(told, "public_id")}/cancel`), 200);
    const run = (workflow: string): JsonObject => ({ workflow_id: workflow, pipeline_number: "42" });
    const made = must(await token.call("POST", REQUESTS, body("ci", commit, { ci_metadata: run("one") })), 201);
    expect(made["ci"]).toMatchObject({ ready: true, problems: [] });
    for (const workflow of ["one", "two", "two"]) {
      const again = await token.call("POST", REQUESTS, body("ci", commit, { ci_metadata: run(workflow) }));
      expect(ended(again)).toBe("409 deploy_approval_exists");
    }
    const shown = await scene.shown(token, made);
    expect(shown["ci_joined"]).toEqual([run("two")]);
    expect(shown["payload_digest"]).toBe(made["payload_digest"]);
  });

  it("deploy R-STATE-3: what is to be done outside is written with the change, once", async () => {
    const made = must(await token.call("POST", REQUESTS, body("effects", pushed("effects"))), 201);
    expect(kindsOf(made)).toEqual(expect.arrayContaining(["deploy.vcs_tree", "deploy.vcs_comment", "deploy.chat"]));
    const approved = must(await scene.act(ann, made, "approve"), 200);
    must(await scene.act(ann, made, "approve"), 200);
    const shown = await scene.shown(token, made);
    expect(kindsOf(shown)).toEqual(kindsOf(approved));
    expect(kindsOf(shown).filter((kind) => kind === "deploy.ci")).toHaveLength(2);
  });

  function kindsOf({ effects }: JsonObject): readonly string[] {
    return Array.isArray(effects) ? effects.filter(isJsonObject).map((effect) => textAt(effect, "kind")) : [];
  }

  it("deploy R-REQ-16: the view shows requests as readers see them, expiry included", async () => {
    const made = must(await token.call("POST", REQUESTS, body("view", pushed("view"))), 201);
    const approved = must(await scene.act(ann, made, "approve"), 200);
    const row = async (): Promise<unknown> =>
      (await scene.at.pool.query("select * from deploy_approval_requests where public_id = $1", [made["public_id"]]))
        .rows[0];
    expect(await row()).toMatchObject({
      ...{ app: "myapp", git_commit_hash: made["git_commit_hash"], git_branch: "view", status: "approved" },
      ...{ target_api_token_id: token.number, approved_by_user_id: approved["approved_by_user_id"] },
    });
  });
});
