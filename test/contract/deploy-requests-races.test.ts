/** Deploy approval requests decided by several at once, with factors that were used before, and while the ledger cannot be written (docs/spec/deploy.md section 24.1). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { activatePolicy } from "../../src/app/activate-policy.ts";
import { createPolicy } from "../../src/app/create-policy.ts";
import { policyCreateSchema } from "../../src/contract/policy.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { defaultDeployPolicy } from "../../src/gates/deploy/default-policy.ts";
import {
  deployCall,
  DeployRequestsScene,
  ended,
  MINUTE,
  REQUESTS,
  type CiToken,
} from "../support/deploy-requests-scene.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { done } from "../support/race-world.ts";
import { must, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { totpCode } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const ROUNDS = 4;
/** As many as approve at once, and how often: 1,000 rounds of the decision alone are in test/simulation/laws.test.ts. */
const ADMINS = 20;
const CROWDED_ROUNDS = 2;
const STEP_MS = 30_000;

describeOnEveryPostgres("deploy approval requests in races", (database) => {
  let scene: DeployRequestsScene;
  let token: CiToken;
  let admins: readonly TestBrowser[];
  let ann: TestBrowser;
  let ben: TestBrowser;
  let secret: string;

  beforeAll(async () => {
    scene = await DeployRequestsScene.open(database.url);
    const made: TestBrowser[] = [];
    for (let number = 1; number <= ADMINS; number += 1) {
      made.push(await scene.person({ login: `admin-${String(number)}`, roles: ["admin"] }));
    }
    admins = made;
    [ann = scene.admin, ben = scene.admin] = made;
    token = await scene.token();
    secret = await enrolTotp(ann);
    await scene.cool([scene.admin, ...admins]);
  }, 240_000);
  afterAll(() => scene.close());

  async function enrolTotp(browser: TestBrowser): Promise<string> {
    const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const found = textAt(offered, "secret");
    const code = totpCode(found, scene.at.app.clock());
    must(await browser.post("/me/factors/totp", { ceremony: offered["ceremony"], code, name: "Phone" }), 201);
    return found;
  }

  function pathOf({ public_id: id }: JsonObject, act: string): string {
    return `${REQUESTS}/${typeof id === "string" ? id : ""}/${act}`;
  }

  /** Ready to be sent: its factor is proven. */
  async function ready(browser: TestBrowser, made: JsonObject): Promise<() => Promise<BrowserAnswer>> {
    const path = pathOf(made, "approve");
    const headers = await browser.proofFor(`POST ${path}`);
    return () => deployCall(browser, "POST", path, { headers });
  }

  function requestsIn({ deploy_approval_requests: all }: JsonObject): readonly JsonObject[] {
    return Array.isArray(all) ? all.filter(isJsonObject) : [];
  }

  function countOf({ effects }: JsonObject, kind: string): number {
    const all = Array.isArray(effects) ? effects.filter(isJsonObject) : [];
    return all.filter((effect) => effect["kind"] === kind).length;
  }

  it("deploy R-STATE-3: of many who approve at once one does, with one grant and one set of effects", async () => {
    for (let round = 1; round <= CROWDED_ROUNDS; round += 1) {
      const made = await scene.asked(token, { git_branch: `race-${String(round)}` });
      const sends = await Promise.all(admins.map((admin) => ready(admin, made)));
      const answers = (await Promise.all(sends.map((send) => send()))).map(ended);
      expect(answers.toSorted()).toEqual([
        "200 approved",
        ...Array.from({ length: ADMINS - 1 }, () => "409 deploy_approval_not_pending"),
      ]);
      const shown = await scene.shown(token, made);
      expect([countOf(shown, "deploy.ci"), countOf(shown, "deploy.chat")]).toEqual([2, 2]);
      const grants = await scene.at.pool.query("select id from grants where request_id = $1", [made["public_id"]]);
      expect(grants.rows).toHaveLength(1);
    }
  });

  it("deploy R-STATE-2: approved and rejected at the same instant one wins, and a late no takes the yes back", async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const made = await scene.asked(token, { git_branch: `both-${String(round)}` });
      const send = await ready(ann, made);
      const [yes, no] = await Promise.all([send(), scene.act(ben, made, "reject", { notes: "no" })]);
      const shown = await scene.shown(token, made);
      expect([ended(yes), ended(no), shown["status"]]).toEqual(
        no.statusCode === 200
          ? [expect.stringMatching(/^(?:200 approved|409 deploy_approval_not_pending)$/), "200 rejected", "rejected"]
          : ["200 approved", "409 deploy_approval_not_pending", "approved"],
      );
    }
  });

  it("deploy R-EXPIRY-3: approved at the end of its time it is approved or expired, and the grant agrees", async () => {
    scene.set("deploy_approval_pending_ttl_minutes", 5, null);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const made = await scene.asked(token, { git_branch: `late-${String(round)}` });
      const send = await ready(ann, made);
      const end = Date.parse(textAt(made, "request_expires_at"));
      scene.at.advance(end - scene.at.app.clock() - round);
      const [answer] = await Promise.all([send(), scene.tick(made)]);
      const shown = await scene.shown(token, made);
      const grants = await scene.at.pool.query("select id from grants where request_id = $1", [made["public_id"]]);
      const isApproved = answer.statusCode === 200;
      expect([ended(answer), grants.rows.length]).toEqual(
        isApproved ? ["200 approved", 1] : ["409 deploy_approval_not_pending", 0],
      );
      expect(shown["status"]).toBe(isApproved ? "approved" : "expired");
      scene.at.advance(MINUTE);
    }
    scene.set("deploy_approval_pending_ttl_minutes", null, null);
  });

  it("deploy R-REQ-9, R-STATE-4: with a quorum of two the first approval waits, and the same person counts once", async () => {
    const { stages } = defaultDeployPolicy;
    const two = Array.isArray(stages) ? stages.filter(isJsonObject).map((stage) => ({ ...stage, mode_value: 2 })) : [];
    const document = { ...defaultDeployPolicy, policy_key: "two-people", name: "Two people", stages: two };
    const actor = await scene.at.admin();
    done(await createPolicy(scene.at.app, actor, policyCreateSchema.parse(document), null));
    done(await activatePolicy(scene.at.app, actor, { key: "two-people", version: 1 }, null));
    scene.set("deploy_policy", "two-people");
    const made = await scene.asked(token, { git_branch: "two" });
    scene.set("deploy_policy", null);
    expect(made).toMatchObject({ policy: { name: "two-people" }, approvals: { required: 2, given: 0 } });
    for (let times = 1; times <= 2; times += 1) {
      const first = must(await scene.act(ann, made, "approve"), 200);
      expect(first).toMatchObject({ status: "pending", approvals: { required: 2, given: 1 } });
    }
    expect(must(await scene.act(ben, made, "approve"), 200)).toMatchObject({
      status: "approved",
      approvals: { required: 2, given: 2 },
      approved_by_email: "admin-2@example.com",
    });
    scene.set("deploy_policy", "no-such");
    const refused = await token.call("POST", REQUESTS, scene.body());
    scene.set("deploy_policy", null);
    expect([ended(refused), bodyOf(refused)["error"]]).toEqual([
      "422 policy_unavailable",
      "deploy policy 'no-such' is not available",
    ]);
  });

  it("deploy R-MFA-3: a code of an authenticator approves once, whatever it is sent for next", async () => {
    const [one, two] = [await scene.asked(token), await scene.asked(token, { git_branch: "other" })];
    scene.at.advance(STEP_MS);
    const headers = { "x-mfa-totp": totpCode(secret, scene.at.app.clock()) };
    const first = must(await deployCall(ann, "POST", pathOf(one, "approve"), { headers }), 200);
    expect(first).toMatchObject({ status: "approved", approval_assurance: "mfa:totp" });
    const again = await deployCall(ann, "POST", pathOf(two, "approve"), { headers });
    expect([again.statusCode, bodyOf(again)["error"]]).toEqual([401, "mfa_verification_failed"]);
    expect(await scene.shown(token, two)).toMatchObject({ status: "pending", version: two["version"] });
  });

  it("deploy R-MFA-3: a passkey's answer for one request approves no other, not twice, and not late", async () => {
    const [one, two] = [await scene.asked(token), await scene.asked(token, { git_branch: "other" })];
    const forOne = await ann.proofFor(`POST ${pathOf(one, "approve")}`);
    const crossed = await deployCall(ann, "POST", pathOf(two, "approve"), { headers: forOne });
    expect([crossed.statusCode, bodyOf(crossed)["error"]]).toEqual([401, "mfa_verification_failed"]);
    const headers = await ann.proofFor(`POST ${pathOf(one, "approve")}`);
    must(await deployCall(ann, "POST", pathOf(one, "approve"), { headers }), 200);
    const replayed = await deployCall(ann, "POST", pathOf(two, "approve"), { headers });
    expect(replayed.statusCode).toBe(401);
    const late = await ann.proofFor(`POST ${pathOf(two, "approve")}`);
    scene.at.advance(121_000);
    const over = await deployCall(ann, "POST", pathOf(two, "approve"), { headers: late });
    expect(over.statusCode).toBe(401);
    expect(await scene.shown(token, two)).toMatchObject({ status: "pending" });
  });

  it("deploy R-STATE-3: while the ledger cannot be written nothing is approved, and afterwards it works again", async () => {
    const made = await scene.asked(token);
    const [first, second] = [await ready(ann, made), await ready(ann, made)];
    await scene.at.pool.query(`create function no_space() returns trigger language plpgsql as
      $$ begin raise exception 'no space' using errcode = '53100'; end $$`);
    await scene.at.pool.query(
      "create trigger full_disk before insert on ledger_entries for each statement execute function no_space()",
    );
    const start = Date.now();
    const refused = await first();
    await scene.at.pool.query("drop trigger full_disk on ledger_entries");
    expect(refused.statusCode).toBe(503);
    expect(Date.now() - start).toBeLessThan(2_000);
    expect(await scene.shown(token, made)).toMatchObject({ status: "pending", version: made["version"] });
    expect(ended(await second())).toBe("200 approved");
  });

  it("deploy R-REQ-15: where everybody needs approval a person asks for themselves, and somebody else approves", async () => {
    scene.set("deploy_approval_required_for", "everyone", null);
    const asked = await deployCall(ben, "POST", REQUESTS, { body: scene.body() });
    scene.set("deploy_approval_required_for", null, null);
    const made = must(asked, 201);
    expect(made).toMatchObject({ target_api_token_id: "", target_user_email: "admin-2@example.com" });
    expect(ended(await scene.act(ben, made, "approve"))).toBe("403 separation_of_duties");
    must(await scene.act(ann, made, "approve"), 200);
    const without = await deployCall(ben, "POST", REQUESTS, { body: scene.body() });
    expect([without.statusCode, bodyOf(without)["error"]]).toEqual([
      400,
      "target_api_token_id or target_api_token is required",
    ]);
  });

  it.each(["gated", "tokens", "everyone"])(
    "identity R-ROLE-1: deploy_approval_required_for: %s changes nothing about who approves",
    async (value) => {
      const made = await scene.asked(token);
      const [viewer, deployer] = [
        await scene.person({ roles: ["viewer"] }),
        await scene.person({ roles: ["deployer"] }),
      ];
      scene.set("deploy_approval_required_for", value, null);
      const path = pathOf(made, "approve");
      const refused = [await deployCall(viewer, "POST", path), await deployCall(deployer, "POST", path)].map(ended);
      const approved = ended(await scene.act(ann, made, "approve"));
      scene.set("deploy_approval_required_for", null, null);
      expect([...refused, approved]).toEqual(["403 permission_denied", "403 permission_denied", "200 approved"]);
    },
  );

  it("deploy 11.1: lists read what older clients send, and refuse what cannot be meant", async () => {
    const open = must(await deployCall(ann, "GET", `${REQUESTS}?only_open=true&status=rejected&limit=2&offset=1`), 200);
    const items = requestsIn(open);
    expect(items).toHaveLength(2);
    expect(items.every((item) => ["pending", "approved"].includes(textAt(item, "status")))).toBe(true);
    expect(open["next_cursor"]).toEqual(expect.any(String));
    must(await deployCall(ann, "GET", `${REQUESTS}?limit=many&offset=few`), 200);
    for (const [query, error] of [
      ["limit=-1", "limit must be non-negative"],
      ["git_commit=xyz", "git_commit must be hexadecimal"],
    ]) {
      const answer = await deployCall(ann, "GET", `${REQUESTS}?${query ?? ""}`);
      expect([answer.statusCode, bodyOf(answer)["error"]]).toEqual([400, error]);
    }
    const next = must(
      await deployCall(ann, "GET", `${REQUESTS}?cursor=${textAt(open, "next_cursor")}&only_open=true`),
      200,
    );
    expect(JSON.stringify(next)).not.toContain(textAt(items[1], "public_id"));
    expect((await deployCall(ann, "GET", `/../racks/nowhere/api/v1${REQUESTS}`)).statusCode).toBe(404);
  });
});
