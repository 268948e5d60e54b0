/**
 * The jobs of a CI platform before the deploy gate: approvals are for their workload provider, which any of its jobs may use
 * (docs/spec/deploy.md R-OIDC-1 to R-OIDC-4).
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installManagedPolicies } from "../../src/app/install-managed-policies.ts";
import { policyCreateSchema } from "../../src/contract/policy.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { defaultDeployPolicy } from "../../src/gates/deploy/default-policy.ts";
import { COMMIT, FORM, MANIFEST, openDeployScene, OTHER_COMMIT, type DeployScene } from "../support/deploy-scene.ts";
import { itemsOf } from "../support/deploy-server.ts";
import { openEvilIssuer, type EvilIssuer } from "../support/evil-issuer.ts";
import { jsonOf, type Answer } from "../support/http-call.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { machineOf } from "../support/machine-tokens.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import { must, outcomeOf, type BrowserAnswer } from "../support/signed-in.ts";
import { tarFile, tarGz } from "../support/tar-archive.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const AUDIENCE = "https://approvals.example.com";
const REQUESTS = "/deploy-approval-requests";
const ARCHIVE = tarGz([tarFile("convox.yml", MANIFEST), tarFile("Dockerfile", "FROM scratch\n")]);
/** A factor decides a day after it was enrolled. */
const COOLED = 25 * 3_600_000;

interface Job {
  readonly bearer: { readonly authorization: string };
}

describeOnEveryPostgres("a job of a workload provider", (database) => {
  let scene: DeployScene;
  let issuer: EvilIssuer;
  let providers = 0;
  beforeAll(async () => {
    scene = await openDeployScene(database.url);
    issuer = await openEvilIssuer();
    await installManagedPolicies(scene.at.app, [policyCreateSchema.parse(defaultDeployPolicy)]);
    scene.at.advance(COOLED);
    scene.admin.forgetCookies();
    must(await scene.admin.signIn(), 201);
  });
  afterAll(async () => {
    await issuer.close();
    await scene.close();
  });

  /** Of a service account; each has an audience of its own. */
  async function provider(about: JsonObject = {}): Promise<{ readonly id: string; readonly audience: string }> {
    const { admin } = scene;
    providers += 1;
    const audience = `${AUDIENCE}/${String(providers)}`;
    const draft = {
      machine_id: await machineOf(admin, { owners: [], contact_id: admin.personId }),
      ...{ name: `pipeline ${String(providers)}`, preset: "custom", issuer: issuer.issuer, audience },
      ...{ subjects: ["repo:MyOrg/myapp:*"], claims: { repository_id: "4711", ref: "refs/heads/*" } },
      ...about,
    };
    const made = must(await admin.post("/workload-providers", draft, { fresh: true }), 201);
    return { id: textAt(made, "id"), audience };
  }

  async function job(audience: string, claims: JsonObject = {}): Promise<Job & { readonly token: string }> {
    const now = Math.floor(scene.at.app.clock() / 1_000);
    const token = await issuer.sign({
      ...{ iss: issuer.issuer, aud: audience, sub: "repo:MyOrg/myapp:ref:refs/heads/main", jti: randomUUID() },
      ...{ repository: "MyOrg/myapp", repository_id: "4711", ref: "refs/heads/main", sha: COMMIT, event_name: "push" },
      ...{ iat: now, nbf: now, exp: now + 600 },
      ...claims,
    });
    return { bearer: { authorization: `Bearer ${token}` }, token };
  }

  function exchange(subject: string, type = "urn:ietf:params:oauth:token-type:jwt"): Promise<BrowserAnswer> {
    const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    const form = { grant_type: grant, subject_token: subject, subject_token_type: type };
    return scene.at.server.inject({
      ...{ method: "POST", url: "/api/v1/auth/oidc/token", headers: { "content-type": FORM["Content-Type"] } },
      payload: new URLSearchParams(form).toString(),
    });
  }

  async function exchanged(audience: string, claims: JsonObject = {}): Promise<Job> {
    const { token } = await job(audience, claims);
    return { bearer: { authorization: `Bearer ${textAt(must(await exchange(token), 200), "access_token")}` } };
  }

  async function ask({ bearer }: Job, body: JsonObject = {}): Promise<BrowserAnswer> {
    return scene.at.server.inject({
      ...{ method: "POST", url: `/api/v1${REQUESTS}`, headers: { ...bearer, "content-type": "application/json" } },
      payload: JSON.stringify({ message: "Deploy it", app: "myapp", git_commit_hash: COMMIT, ...body }),
    });
  }

  async function approve(made: JsonObject): Promise<void> {
    const act = `POST ${REQUESTS}/${textAt(made, "public_id")}/approve`;
    const headers = await scene.admin.proofFor(act);
    must(await scene.admin.call("POST", `root:/api/v1${act.slice("POST ".length)}`, {}, { headers }), 200);
  }

  let uploads = 0;
  async function build(by: Job): Promise<Answer> {
    uploads += 1;
    const path = `/apps/myapp/objects/tmp/job-${String(uploads)}.tgz`;
    const uploaded = await scene.call(by, { method: "POST", path, body: ARCHIVE });
    expect(`${String(uploaded.status)} ${uploaded.text}`).toMatch(/^200 /);
    const url = textMember(jsonOf(uploaded), "Url");
    const body = new URLSearchParams({ url, "git-sha": COMMIT }).toString();
    return scene.call(by, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
  }

  it("deploy R-OIDC-1: is for the gate its provider's token: what one asks for, a later one deploys under", async () => {
    const { id, audience } = await provider();
    const made = must(await ask(await job(audience, { run_id: "123", actor: "octocat" })), 201);
    expect(made).toMatchObject({ target_api_token_id: id, created_by_api_token_id: id });
    expect(made["workload"]).toMatchObject({ claims: { repository_id: "4711", sha: COMMIT, actor: "octocat" } });
    await approve(made);
    const later = await exchanged(audience);
    const seen = await scene.at.server.inject({ url: "/api/v1/api-tokens", headers: later.bearer });
    expect(itemsOf(seen.json())).toMatchObject([{ public_id: id, kind: "workload" }]);
    const built = await build(later);
    expect(`${String(built.status)} ${built.text}`).toMatch(/^200 /);
    const read = await scene.call(later, {
      method: "GET",
      path: `/apps/myapp/builds/${textMember(jsonOf(built), "id")}`,
    });
    const release = textMember(jsonOf(read), "release");
    const promote = { method: "POST", path: `/apps/myapp/releases/${release}/promote` } as const;
    expect(await scene.outcome(await job(audience), promote)).toBe("200");
    const shown = must(await scene.admin.get(`root:/api/v1${REQUESTS}/${textAt(made, "public_id")}`), 200);
    expect(shown).toMatchObject({ status: "deployed", deployed_by_api_token_id: id });
    const other = await provider();
    expect((await ask(await job(other.audience), { target_api_token_id: id })).statusCode).toBe(403);
  });

  it("deploy R-OIDC-1: is let in on the racks and for the apps of its provider, which alone can be changed", async () => {
    const { admin } = scene;
    const { id, audience } = await provider({ apps: ["myapp"], racks: ["staging"] });
    expect((await ask(await job(audience))).statusCode).toBe(404);
    const widened = must(await admin.patch(`/workload-providers/${id}`, { racks: null }, { fresh: true }), 200);
    expect(widened).toMatchObject({ racks: null, apps: ["myapp"], bind_commit: true });
    const made = must(await ask(await exchanged(audience)), 201);
    expect(outcomeOf(await ask(await job(audience), { app: "other" }))).toBe("403 permission_denied");
    // What was exchanged before is never wider than the provider is now.
    const before = await exchanged(audience);
    must(await admin.patch(`/workload-providers/${id}`, { apps: ["other"] }, { fresh: true }), 200);
    expect(outcomeOf(await ask(before, { git_commit_hash: OTHER_COMMIT }))).toBe("403 permission_denied");
    must(await admin.patch(`/workload-providers/${id}`, { apps: ["myapp"] }, { fresh: true }), 200);
    const tokens = await admin.get("/tokens?limit=500");
    expect(itemsOf(tokens.json()).filter((token) => token["id"] === id)).toEqual([]);
    for (const [method, path] of [
      ["DELETE", `root:/api/v1/api-tokens/${id}`],
      ["POST", `/tokens/${id}/rotate`],
      ["DELETE", `/tokens/${id}`],
    ] as const) {
      const act = `${method} ${path.replace("root:/api/v1", "")}`;
      const refused = await admin.call(method, path, {}, { headers: await admin.proofFor(act) });
      expect(outcomeOf(refused)).toMatch(/^409 /);
    }
    must(await admin.delete(`/workload-providers/${id}`, { fresh: true }), 204);
    const shown = must(await admin.get(`root:/api/v1${REQUESTS}/${textAt(made, "public_id")}`), 200);
    expect(shown).toMatchObject({ status: "cancelled", target_api_token_id: id });
  });

  it("deploy R-OIDC-1: must be known by an id that nobody else is ever given", async () => {
    const machine_id = await machineOf(scene.admin);
    const register = async (about: JsonObject): Promise<string> => {
      const draft = { machine_id, name: randomUUID(), preset: "custom", issuer: issuer.issuer, audience: AUDIENCE };
      const body = { ...draft, subjects: ["repo:MyOrg/myapp:*"], claims: { repository_id: "1" }, ...about };
      return outcomeOf(await scene.admin.post("/workload-providers", body, { fresh: true }));
    };
    expect(await register({ claims: {} })).toBe("422 invalid_input");
    expect(await register({ claims: { repository: "MyOrg/myapp" } })).toBe("422 invalid_input");
    expect(await register({ claims: { repository_id: "4*" } })).toBe("422 invalid_input");
    expect(await register({ claims: { repository_id: "1", ref: "refs/heads/release*" } })).toBe("422 invalid_input");
    expect(await register({ issuer: "https://token.actions.githubusercontent.com" })).toBe("422 invalid_input");
    expect(await register({ claims: { repository_id: "1", ref: "refs/heads/*" } })).toBe("201");
  });

  it("deploy R-OIDC-4: asks for its own commit and builds no other", async () => {
    const { audience } = await provider();
    const foreign = "403 commit_not_in_identity";
    expect(outcomeOf(await ask(await job(audience), { git_commit_hash: OTHER_COMMIT }))).toBe(foreign);
    expect(outcomeOf(await ask(await exchanged(audience, { sha: OTHER_COMMIT })))).toBe(foreign);
    expect(outcomeOf(await ask(await job(audience, { event_name: "pull_request" })))).toBe(foreign);
    await approve(must(await ask(await exchanged(audience)), 201));
    for (const by of [await job(audience, { sha: OTHER_COMMIT }), await exchanged(audience, { sha: OTHER_COMMIT })]) {
      const refused = await build(by);
      expect([refused.status, refused.headers["x-countersign-code"]]).toEqual([403, "commit_not_in_identity"]);
    }
    expect((await build(await exchanged(audience))).status).toBe(200);
    const direct = await provider({ role: "deployer" });
    const own = await build(await job(direct.audience, { sha: OTHER_COMMIT }));
    expect([own.status, own.headers["x-countersign-code"]]).toEqual([403, "commit_not_in_identity"]);
    expect((await build(await job(direct.audience))).status).toBe(200);
    const free = await provider({ bind_commit: false });
    must(await ask(await job(free.audience), { git_commit_hash: OTHER_COMMIT }), 201);
  });

  it("deploy R-OIDC-3: makes one request, and its token is exchanged twenty times", async () => {
    const { id, audience } = await provider();
    const one = await job(audience);
    const made = must(await ask(one), 201);
    expect(must(await ask(one, { message: "Again" }), 201)).toMatchObject({ public_id: made["public_id"] });
    const lasting = await job(audience, { exp: Math.floor(scene.at.app.clock() / 1_000) + 7_200 });
    const tokens = new Set<string>();
    for (let time = 1; time <= 20; time += 1) {
      const answer = must(await exchange(lasting.token), 200);
      expect(answer).toMatchObject({ token_type: "Bearer", target_api_token_id: id });
      tokens.add(textAt(answer, "access_token"));
      // The next quarter of an hour does not begin to count anew.
      if (time === 10) scene.at.advance(901_000);
    }
    expect([...tokens].map((token) => /^rgw_[0-9A-Za-z]{49}$/.test(token))).toEqual([true, true]);
    expect(bodyOf(await exchange(lasting.token))).toMatchObject({ error: "invalid_grant" });
  });

  it("deploy R-OIDC-2: what is no exchange, or no token of ours, gets OAuth's words; which check failed is an entry", async () => {
    const { audience } = await provider();
    const { token } = await job(audience);
    const refused = async (subject: string, type?: string): Promise<unknown> => {
      const answer = await exchange(subject, type);
      return [answer.statusCode, bodyOf(answer)["error"]];
    };
    expect(await refused(token, "urn:ietf:params:oauth:token-type:saml2")).toEqual([400, "invalid_request"]);
    expect(await refused((await job("elsewhere")).token)).toEqual([400, "invalid_grant"]);
    expect(await refused((await job(audience, { sub: "repo:MyOrg/myapp-evil:ref:x" })).token)).toEqual([
      ...[400, "unauthorized_client"],
    ]);
    expect(await refused((await job(audience, { ref: "refs/tags/v1" })).token)).toEqual([400, "unauthorized_client"]);
    const entries = (await scene.entries()).filter((entry) => entry["kind"] === "access.refused");
    expect(JSON.stringify(entries)).toContain("subject_not_allowed");
    expect(bodyOf(await exchange((await job("elsewhere")).token))).not.toHaveProperty("code");
  });
});
