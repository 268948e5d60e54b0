/** People, tokens, roles and `info` of the deploy gate over HTTP, in the shapes and words of its older clients. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describe as described } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import {
  deployCall,
  deployGet,
  deployWithout,
  itemsOf,
  openDeployServer,
  pathPart,
  told,
  type DeployServer,
} from "../support/deploy-server.ts";
import { textAt } from "../support/json-answer.ts";
import { must, signedInAs, type TestBrowser } from "../support/signed-in.ts";

let server: DeployServer;
let admin: TestBrowser;
beforeAll(async () => {
  server = await openDeployServer();
  ({ admin } = server);
}, 120_000);
afterAll(() => server.close());

function call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<JsonObject> {
  const answer = method === "GET" ? deployGet(admin, path) : deployCall(admin, method, path, body);
  return answer.then((given) => must(given, 200));
}

async function listOf(browser: TestBrowser, path: string): Promise<readonly JsonObject[]> {
  const answer = await deployGet(browser, path);
  expect(answer.statusCode).toBe(200);
  return itemsOf(JSON.parse(answer.body));
}

describe("people of the deploy gate", () => {
  it("deploy R-PERM-3: people are invited with the roles that this gate has for people, and with no other", async () => {
    const ana = { email: "Ana@Example.com", name: "Ana Alder", roles: ["deployer"] };
    const made = must(await deployCall(admin, "POST", "/users", ana), 201);
    expect(made).toMatchObject({ email: "ana@example.com", name: "Ana Alder", roles: ["deployer"] });
    expect(made["created_by_email"]).toBe("root@example.com");
    const again = await deployCall(admin, "POST", "/users", ana);
    expect(told(again)).toBe("409 user already exists");
    for (const role of ["cicd", "emperor", "org_admin"]) {
      const refused = await deployCall(admin, "POST", "/users", { ...ana, email: "b@example.com", roles: [role] });
      expect(told(refused)).toBe(`400 invalid role: ${role}`);
    }
    const user = await call("GET", "/users/ana@example.com");
    expect(user).toMatchObject({
      email: "ana@example.com",
      roles: ["deployer"],
      suspended: false,
      mfa_enrolled: false,
    });
    expect(typeof user["id"]).toBe("number");
    expect((await listOf(admin, "/users")).map(({ email }) => email)).toContain("ana@example.com");
    expect(told(await deployGet(admin, "/users/nobody@example.com"))).toBe("404 user not found");
  });

  it("deploy R-MFA-1: no person is made, changed, locked or removed without a factor in the very call", async () => {
    for (const [method, path] of [
      ["POST", "/users"],
      ["PUT", "/users/ana@example.com"],
      ["DELETE", "/users/ana@example.com"],
      ["POST", "/users/ana@example.com/lock"],
    ] as const) {
      const answer = await deployWithout(admin, method, path, {});
      expect([told(answer), answer.headers["x-mfa-required"]]).toEqual(["401 mfa_required", "always"]);
    }
  });

  it("deploy 11.3: a change says which fields, roles of other families stay, and the last administrator too", async () => {
    const olga = await signedInAs(server.at, admin, { login: "olga", roles: ["viewer", "org_viewer"] });
    expect(told(await deployCall(admin, "PUT", "/users/olga@example.com", {}))).toBe("400 no fields provided");
    const changed = await call("PUT", "/users/olga@example.com", { name: "Olga Oak", roles: ["ops"] });
    expect(changed).toMatchObject({ name: "Olga Oak", roles: ["ops", "org_viewer"] });
    const own = await deployCall(admin, "PUT", "/users/root@example.com", { roles: ["viewer"] });
    expect([own.statusCode, JSON.parse(own.body)]).toMatchObject([409, { code: "last_admin" }]);
    // Anybody gives themselves another name, and nobody else.
    must(await deployCall(olga, "PUT", "/users/olga@example.com/name", { name: "Olga Own" }), 200);
    expect((await deployCall(olga, "PUT", "/users/root@example.com/name", { name: "Evil" })).statusCode).toBe(404);
    expect(await call("GET", "/users/root@example.com")).toMatchObject({ name: "Rosa Root" });
  });

  it("deploy R-LOGIN-3: a lock ends sessions at once, and its reason is shown until it is undone", async () => {
    const leo = await signedInAs(server.at, admin, { login: "leo", roles: ["deployer"] });
    must(await deployGet(leo, "/info"), 200);
    expect(await call("POST", "/users/leo@example.com/lock", { reason: "lost laptop" })).toEqual({
      message: "user locked successfully",
    });
    expect((await deployGet(leo, "/info")).statusCode).toBe(401);
    expect(await call("GET", "/users/leo@example.com")).toMatchObject({
      locked_reason: "lost laptop",
      locked_by_email: "root@example.com",
    });
    expect(await call("POST", "/users/leo@example.com/unlock")).toEqual({ message: "user unlocked successfully" });
    expect(await call("GET", "/users/leo@example.com")).not.toHaveProperty("locked_at");
  });

  it("deploy 11.3: sessions are seen and ended by their person and by administrators, by nobody else", async () => {
    const mia = await signedInAs(server.at, admin, { login: "mia", roles: ["deployer"] });
    const [session] = await listOf(mia, "/users/mia@example.com/sessions");
    expect(session).toMatchObject({ channel: "web" });
    expect(Number.isSafeInteger(session?.["id"])).toBe(true);
    expect(told(await deployGet(mia, "/users/root@example.com/sessions"))).toBe("404 user not found");
    const id = pathPart(session?.["id"]);
    expect(told(await deployCall(admin, "POST", "/users/mia@example.com/sessions/17/revoke"))).toBe(
      "404 session not found",
    );
    expect(await call("POST", `/users/mia@example.com/sessions/${id}/revoke`)).toEqual({ revoked: true });
    expect((await deployGet(mia, "/info")).statusCode).toBe(401);
    must(await mia.signIn(), 201);
    expect(await call("POST", "/users/mia@example.com/sessions/revoke_all")).toEqual({ revoked_count: 1 });
    expect((await deployGet(mia, "/info")).statusCode).toBe(401);
  });
});

describe("tokens of the deploy gate", () => {
  async function made(body: JsonObject): Promise<JsonObject> {
    return call("POST", "/api-tokens", body);
  }

  it("deploy R-TOKEN-3: a token that deploys with approval belongs to a service account, not to its creator", async () => {
    const token = await made({ name: "ci", role: "cicd", racks: ["production"], apps: ["myapp"] });
    const shown = objectAt(token, "api_token");
    expect(shown).toMatchObject({ kind: "service_account", user_id: 0, created_by_email: "root@example.com" });
    expect(shown).toMatchObject({ racks: ["production"], apps: ["myapp"], name: "ci" });
    expect(shown).not.toHaveProperty("owner_email");
    expect(token["permissions"]).toContain("convox:deploy:deploy_with_approval");
    expect(textAt(token, "token")).toMatch(/^rgw_[0-9A-Za-z]{49}$/);
    const own = objectAt(await made({ name: "my own", role: "viewer" }), "api_token");
    expect(own).toMatchObject({ kind: "user", owner_email: "root@example.com" });
    // It works, sees itself and nobody else's, and stays on its rack.
    const bearer = { authorization: `Bearer ${textAt(token, "token")}` };
    const seen = await server.at.server.inject({ url: "/api/v1/api-tokens", headers: bearer });
    expect(itemsOf(JSON.parse(seen.body)).map(({ name }) => name)).toEqual(["ci"]);
    const info = await server.at.server.inject({ url: "/api/v1/info", headers: bearer });
    expect(JSON.parse(info.body)).toMatchObject({
      racks: [{ name: "production", tls: "system", fingerprint: null, enabled: true }],
    });
    const elsewhere = await server.at.server.inject({ url: "/racks/staging/api/v1/info", headers: bearer });
    expect(elsewhere.statusCode).toBe(404);
  });

  it("deploy R-TOKEN-2: what a token needs is asked for in the original's words", async () => {
    const refused = (body: JsonObject): Promise<string> => deployCall(admin, "POST", "/api-tokens", body).then(told);
    expect(await refused({ name: "x" })).toBe("400 permissions required - specify --role or --permission");
    expect(await refused({ role: "cicd" })).toBe("400 token name is required");
    expect(await refused({ name: "x", role: "emperor" })).toBe(
      "400 invalid role: emperor (valid roles: viewer, ops, deployer, cicd, admin)",
    );
    expect(await refused({ name: "x", permissions: ["convox:unicorn:read"] })).toBe(
      "400 unknown permission: convox:unicorn:read",
    );
    expect(await refused({ name: "x", role: "cicd", user_email: "no@example.com" })).toBe("404 user not found");
    await made({ name: "unique", permissions: ["gateway:deploy-approval-request:read"] });
    expect(await refused({ name: "unique", role: "viewer" })).toBe("409 token name already exists");
  });

  it("deploy R-TOKEN-2: the creator cannot grant more than they hold, nor longer than is allowed", async () => {
    const held = await signedInAs(server.at, admin, { roles: ["deployer"] });
    expect((await deployCall(held, "POST", "/api-tokens", { name: "y", role: "viewer" })).statusCode).toBe(403);
    const wide = { name: "wide", permissions: ["auth:user:delete"] };
    expect((await deployCall(admin, "POST", "/api-tokens", wide)).statusCode).toBe(403);
    const days = (count: number): string => new Date(Date.now() + count * 86_400_000).toISOString();
    const late = { name: "late", role: "viewer", expires_at: days(366) };
    expect(told(await deployCall(admin, "POST", "/api-tokens", late))).toMatch(/^400 expires_at must be at most 365/);
    const past = { name: "past", role: "viewer", expires_at: days(-1) };
    expect(told(await deployCall(admin, "POST", "/api-tokens", past))).toMatch(/^400 expires_at must lie/);
    const soon = days(7);
    const token = objectAt(await made({ name: "soon", role: "viewer", expires_at: soon }), "api_token");
    expect(Date.parse(textAt(token, "expires_at"))).toBe(Date.parse(soon));
    const usual = objectAt(await made({ name: "usual", role: "viewer" }), "api_token");
    expect(Date.parse(textAt(usual, "expires_at")) - Date.parse(textAt(usual, "created_at"))).toBe(90 * 86_400_000);
  });

  it("deploy R-TOKEN-1: a token of the original's form that was imported works on, as Bearer and in Basic", async () => {
    const { app } = server.at;
    const made = await call("POST", "/api-tokens", { name: "imported", role: "viewer" });
    const id = textAt(objectAt(made, "api_token"), "public_id");
    const text = `rgw_${randomBytes(32).toString("base64url")}=`;
    const tokenHash = createHash("sha256").update(text).digest("hex");
    const secret = { tokenHash, tokenId: id, createdAt: app.clock(), endsAt: null };
    const frame = {
      org: ledgerId("org", app.orgId),
      actor: "sys_test",
      credential: null,
      resource: null,
      request: null,
    };
    const entry = described({ ...frame, kind: "token.created", data: { token: ledgerId("tok", id) } }, app);
    await app.store.submit({
      name: "import_token",
      needs: {},
      carryOut: () => ({ answer: null, changes: { entries: [entry], records: { tokenSecret: [secret] } } }),
    });
    const basic = `Basic ${Buffer.from(`convox:${text}`).toString("base64")}`;
    for (const authorization of [`Bearer ${text}`, basic]) {
      const seen = await server.at.server.inject({ url: "/api/v1/api-tokens", headers: { authorization } });
      expect(itemsOf(JSON.parse(seen.body)).map(({ name }) => name)).toEqual(["imported"]);
    }
    const unpadded = { authorization: `Bearer ${text.slice(0, -1)}` };
    expect((await server.at.server.inject({ url: "/api/v1/info", headers: unpadded })).statusCode).toBe(401);
  });

  it("deploy R-TOKEN-5: a flood of bad tokens is stopped by its address, and costs the ledger next to nothing", async () => {
    const before = await server.at.app.reader.position();
    const outcomes: number[] = [];
    for (let time = 0; time < 200; time += 1) {
      const authorization = `Bearer rgw_${randomBytes(32).toString("base64url")}`;
      const from = { remoteAddress: "203.0.113.99", headers: { authorization } };
      outcomes.push((await server.at.server.inject({ url: "/api/v1/info", ...from })).statusCode);
    }
    expect([outcomes.filter((status) => status === 401).length, new Set(outcomes)]).toEqual([30, new Set([401, 429])]);
    expect((await server.at.app.reader.position()) - before).toBeLessThanOrEqual(1);
    must(await deployGet(admin, "/info"), 200);
  });

  it("deploy R-TOKEN-4: no token holds a decision by name", async () => {
    const asked = { name: "decider", permissions: ["gateway:deploy-approval-request:approve"] };
    const refused = await deployCall(admin, "POST", "/api-tokens", asked);
    expect([refused.statusCode, JSON.parse(refused.body)]).toMatchObject([400, { code: "machine_cannot_decide" }]);
    const token = textAt(await made({ name: "almighty", role: "admin" }), "token");
    for (const [method, url] of [
      ["POST", "/api/v1/api-tokens"],
      ["POST", "/api/v1/users"],
      ["PUT", "/api/v1/settings/deploy-approvals"],
      ["GET", "/api/v1/settings"],
      ["GET", "/api/v1/users"],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await server.at.server.inject({
        method,
        url,
        headers,
        ...(method === "GET" ? {} : { payload: {} }),
      });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
  });

  it("deploy 11.3: a token is changed and deleted by id or number, is refused at once, and its name is free again", async () => {
    const token = await made({ name: "short lived", role: "viewer" });
    const bearer = { authorization: `Bearer ${textAt(token, "token")}` };
    const publicId = textAt(objectAt(token, "api_token"), "public_id");
    const narrowed = { permissions: ["convox:app:list"], name: "renamed" };
    const changed = await call("PUT", `/api-tokens/${pathPart(token["id"])}`, narrowed);
    expect(changed).toMatchObject({ ...narrowed, public_id: publicId, id: token["id"] });
    expect(await call("GET", `/api-tokens/${publicId}`)).toEqual(changed);
    expect((await deployCall(admin, "DELETE", `/api-tokens/${publicId}`)).statusCode).toBe(204);
    expect((await server.at.server.inject({ url: "/api/v1/info", headers: bearer })).statusCode).toBe(401);
    expect(told(await deployGet(admin, `/api-tokens/${publicId}`))).toBe("404 token not found");
    expect(told(await deployGet(admin, "/api-tokens/not-an-id"))).toBe("404 token not found");
    await made({ name: "renamed", role: "viewer" });
    const again = await made({ name: "again", role: "cicd" });
    must(await deployCall(admin, "DELETE", `/api-tokens/${pathPart(again["id"])}`), 204);
    await made({ name: "again", role: "cicd" });
  });

  it("deploy 11.3: the catalog offers the roles that tokens can have", async () => {
    const catalog = await call("GET", "/api-tokens/permissions");
    expect(catalog["default_permissions"]).toContain("convox:deploy:deploy_with_approval");
    expect(catalog["user_roles"]).toContain("admin");
    expect((await call("GET", "/roles"))["cicd"]).toMatchObject({ name: "cicd", label: "CI/CD" });
  });
});

function objectAt(value: JsonObject, name: string): JsonObject {
  const member = value[name];
  if (!isJsonObject(member)) throw new Error(`no object ${name}`);
  return member;
}
