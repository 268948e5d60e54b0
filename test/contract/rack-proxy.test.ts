/** The rack proxy's door: who gets in, by which path, with which headers, and how it says no: docs/spec/deploy.md section 8 and 24.3. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { rackRoutes, type RackRoute } from "../../src/gates/deploy/rack-routes.ts";
import { FORM, openDeployScene, type DeployScene } from "../support/deploy-scene.ts";
import { callOver, exchangeBytes, jsonOf } from "../support/http-call.ts";
import { textAt } from "../support/json-answer.ts";
import type { MadeToken } from "../support/machine-tokens.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

describeOnEveryPostgres("the rack proxy", (database) => {
  let scene: DeployScene;
  let ci: MadeToken;
  let admin: MadeToken;
  beforeAll(async () => {
    scene = await openDeployScene(database.url);
    ci = await scene.ciToken();
    admin = await scene.token(["convox:*:*"]);
  });
  afterAll(() => scene.close());

  it("deploy R-PROXY-1: command-line clients come with a header, in the words that they know", async () => {
    const attempts: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [{}, "CLI authentication required - provide Authorization header"],
      [{ Authorization: "Digest x" }, "invalid authorization type for CLI access"],
      [{ Cookie: "session_token=abc" }, "browser session cookies are not permitted for CLI routes"],
      [{ Cookie: scene.admin.cookie, ...ci.bearer }, "browser session cookies are not permitted for CLI routes"],
    ];
    for (const [headers, text] of attempts) {
      const answer = await scene.call(null, { method: "GET", path: "/apps", headers });
      expect([answer.status, answer.text.split("\n")[0], answer.headers["x-error-reason"]]).toEqual([401, text, text]);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
    const basic = Buffer.from(`convox:${ci.secret}`).toString("base64");
    for (const scheme of ["Basic", "basic", "BASIC"]) {
      const answer = await scene.call(null, {
        method: "GET",
        path: "/apps?",
        headers: { Authorization: `${scheme} ${basic}` },
      });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    }
  });

  it("deploy R-RACK-2: the path names the rack, and a credential may be limited to some", async () => {
    const get = { method: "GET", path: "/system" } as const;
    const limited = await scene.ciToken({ racks: ["staging"] });
    expect(await scene.outcome(ci, get, "/racks/staging/api/v1/rack-proxy")).toBe("200");
    expect(await scene.outcome(ci, get, "/racks/nowhere/api/v1/rack-proxy")).toBe("404 unknown_route");
    expect(await scene.outcome(limited, get)).toBe("401 token_scope_limit");
    expect(await scene.outcome(limited, get, "/racks/staging/api/v1/rack-proxy")).toBe("200");
    const ofOneApp = await scene.ciToken({ apps: ["other"] });
    expect(await scene.outcome(ofOneApp, { method: "GET", path: "/apps/myapp" })).toBe("403 permission_denied");
    expect(await scene.outcome(ofOneApp, { method: "GET", path: "/apps/other" })).toBe("200");
  });

  it("deploy R-ROUTE-2: a path that two programs could read differently reaches nothing", async () => {
    scene.takeCalls();
    const paths = [
      ...[
        "/apps/A%3F/processes/P",
        "/apps/%2e%2e/builds",
        "/apps/..",
        "/apps/./builds",
        "/apps/a%2Fb",
        "/apps//builds",
      ],
      ...[
        "/apps/%00",
        "/apps/%zz",
        "/apps/%",
        "/apps/",
        "/APPS",
        "/apps/myapp/",
        "/apps/%ff",
        "/apps/a%5Cb",
        "/apps/a\\b",
      ],
      ...[
        "/apps/myapp/builds/%69mport",
        "/apps/MYAPP",
        "/apps/-x",
        "/apps/myapp/builds/.hidden",
        "/apps/a%25b",
        "//apps",
      ],
      ...["/apps/myapp;x=1", "/apps/%E2%80%AE", "/%61pps", "/apps/a#b"],
    ];
    for (const path of paths) {
      const answer = await exchangeBytes(
        scene.base,
        `GET /api/v1/rack-proxy${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${admin.bearer.authorization}\r\nConnection: close\r\n\r\n`,
      );
      expect([path, answer.slice(0, 12)]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 40[04]/)]);
    }
    expect(scene.takeCalls()).toEqual([]);
    // The credential is looked at before the path.
    expect(await scene.outcome(null, { method: "GET", path: "/apps/%zz" })).toBe("401 unauthenticated");
  });

  it("deploy R-PROXY-5: nothing but listed headers reaches the rack, and the actor is ours", async () => {
    scene.simulator.forgetCalls();
    const forged = {
      ...{ "Convox-Actor": "root", "X-Convox-Actor": "root", "X-User-Email": "boss@example.com" },
      ...{ "X-Audit-Resource": "none", Cookie: "theme=dark", "X-Mfa-Totp": "123456", "X-Forwarded-For": "10.0.0.1" },
      ...{ "X-Request-Id": "mine", Version: "20240101000000", Filter: "error" },
    };
    expect((await scene.call(admin, { method: "GET", path: "/apps/myapp", headers: forged })).status).toBe(200);
    const [call] = scene.simulator.calls;
    expect(call?.actor).toBe("token:pipeline");
    expect(Object.keys(call?.headers ?? {}).sort()).toEqual(
      [
        ...["authorization", "connection", "convox-actor", "filter", "host", "version", "x-request-id", "x-user-email"],
      ].sort(),
    );
    expect(call?.headers).toMatchObject({
      "convox-actor": "token:pipeline",
      version: "20240101000000",
      filter: "error",
    });
    expect(call?.headers["x-request-id"]).not.toBe("mine");
    expect(call?.headers["authorization"]).not.toContain(admin.secret);
    scene.simulator.forgetCalls();
    await (await scene.socket(admin, "/apps/myapp/logs", forged)).close();
    const [dialled] = scene.simulator.calls;
    expect(Object.keys(dialled?.headers ?? {}).sort()).toEqual(
      [
        ...["authorization", "connection", "convox-actor", "filter", "host", "origin", "sec-websocket-key"],
        ...["sec-websocket-version", "upgrade", "version", "x-request-id", "x-user-email"],
      ].sort(),
    );
    expect([dialled?.headers["convox-actor"], dialled?.headers["origin"]]).toEqual([
      "token:pipeline",
      scene.simulator.url,
    ]);
    const repeated = await exchangeBytes(
      scene.base,
      `GET /api/v1/rack-proxy/apps HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${admin.bearer.authorization}\r\nFilter: a\r\nFilter: b\r\nConnection: close\r\n\r\n`,
    );
    expect(repeated).toContain("repeated_header");
    const nominated = await exchangeBytes(
      scene.base,
      `GET /api/v1/rack-proxy/apps HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${admin.bearer.authorization}\r\nConnection: Authorization, close\r\n\r\n`,
    );
    expect(nominated).toContain("header_invalid");
  });

  it("deploy R-PROXY-9: what smuggles, or is too large, ends the connection and reaches nothing", async () => {
    scene.takeCalls();
    const head = `POST /api/v1/rack-proxy/apps HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${admin.bearer.authorization}\r\n`;
    const both = await exchangeBytes(
      scene.base,
      `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    );
    expect(both).toMatch(/^HTTP\/1\.1 400/);
    const large = await exchangeBytes(scene.base, `${head}X-Large: ${"x".repeat(1_048_576)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431/);
    const many = Array.from({ length: 120 }, (_, at) => `X-${String(at)}: 1\r\n`).join("");
    expect(await exchangeBytes(scene.base, `${head}${many}Content-Length: 0\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
    const long = await scene.outcome(admin, { method: "GET", path: `/apps?x=${"y".repeat(9_000)}` });
    expect(long).toBe("414 too_large");
    expect(scene.takeCalls()).toEqual([]);
  });

  it("deploy R-PROXY-4: a refusal is one text without a percent sign, or JSON for who names it", async () => {
    const path = "/apps/myapp/releases";
    const answer = await scene.call(ci, { method: "POST", path, headers: FORM, body: "build=B1" });
    expect([answer.status, answer.headers["x-countersign-code"]]).toEqual([403, "permission_denied"]);
    expect(answer.text).toBe(
      "You don't have permission to create releases.\nThis call needs the permission convox:release:create.\n",
    );
    const json = await scene.call(ci, {
      method: "POST",
      path,
      headers: { ...FORM, Accept: "application/json" },
      body: "",
    });
    expect(jsonOf(json)).toMatchObject({
      ...{ error: "You don't have permission to create releases.", code: "permission_denied" },
      ...{ permission: "convox:release:create", request_id: json.headers["x-request-id"] },
    });
  });

  it("deploy R-PERM-3: a CI token without approval reaches what its role lists and nothing else", async () => {
    const allowed: ReadonlySet<string> = new Set([
      ...["convox:app:list", "convox:app:read", "convox:process:list", "convox:process:read"],
      ...["convox:instance:list", "convox:instance:read", "convox:rack:read"],
    ]);
    scene.takeCalls();
    const reached: string[] = [];
    for (const route of rackRoutes) {
      const path = filled(route);
      const outcome = await scene.outcome(ci, {
        method: route.method,
        path,
        ...(route.method === "POST" ? { body: "" } : {}),
      });
      const expected = expectedOf(route);
      if (allowed.has(route.permission)) reached.push(`GET ${path}`);
      else
        expect([`${route.method} ${route.template}`, outcome]).toEqual([`${route.method} ${route.template}`, expected]);
    }
    expect(scene.takeCalls()).toEqual(reached);

    function expectedOf(route: RackRoute): string {
      if (route.gated !== null) return "403 no_active_approval";
      return route.tokenMay ? "403 permission_denied" : "403 credential_kind_not_allowed";
    }
  });

  it("deploy R-PERM-3: a CI token makes no token, person, setting or decision, and reads neither environment nor audit", async () => {
    const { id } = await scene.approved(ci, { isApproved: false });
    const before = await scene.entries();
    const attempts: readonly (readonly [string, string])[] = [
      ["POST", "/api-tokens"],
      ["PUT", `/api-tokens/${ci.id}`],
      ["POST", "/users"],
      ["PUT", "/settings/allow-destructive-actions"],
      ["PUT", "/settings/deploy-approvals"],
      ["PUT", "/apps/myapp/settings/approved-deploy-commands"],
      ["POST", `/deploy-approval-requests/${id}/approve`],
      ["POST", `/deploy-approval-requests/${id}/extend`],
      ["GET", "/apps/myapp/env"],
      ["GET", "/audit-logs"],
      ["GET", "/audit-logs/export"],
    ];
    for (const [method, path] of attempts) {
      const body = method === "GET" ? {} : { body: "{}", headers: { "Content-Type": "application/json" } };
      const answer = await scene.call(ci, { method, path, ...body }, "/api/v1");
      expect([path, answer.status]).toEqual([path, 403]);
    }
    const later = await scene.entries();
    const kinds = later.slice(before.length).map((entry) => entry["kind"]);
    expect(kinds.filter((kind) => kind !== "access.refused" && kind !== "deploy.call_read")).toEqual([]);
  });

  it("deploy R-ROUTE-1: what no client needs is not carried, and probes are answered at once", async () => {
    scene.takeCalls();
    // Reads of before may still be on their way to the ledger.
    const told = async (): Promise<number> =>
      (await scene.kinds()).filter((kind) => kind !== "deploy.call_read").length;
    const before = await told();
    for (const path of ["/racks", "/machines"])
      expect(await scene.outcome(admin, { method: "GET", path })).toBe("404 unknown_route");
    expect(await told()).toBe(before);
    for (const path of [
      "/proxy/x/80",
      "/instances/i-1/shell",
      "/apps/myapp/processes/p/files",
      "/events",
      "/v2/x",
      "/system/jwt/token",
    ]) {
      expect([path, await scene.outcome(admin, { method: "GET", path })]).toEqual([path, "404 unknown_route"]);
    }
    for (const method of ["PATCH", "OPTIONS"]) {
      expect(await scene.outcome(admin, { method, path: "/apps/myapp" })).toBe("404 unknown_route");
    }
    expect(await scene.outcome(admin, { method: "POST", path: "/apps/myapp/objects/elsewhere/x", body: "x" })).toBe(
      "404 unknown_route",
    );
    expect(scene.takeCalls()).toEqual([]);
  });

  it("deploy R-PROXY-3: what destroys needs the setting, after permission and factor", async () => {
    const root = await scene.person(["admin"]);
    const answer = await root.call("DELETE", "root:/api/v1/convox/apps/myapp/processes/none", undefined);
    expect(answer.statusCode).not.toBe(403);
    const refused = await scene.outcome(admin, { method: "DELETE", path: "/registries/registry.example.com" });
    expect(refused).toBe("403 destructive_disabled");
    expect(await scene.outcome(admin, { method: "DELETE", path: "/apps/myapp" })).toBe(
      "403 credential_kind_not_allowed",
    );
  });

  it("deploy R-PROXY-2: the console reads and restarts with its session, and its writes come from its own pages", async () => {
    const root = await scene.person(["admin"]);
    const read = await root.get("root:/api/v1/convox/apps");
    expect([read.statusCode, read.headers["content-security-policy"]]).toEqual([200, "default-src 'none'; sandbox"]);
    expect((await root.get("root:/api/v1/convox/system")).statusCode).toBe(404);
    const forged = await root.call(
      "PUT",
      "root:/api/v1/convox/apps/myapp/services/web",
      {},
      { headers: { "x-csrf-token": "no" } },
    );
    expect([forged.statusCode, forged.body.split("\n")[0]]).toEqual([403, "invalid CSRF token"]);
    expect(
      (await callOver(scene.base, { method: "GET", path: "/api/v1/convox/apps", headers: ci.bearer })).status,
    ).toBe(403);
  });

  it("deploy R-AUDIT-2: reads are entries within a second, refusals are entries too, and nobody's headers are in them", async () => {
    const told = async (): Promise<JsonObject | undefined> =>
      (await scene.circumstances("deploy.call_read")).find((about) => about["user_agent"] === "convox/3.audit");
    await scene.call(admin, { method: "GET", path: "/apps/myapp", headers: { "User-Agent": "convox/3.audit" } });
    await expect.poll(told, { timeout: 2_000, interval: 20 }).toMatchObject({
      ...{ action: "app.read", app: "myapp", scope: "production", method: "GET", route: "/apps/{app}" },
      ...{ address: "127.0.0.1", credential_kind: "api_token" },
    });
    await scene.call(ci, { method: "GET", path: "/apps/myapp/releases" });
    const refused = await scene.circumstances("access.refused");
    expect(refused).toContainEqual(
      expect.objectContaining({ action: "release.list", app: "myapp", scope: "production", status: 403 }),
    );
  });

  it("deploy R-REFUSE-1, R-AUDIT-2: a known caller's call that leads nowhere is an entry with its code, once in a minute", async () => {
    const limited = await scene.ciToken({ racks: ["staging"] });
    const known = await scene.token(["convox:*:*"]);
    const raw = (line: string, headers = ""): Promise<string> =>
      exchangeBytes(
        scene.base,
        `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${known.bearer.authorization}\r\n${headers}Connection: close\r\n\r\n`,
      );
    const at = "/api/v1/rack-proxy";
    const before = (await scene.entries()).length;
    for (let time = 0; time < 2; time += 1) {
      expect(await scene.outcome(limited, { method: "GET", path: "/apps" })).toBe("401 token_scope_limit");
      expect(await raw("GET /racks/nowhere/api/v1/rack-proxy/apps")).toContain("unknown_route");
      expect(await raw(`GET ${at}/apps/%zz`)).toContain("path_invalid");
      expect(await raw(`PUT ${at}/nothing/like/it`)).toContain("unknown_route");
      expect(await raw(`GET ${at}/apps/myapp`, "Filter: a\r\nFilter: b\r\n")).toContain("repeated_header");
      expect(await raw(`GET ${at}/apps/myapp`, "Connection: Filter\r\n")).toContain("header_invalid");
      expect(await raw(`DELETE ${at}/apps/myapp/processes/p?x=1`)).toContain("query_not_allowed");
    }
    const told = (await scene.entries()).slice(before).filter(({ kind }) => kind === "access.refused");
    const said = told.map(({ data }) => `${textAt(data, "code")} ${textAt(data, "route")}`);
    expect(said).toEqual([
      ...["token_scope_limit GET /*", "unknown_route GET /*", "path_invalid GET /*", "unknown_route PUT /*"],
      ...["repeated_header GET /apps/{app}", "header_invalid GET /apps/{app}"],
      ...["query_not_allowed DELETE /apps/{app}/processes/{pid}"],
    ]);
    const about = (await scene.circumstances("access.refused")).slice(-told.length);
    expect(about.map(({ scope, app, status }) => [scope, app, status])).toEqual([
      ...[
        ["production", null, 401],
        ["", null, 404],
        ["production", null, 400],
        ["production", null, 404],
      ],
      ...[
        ["production", "myapp", 400],
        ["production", "myapp", 400],
        ["production", "myapp", 400],
      ],
    ]);
  });

  it("deploy R-RACK-2: who made an app is known by its name, on the rack where it was made", async () => {
    const made = await scene.call(admin, { method: "POST", path: "/apps", headers: FORM, body: "name=fresh" });
    expect(made.status).toBe(200);
    const asked = async (rack: string): Promise<unknown> =>
      jsonOf(await scene.call(admin, { method: "GET", path: "/created-by?type=app&ids=fresh,myapp" }, rack));
    expect(await asked("/api/v1")).toMatchObject({ fresh: { user_id: 0, email: "" } });
    expect(await asked("/api/v1")).not.toHaveProperty("myapp");
    expect(await asked("/racks/staging/api/v1")).toEqual({});
  });

  it("deploy R-PROXY-8: a rack that hangs up is 502", async () => {
    const off = scene.simulator.faults.add({
      method: "GET",
      path: "/apps/{app}/balancers",
      kind: "reset",
      at: "request",
    });
    expect(await scene.outcome(admin, { method: "GET", path: "/apps/myapp/balancers" })).toBe("502 rack_unreachable");
    off();
  });

  it("deploy R-ENV-2: who may not read the environment does not see it, who may sees no secret", async () => {
    const id = scene.simulator.apps.get("myapp")?.releases[0]?.id ?? "";
    const path = `/apps/myapp/releases/${id}`;
    const masked = await scene.token(["convox:release:read", "convox:env:read"]);
    const blind = await scene.token(["convox:release:read"]);
    const env = async (by: MadeToken): Promise<unknown> =>
      Reflect.get(Object(jsonOf(await scene.call(by, { method: "GET", path }))), "env");
    expect(await env(admin)).toContain("API_TOKEN=hush");
    expect(await env(masked)).toContain(`API_TOKEN=${"*".repeat(20)}`);
    expect(await env(masked)).toContain("PORT=3000");
    expect(await env(blind)).toBe("");
  });

  it("deploy R-ENV-3: masked values stay, secrets need their permission, and every difference is told once", async () => {
    const deployer = await scene.token(["convox:release:create", "convox:env:set", "convox:env:read"]);
    const path = "/apps/myapp/releases";
    const set = (env: string) =>
      scene.call(deployer, { method: "POST", path, headers: FORM, body: new URLSearchParams({ env }).toString() });
    const kept = await set(`PORT=4000\nAPI_TOKEN=${"*".repeat(20)}`);
    expect([kept.status, Reflect.get(Object(jsonOf(kept)), "env")]).toEqual([
      200,
      `PORT=4000\nAPI_TOKEN=${"*".repeat(20)}`,
    ]);
    const sent = scene.simulator.calls.findLast(({ method }) => method === "POST")?.body.toString() ?? "";
    expect(new URLSearchParams(sent).get("env")).toBe("PORT=4000\nAPI_TOKEN=hush");
    const changed = (await scene.circumstances("deploy.env_changed")).at(-1);
    expect(changed?.["differences"]).toEqual([{ action: "env.set", name: "PORT", old: "3000", new: "4000" }]);
    const stolen = await set("PORT=4000\nAPI_TOKEN=mine");
    expect([stolen.status, stolen.text.split("\n")[0]]).toEqual([403, "You don't have permission to modify secrets."]);
    const invented = await set(`PORT=4000\nAPI_TOKEN=${"*".repeat(20)}\nNEW_TOKEN=${"*".repeat(20)}`);
    expect(invented.headers["x-countersign-code"]).toBe("env_masked");
  });
});

function filled({ template }: RackRoute): string {
  return template
    .replace("{app}", "myapp")
    .replace("{server}", "registry.example.com")
    .replaceAll(/\{[a-z]+\}/g, "x1");
}
