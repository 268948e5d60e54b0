/** The life of a deploy approval request over HTTP: made, seen, decided, ended (docs/spec/deploy.md sections 2, 3, 11.1 and 24.1). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GATE_VIEWER } from "../../src/app/deploy/gate-viewer.ts";
import { inboxSchema } from "../../src/contract/inbox.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { liveEvent } from "../../src/http/wire/event-out.ts";
import { CiToken, deployCall, DeployRequestsScene, ended, MINUTE, REQUESTS } from "../support/deploy-requests-scene.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

describeOnEveryPostgres("deploy approval requests", (database) => {
  let scene: DeployRequestsScene;
  let token: CiToken;
  let root: TestBrowser;
  let ann: TestBrowser;
  let bob: TestBrowser;

  beforeAll(async () => {
    scene = await DeployRequestsScene.open(database.url);
    root = scene.admin;
    ann = await scene.person({ login: "ann", name: "Ann Ash", roles: ["admin"] });
    bob = await scene.person({ login: "bob", roles: ["deployer"] });
    token = await scene.token();
    await scene.cool([root, ann, bob]);
  }, 120_000);
  afterAll(() => scene.close());

  function versionOf({ version }: JsonObject): string {
    return typeof version === "number" ? String(version) : "";
  }

  it("deploy R-REQ-13, R-UI-4, 11.1: a token's request is made, shown to the token, and listed for whoever may approve", async () => {
    const answer = await token.call("POST", REQUESTS, scene.body({ git_branch: "refs/heads/one" }));
    const made = must(answer, 201);
    expect(made).toMatchObject({
      ...{ status: "pending", app: "myapp", scope: "production", git_branch: "one", message: "Deploy it" },
      ...{ target_api_token_id: token.id, created_by_api_token_id: token.id, extensions: 0 },
      policy: { name: "deploy-default", version: 1 },
      approvals: { required: 1, given: 0, stage: "Approval" },
      viewer: { can_approve: false, can_cancel: true },
    });
    expect(answer.headers["etag"]).toBe(`"${versionOf(made)}"`);
    const shown = await scene.shown(token, made);
    expect(shown).toEqual(made);
    const listed = must(await deployCall(ann, "GET", `${REQUESTS}?git_branch=one`), 200);
    expect(listed["deploy_approval_requests"]).toMatchObject([
      { public_id: made["public_id"], viewer: { can_approve: true } },
    ]);
    const day = textAt(made, "created_at").slice(0, 10);
    const between = async (since: string, until: string): Promise<number> => {
      const found = must(await deployCall(ann, "GET", `${REQUESTS}?git_branch=one&since=${since}&until=${until}`), 200);
      return Object.keys(found["deploy_approval_requests"] ?? []).length;
    };
    const dayAfter = new Date(Date.parse(day) + 86_400_000).toISOString();
    expect([await between(day, dayAfter), await between("2020-01-01", day)]).toEqual([1, 0]);
    expect((await deployCall(ann, "GET", `${REQUESTS}?since=yesterday`)).statusCode).toBe(400);
    const others = must(await deployCall(bob, "GET", REQUESTS), 200);
    expect(others["deploy_approval_requests"]).toEqual([]);
    expect((await deployCall(bob, "GET", `${REQUESTS}/${textAt(made, "public_id")}`)).statusCode).toBe(404);
  });

  it("deploy R-REQ-4: one request lives per app, commit and token, and the second caller is shown it", async () => {
    const body = scene.body();
    const first = must(await token.call("POST", REQUESTS, body), 201);
    const again = await token.call("POST", REQUESTS, { ...body, message: "again" });
    expect(ended(again)).toBe("409 deploy_approval_exists");
    expect(bodyOf(again)).toMatchObject({
      public_id: first["public_id"],
      message: "Deploy it",
      error: "an approval request is already pending or approved for this token and git commit",
    });
    must(await token.call("POST", REQUESTS, { ...body, app: "other" }), 201);
    const second = await scene.token();
    must(await second.call("POST", REQUESTS, body), 201);
  });

  it("deploy R-EXPIRY-1, R-MFA-3: approved with a factor in the call, for the window that the settings say", async () => {
    scene.set("deploy_approval_window_minutes", 25, null);
    const made = await scene.asked(token);
    const approved = must(await scene.act(ann, made, "approve", { notes: " looks good " }), 200);
    expect(approved).toMatchObject({
      ...{ status: "approved", approved_by_email: "ann@example.com", approved_by_name: "Ann Ash" },
      ...{ approval_notes: "looks good", approval_assurance: "mfa:webauthn" },
    });
    const window = Date.parse(textAt(approved, "approval_expires_at")) - Date.parse(textAt(approved, "approved_at"));
    expect(window).toBe(25 * MINUTE);
    scene.set("deploy_approval_window_minutes", null, null);
    const other = must(await scene.act(ann, await scene.asked(token), "approve"), 200);
    const usual = Date.parse(textAt(other, "approval_expires_at")) - Date.parse(textAt(other, "approved_at"));
    expect(usual).toBe(15 * MINUTE);
  });

  it("deploy R-MFA-1, R-MFA-4: without a factor in the very call nothing is approved, and the refusal is an entry", async () => {
    const made = await scene.asked(token);
    const path = `${REQUESTS}/${textAt(made, "public_id")}/approve`;
    const bare = await deployCall(ann, "POST", path);
    expect([bare.statusCode, bare.headers["x-mfa-required"], bodyOf(bare)["error"]]).toEqual([
      401,
      "always",
      "mfa_required",
    ]);
    expect(await scene.shown(ann, made)).toMatchObject({ status: "pending", version: made["version"] });
    const denied = (await scene.history(ann, made)).filter(({ status }) => status === "denied");
    expect(denied).toMatchObject([{ action: "deploy_approval_request.refuse", user_email: "ann@example.com" }]);
    expect(denied[0]?.["details"]).toContain('"mfa_required"');
  });

  it("deploy 11.1: no token decides, whatever it holds, and nobody without the permission", async () => {
    const made = await scene.asked(token);
    const mighty = await scene.token({ role: null, permissions: ["gateway:*:*"] });
    for (const act of ["approve", "reject", "extend"]) {
      for (const caller of [token, mighty]) {
        const answer = await caller.call("POST", `${REQUESTS}/${textAt(made, "public_id")}/${act}`, {});
        expect(`${act} ${ended(answer)}`).toBe(`${act} 403 token_cannot_decide`);
        expect(bodyOf(answer)["error"]).toBe("API tokens cannot decide deploy approval requests");
      }
      const path = `${REQUESTS}/${textAt(made, "public_id")}/${act}`;
      expect(ended(await deployCall(bob, "POST", path))).toBe("403 permission_denied");
    }
    expect(await scene.shown(token, made)).toMatchObject({ status: "pending", version: made["version"] });
  });

  it("deploy R-REQ-10: neither the token's owner nor who asked may approve, and each is told why", async () => {
    const owned = await scene.token({ user_email: "ann@example.com" });
    const forAnn = await scene.asked(owned);
    const refused = await scene.act(ann, forAnn, "approve");
    expect(ended(refused)).toBe("403 separation_of_duties");
    expect(bodyOf(refused)).toMatchObject({
      reason: "token_owner",
      error: "you cannot approve this request because you own the CI token it is for",
    });
    const body = scene.body({ target_api_token_id: token.id });
    const byRoot = must(await deployCall(root, "POST", REQUESTS, { body }), 201);
    expect(byRoot).toMatchObject({ created_by_email: "root@example.com", viewer: { can_approve: false } });
    const own = await scene.act(root, byRoot, "approve");
    expect([ended(own), bodyOf(own)["reason"]]).toEqual(["403 separation_of_duties", "requester"]);
    must(await scene.act(ann, byRoot, "approve"), 200);
  });

  it("deploy R-STATE-2: rejected without a factor, with notes for whoever waits", async () => {
    const made = await scene.asked(token);
    const waiting = token.call("GET", `${REQUESTS}/${textAt(made, "public_id")}?wait=20&version=${versionOf(made)}`);
    const rejected = must(await scene.act(ann, made, "reject", { notes: "not today" }), 200);
    expect(rejected).toMatchObject({
      status: "rejected",
      approval_notes: "not today",
      rejected_by_email: "ann@example.com",
    });
    expect(must(await waiting, 200)).toMatchObject({ status: "rejected", approval_notes: "not today" });
    expect(ended(await scene.act(ann, made, "approve"))).toBe("409 deploy_approval_not_pending");
  });

  it("deploy R-STATE-1: an approval that is taken back is rejected, its notes stay readable, an empty note has a text", async () => {
    const made = await scene.asked(token);
    must(await scene.act(ann, made, "approve", { notes: "fine" }), 200);
    const rejected = must(await scene.act(root, made, "reject"), 200);
    expect(rejected).toMatchObject({ status: "rejected", rejected_by_email: "root@example.com" });
    expect(rejected["approval_notes"]).toBe("fine\n\nno reason given");
    expect(rejected["outcome_reason"]).toBe("no reason given");
  });

  it("deploy R-STATE-2: the token calls its own request off, another token does not find it", async () => {
    const made = await scene.asked(token);
    const other = await scene.token();
    const path = `${REQUESTS}/${textAt(made, "public_id")}`;
    expect(ended(await other.call("POST", `${path}/cancel`))).toBe("404 deploy_approval_not_found");
    const cancelled = must(await token.call("POST", `${path}/cancel`, { notes: "wrong commit" }), 200);
    expect(cancelled).toMatchObject({ status: "cancelled", outcome_reason: "wrong commit" });
    expect(cancelled["cancelled_at"]).toEqual(expect.any(String));
    expect(must(await token.call("POST", `${path}/cancel`), 200)).toMatchObject({ status: "cancelled" });
  });

  it("deploy R-REQ-5: a newer request of the branch takes the place of those that wait, never of an approved one", async () => {
    const approved = await scene.asked(token, { git_branch: "topic" });
    must(await scene.act(ann, approved, "approve"), 200);
    const older = await scene.asked(token, { git_branch: "topic" });
    const elsewhere = await scene.asked(token, { git_branch: "elsewhere" });
    const newer = await scene.asked(token, { git_branch: "topic" });
    expect(await scene.shown(token, older)).toMatchObject({ status: "superseded", superseded_by: newer["public_id"] });
    const sql = "select superseded_by from deploy_approvals where id = $1";
    const stored = await scene.at.pool.query<{ superseded_by: string }>(sql, [older["public_id"]]);
    expect(stored.rows).toEqual([{ superseded_by: newer["public_id"] }]);
    expect(await scene.shown(token, approved)).toMatchObject({ status: "approved" });
    expect(await scene.shown(token, elsewhere)).toMatchObject({ status: "pending" });
    scene.set("supersede_pending", false);
    await scene.asked(token, { git_branch: "topic" });
    scene.set("supersede_pending", null);
    expect(await scene.shown(token, newer)).toMatchObject({ status: "pending" });
  });

  it("deploy R-EXPIRY-2, R-EXPIRY-3: over for every reader at its instant, written by the clock, and no longer in the way", async () => {
    scene.set("deploy_approval_pending_ttl_minutes", 5, null);
    const body = scene.body();
    const made = must(await token.call("POST", REQUESTS, body), 201);
    const left = Date.parse(textAt(made, "request_expires_at")) - Date.parse(textAt(made, "created_at"));
    expect(left).toBe(5 * MINUTE);
    scene.at.advance(5 * MINUTE);
    expect(await scene.shown(token, made)).toMatchObject({ status: "expired", expired_at: made["request_expires_at"] });
    expect(ended(await scene.act(ann, made, "approve"))).toBe("409 deploy_approval_not_pending");
    const listed = must(
      await deployCall(ann, "GET", `${REQUESTS}?status=expired&git_commit=${textAt(made, "git_commit_hash")}`),
      200,
    );
    expect(listed["deploy_approval_requests"]).toMatchObject([{ public_id: made["public_id"] }]);
    must(await token.call("POST", REQUESTS, body), 201);
    const actions = (await scene.history(token, made)).map(({ action }) => action);
    expect(actions.filter((action) => action === "deploy_approval_request.expire")).toHaveLength(1);
    scene.set("deploy_approval_pending_ttl_minutes", null, null);
  });

  it("deploy R-EXPIRY-3, R-EXPIRY-4: an approval whose window is over is expired, is not extended, and makes room", async () => {
    const body = scene.body();
    const made = must(await token.call("POST", REQUESTS, body), 201);
    must(await scene.act(ann, made, "approve"), 200);
    scene.at.advance(15 * MINUTE);
    expect(await scene.shown(token, made)).toMatchObject({ status: "expired" });
    expect(ended(await scene.act(ann, made, "extend"))).toBe("409 approval_expired");
    await scene.tick(made);
    expect(await scene.shown(token, made)).toMatchObject({ status: "expired" });
    must(await token.call("POST", REQUESTS, body), 201);
  });

  it("deploy R-EXPIRY-4: extended three times, with a factor, never a fourth time and never beyond the bound", async () => {
    const made = await scene.asked(token);
    const first = must(await scene.act(ann, made, "approve"), 200);
    const bare = await deployCall(ann, "POST", `${REQUESTS}/${textAt(made, "public_id")}/extend`);
    expect([bare.statusCode, bare.headers["x-mfa-required"]]).toEqual([401, "always"]);
    let end = textAt(first, "approval_expires_at");
    for (const extensions of [1, 2, 3]) {
      scene.at.advance(5 * MINUTE);
      const extended = must(await scene.act(ann, made, "extend"), 200);
      expect(extended).toMatchObject({ status: "approved", extensions });
      expect(textAt(extended, "approval_expires_at") > end).toBe(true);
      end = textAt(extended, "approval_expires_at");
    }
    scene.at.advance(MINUTE);
    expect(ended(await scene.act(ann, made, "extend"))).toBe("409 extension_limit");
    const bounded = await scene.asked(token);
    must(await scene.act(ann, bounded, "approve"), 200);
    scene.set("deploy_approval_max_window_minutes", 10, null);
    const answer = await scene.act(ann, bounded, "extend");
    scene.set("deploy_approval_max_window_minutes", null, null);
    expect(answer.statusCode).toBe(409);
  });

  it("deploy R-STATE-4: the same decision again changes nothing, an old version is refused", async () => {
    const made = await scene.asked(token);
    const path = `${REQUESTS}/${textAt(made, "public_id")}/approve`;
    const stale = await scene.admin.call(
      "POST",
      `root:/api/v1${path}`,
      {},
      {
        headers: { ...(await root.proofFor(`POST ${path}`)), "if-match": '"1"' },
      },
    );
    expect(ended(stale)).toBe("412 request_changed");
    const approved = must(await scene.act(ann, made, "approve", { notes: "yes" }), 200);
    expect(must(await scene.act(ann, made, "approve", { notes: "yes" }), 200)).toEqual(approved);
    expect(ended(await scene.act(root, made, "approve"))).toBe("409 deploy_approval_not_pending");
  });

  it("deploy R-REQ-11: nothing is asked that nobody could approve", async () => {
    const owned = await scene.token({ user_email: "root@example.com" });
    const before = must(await deployCall(ann, "GET", REQUESTS), 200)["deploy_approval_requests"];
    must(await deployCall(root, "PUT", "/users/ann@example.com", { body: { roles: ["deployer"] }, fresh: true }), 200);
    const refused = await owned.call("POST", REQUESTS, scene.body());
    expect(ended(refused)).toBe("422 no_eligible_approver");
    expect(bodyOf(refused)["excluded"]).toMatchObject([{ person: "Rosa Root" }]);
    const lone = await scene.asked(token);
    expect(JSON.stringify(lone["warnings"])).toContain('"single_approver_left"');
    must(await scene.act(root, lone, "approve"), 200);
    must(await deployCall(root, "PUT", "/users/ann@example.com", { body: { roles: ["admin"] }, fresh: true }), 200);
    const after: unknown = must(await deployCall(root, "GET", REQUESTS), 200)["deploy_approval_requests"];
    expect(Array.isArray(after) && Array.isArray(before) ? after.length - before.length : 0).toBe(1);
  });

  it("deploy R-REQ-14: switched off nothing new is asked, and what was asked can still be decided", async () => {
    const made = await scene.asked(token);
    scene.set("deploy_approvals_enabled", false, null);
    const refused = await token.call("POST", REQUESTS, scene.body());
    expect([ended(refused), bodyOf(refused)["error"]]).toEqual([
      "404 deploy_approvals_disabled",
      "deploy approvals feature is disabled",
    ]);
    must(await scene.act(ann, made, "approve"), 200);
    scene.set("deploy_approvals_enabled", null, null);
  });

  it("deploy R-EXPIRY-5: with the token its requests end, and their history stays readable", async () => {
    const doomed = await scene.token();
    const [waiting, approved] = [await scene.asked(doomed), await scene.asked(doomed, { git_branch: "two" })];
    must(await scene.act(ann, approved, "approve"), 200);
    must(await deployCall(root, "DELETE", `/api-tokens/${doomed.id}`, { fresh: true }), 204);
    for (const made of [waiting, approved]) {
      const shown = await scene.shown(ann, made);
      expect(shown).toMatchObject({ status: "cancelled", outcome_reason: "target token deleted" });
    }
    const actions = (await scene.history(ann, approved)).map(({ action }) => action);
    expect(actions).toContain("deploy_approval_request.approve");
    expect(actions.at(-1)).toBe("deploy_approval_request.cancel");
  });

  it("deploy R-REQ-1, R-REQ-2: what is missing or malformed is named, in order", async () => {
    const body = scene.body();
    const cases: readonly (readonly [JsonObject | readonly string[], number, string])[] = [
      [[], 400, "invalid payload"],
      [{ ...body, message: " " }, 400, "message is required"],
      [{ ...body, git_commit_hash: null }, 400, "git_commit_hash is required"],
      [{ ...body, app: "-x" }, 400, "app name is not valid"],
      [{ ...body, git_branch: "a..b" }, 400, "git_branch is not a valid branch name"],
      [{ ...body, ci_metadata: [] }, 400, "invalid ci_metadata"],
      [{ ...body, images: { web: "x:latest" } }, 400, "images must be pinned by digest"],
      [{ ...body, app: "ghost" }, 404, "app 'ghost' not found"],
      [{ ...body, target_api_token: "no such" }, 404, "api token not found"],
    ];
    for (const [sent, status, error] of cases) {
      const answer = await token.call("POST", REQUESTS, sent);
      expect([answer.statusCode, bodyOf(answer)["error"]]).toEqual([status, error]);
    }
    const nobody = await scene.token({ role: null, permissions: ["gateway:api_token:read"] });
    const refused = await nobody.call("POST", REQUESTS, body);
    expect([refused.statusCode, bodyOf(refused)["error"]]).toEqual([
      403,
      "you do not have permission to request a deploy approval",
    ]);
    const stranger = await deployCall(bob, "POST", REQUESTS, { body: { ...body, target_api_token_id: token.id } });
    expect([stranger.statusCode, bodyOf(stranger)["error"]]).toEqual([403, "not authorized for target token"]);
  });

  it("deploy R-REQ-6: asked for a token that reaches this rack and app and may deploy with approval, by itself or whoever may", async () => {
    const sibling = await scene.token();
    const ofOther = await token.call("POST", REQUESTS, scene.body({ target_api_token_id: sibling.id }));
    expect([ofOther.statusCode, bodyOf(ofOther)["error"]]).toEqual([403, "not authorized for target token"]);
    const reading = { role: null, permissions: ["convox:app:read"] };
    for (const about of [{ racks: ["staging"] }, { apps: ["other"] }, reading]) {
      const unsuitable = await scene.token(about);
      const body = scene.body({ target_api_token_id: unsuitable.id });
      const answer = await deployCall(ann, "POST", REQUESTS, { body });
      expect([about, ended(answer)]).toEqual([about, "400 target_token_unsuitable"]);
    }
    const own = await scene.token({ apps: ["other"] });
    expect(ended(await own.call("POST", REQUESTS, scene.body()))).toBe("403 permission_denied");
    must(await own.call("POST", REQUESTS, scene.body({ app: "other" })), 201);
  });

  it("api R-LIVE-1, deploy R-UI-1: inbox, request and live stream call the gate by its name, and what it is by the deploy's", async () => {
    const made = await scene.asked(token, { message: "Mend the till" });
    const [id, commit] = [textAt(made, "public_id"), textAt(made, "git_commit_hash")];
    const inbox = must(await ann.get(`/inbox?gate=deploy&q=${commit}`), 200);
    expect(inboxSchema.parse(inbox).items).toMatchObject([
      {
        gate: "deploy",
        request_id: id,
        reason: "Mend the till",
        title: `Deploy ${commit.slice(0, 7)} of myapp to production`,
      },
    ]);
    expect(must(await ann.get(`/inbox?gate=generic&q=${commit}`), 200)).toMatchObject({ items: [], total: 0 });
    expect(must(await ann.get(`/requests/${id}`), 200)).toMatchObject({ gate: "deploy", artifact_type: "deploy" });
    const everything = { ...GATE_VIEWER, readsAll: true };
    const events = await scene.at.app.reader.eventsAfter((await scene.at.app.reader.position()) - 20, 200, everything);
    const told = events.map(liveEvent).filter(({ request_id: of }) => of === id);
    expect(told.map(({ event_type: type, gate }) => [type, gate])).toContainEqual(["request_created", "deploy"]);
    expect(made["page_url"]).toBe(`${scene.at.app.identity.publicUrl}/app/deploy/requests/${id}`);
  });

  it("deploy R-REQ-8, engine R-POLICY-10: an organization has the gate's own policy from when it is made", async () => {
    const made = must(await root.post("/orgs", { name: "Newcomers", slug: "newcomers" }, { fresh: true }), 201);
    const about = { login: "nora", roles: ["admin"], organization: textAt(made, "id") };
    const nora = await scene.person(about);
    const body = { name: "ci there", role: "cicd" };
    const there = new CiToken(
      scene.at,
      must(await deployCall(nora, "POST", "/api-tokens", { body, fresh: true }), 200),
    );
    const asked = must(await there.call("POST", REQUESTS, scene.body()), 201);
    expect(asked).toMatchObject({ status: "pending", policy: { name: "deploy-default", version: 1 } });
    expect(ended(await deployCall(ann, "GET", `${REQUESTS}/${textAt(asked, "public_id")}`))).toBe(
      "404 deploy_approval_not_found",
    );
  });

  it("deploy R-REQ-8: no policy stands in for one that is missing, and the request pins the version that it was asked under", async () => {
    scene.set("deploy_policy", "no-such");
    const refused = await token.call("POST", REQUESTS, scene.body());
    expect([ended(refused), bodyOf(refused)["error"]]).toEqual([
      "422 policy_unavailable",
      "deploy policy 'no-such' is not available",
    ]);
    scene.set("deploy_policy", null);
    scene.set("default_deploy_policy", "no-other", null);
    expect(ended(await token.call("POST", REQUESTS, scene.body()))).toBe("422 policy_unavailable");
    scene.set("deploy_policy", "deploy-default");
    expect(await scene.asked(token)).toMatchObject({ policy: { name: "deploy-default", version: 1 } });
    scene.set("deploy_policy", null);
    scene.set("default_deploy_policy", null, null);
  });

  it("deploy R-REQ-6: a person names the token by its id or its number, and none that is gone", async () => {
    const owned = await scene.token({ user_email: "bob@example.com" });
    const nameless = await deployCall(bob, "POST", REQUESTS, { body: scene.body() });
    expect([nameless.statusCode, bodyOf(nameless)["error"]]).toEqual([
      400,
      "target_api_token_id or target_api_token is required",
    ]);
    for (const named of [{ target_api_token_id: owned.id }, { target_api_token: String(owned.number) }]) {
      const body = scene.body(named);
      expect(must(await deployCall(bob, "POST", REQUESTS, { body }), 201)).toMatchObject({
        ...{ target_api_token_id: owned.id, created_by_email: "bob@example.com" },
      });
    }
    const gone = await scene.token();
    must(await deployCall(root, "DELETE", `/api-tokens/${gone.id}`, { fresh: true }), 204);
    const body = scene.body({ target_api_token_id: gone.id });
    expect(ended(await deployCall(root, "POST", REQUESTS, { body }))).toBe("400 target_token_unsuitable");
  });

  it("deploy R-WIRE-2: what one may not see is answered as what is not there, whatever one wants of it", async () => {
    const made = await scene.asked(token);
    const [stranger, nobodys] = [await scene.token(), randomUUID()];
    const told = async (call: (id: string) => Promise<BrowserAnswer>, id: string): Promise<unknown> => {
      const answer = await call(id);
      return [answer.statusCode, { ...bodyOf(answer), request_id: "" }];
    };
    const calls: readonly ((id: string) => Promise<BrowserAnswer>)[] = [
      ...["", "/audit-logs", "?wait=1"].map(
        (path) => (id: string) => deployCall(bob, "GET", `${REQUESTS}/${id}${path}`),
      ),
      (id) => deployCall(bob, "POST", `${REQUESTS}/${id}/cancel`),
      (id) => stranger.call("GET", `${REQUESTS}/${id}`),
      (id) => stranger.call("POST", `${REQUESTS}/${id}/cancel`),
    ];
    for (const call of calls) {
      const theirs = await told(call, textAt(made, "public_id"));
      expect(theirs).toEqual(await told(call, nobodys));
      expect(theirs).toMatchObject([404, { code: "deploy_approval_not_found" }]);
    }
  });

  it("deploy R-WIRE-1: errors say a sentence and a code, ids that cannot be are of nothing, and a route's other methods are named", async () => {
    const { server } = scene.at;
    const bare = { method: "GET", url: `/api/v1${REQUESTS}`, remoteAddress: "10.200.0.7" } as const;
    const unknown = await server.inject(bare);
    expect([unknown.statusCode, bodyOf(unknown)]).toMatchObject([401, { error: "missing authentication" }]);
    const wrong = await server.inject({ ...bare, headers: { authorization: `Bearer rgw_${"x".repeat(43)}` } });
    expect([wrong.statusCode, bodyOf(wrong)["error"]]).toEqual([
      401,
      expect.stringMatching(/^authentication failed: ./),
    ]);
    for (const id of ["1", "x", `${randomUUID()}x`, "'"]) {
      expect([id, (await deployCall(ann, "GET", `${REQUESTS}/${id}`)).statusCode]).toEqual([id, 404]);
    }
    const other = await server.inject({ ...bare, method: "DELETE", headers: { authorization: token.authorization } });
    expect([other.statusCode, other.headers.allow]).toEqual([405, expect.stringContaining("POST")]);
    const nowhere = await token.call("GET", "/no-such-route");
    expect(nowhere.statusCode).toBe(404);
    for (const answer of [unknown, wrong, other, nowhere]) {
      const body = bodyOf(answer);
      expect(["error", "code", "request_id"].filter((member) => textAt(body, member) === "")).toEqual([]);
    }
  });

  it("deploy R-REQ-12: more than sixty a minute are told to wait", async () => {
    const busy = await scene.token();
    let last = await busy.call("POST", REQUESTS, scene.body({ app: "ghost" }));
    for (let number = 2; number <= 61; number += 1)
      last = await busy.call("POST", REQUESTS, scene.body({ app: "ghost" }));
    expect([last.statusCode, bodyOf(last)["error"]]).toEqual([429, "too many deploy approval requests"]);
    expect(Number(last.headers["retry-after"])).toBeGreaterThan(0);
  });
});
