import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { permits } from "../../core/permission.ts";
import { roleNamed } from "../../core/roles.ts";
import { mfaLevel, strongest } from "./mfa-level.ts";
import { isRackMatch, matchRackRoute, rackRoutes, type RackRoute } from "./rack-routes.ts";

const examples: Readonly<Record<string, string>> = {
  app: "my-app",
  id: "BABCDEFGHI",
  pid: "web-7d9f",
  service: "web",
  name: "main",
  server: "registry.example.com:5000",
};

function pathOf(route: RackRoute): string {
  return route.template.replaceAll(/\{([a-z]+)\}/g, (_whole, name: string) => encodeURIComponent(examples[name] ?? ""));
}

function verdict(method: string, path: string, isSocket = false): string {
  const result = matchRackRoute(method, path, isSocket);
  if ("probe" in result) return "probe";
  return isRackMatch(result) ? `${result.route.method} ${result.route.template}` : result.code;
}

describe("routes of the rack", () => {
  it.each(rackRoutes.map((route) => [`${route.method} ${route.template}`, route] as const))(
    "deploy R-ROUTE-1: %s is found, with its parameters, and rebuilt as it came",
    (name, route) => {
      const path = pathOf(route);
      const result = matchRackRoute(route.method, path, false);
      expect(verdict(route.method, path)).toBe(name);
      expect(result).toMatchObject({ route, upstreamPath: path });
      const names = Array.from(route.template.matchAll(/\{([a-z]+)\}/g), ([, param = ""]) => param);
      const params: unknown = Object.fromEntries(names.map((param) => [param, examples[param]]));
      expect(result).toMatchObject({ params });
      expect(verdict("GET", path, true)).toBe(route.socket ? name : "unknown_route");
    },
  );

  it("deploy R-ROUTE-1: has each call once, under permissions of the grammar", () => {
    const calls = rackRoutes.map(({ method, template }) => `${method} ${template}`);
    expect(new Set(calls).size).toBe(calls.length);
    for (const { permission } of rackRoutes) expect(permission).toMatch(/^convox:[a-z]+:[a-z]+$/);
  });

  it("deploy R-BIND-1: exactly these calls are open to an approval", () => {
    const gated = rackRoutes.filter((route) => route.gated !== null);
    expect(gated.map(({ method, template, gated: action }) => `${action ?? ""} ${method} ${template}`).sort()).toEqual([
      "build_create POST /apps/{app}/builds",
      "build_logs GET /apps/{app}/builds/{id}/logs",
      "build_read GET /apps/{app}/builds/{id}",
      "object_create POST /apps/{app}/objects/tmp/{name}",
      "process_exec GET /apps/{app}/processes/{pid}/exec",
      "process_start POST /apps/{app}/services/{service}/processes",
      "process_terminate DELETE /apps/{app}/processes/{pid}",
      "release_promote POST /apps/{app}/releases/{id}/promote",
      "release_read GET /apps/{app}/releases/{id}",
    ]);
  });

  it("deploy R-PERM-3: the role cicd has no gated call and no write by a permission of its own", () => {
    const held = roleNamed("cicd")?.permissions ?? [];
    const open = rackRoutes.filter(({ permission }) => permits(held, permission));
    expect(open.map(({ method }) => method)).not.toContain("POST");
    expect(open.every(({ method, gated }) => method === "GET" && gated === null)).toBe(true);
    expect(open.map(({ permission }) => permission)).not.toContain("convox:log:read");
  });

  it.each([
    ["GET", "/proxy/host/80"],
    ["GET", "/instances/i-1/shell"],
    ["GET", "/apps/a/processes/p/files"],
    ["GET", "/events"],
    ["GET", "/v2/_catalog"],
    ["GET", "/custom/x"],
    ["PUT", "/system/jwt/rotate"],
    ["POST", "/apps/a/objects/other"],
    ["POST", "/apps/a/objects/tmp/a/b"],
    ["POST", "/apps/a/objects/blobs/x"],
    ["GET", "/apps/a/objects/tmp/x"],
    ["GET", "/apps/a/builds/import"],
    ["POST", "/racks"],
    ["GET", "/racks/x"],
    ["PATCH", "/apps/a"],
    ["OPTIONS", "/apps"],
    ["TRACE", "/apps"],
    ["HEAD", "/apps/a/processes/p/exec"],
    ["HEAD", "/racks"],
    ["POST", "/system"],
    ["GET", "/APPS"],
    ["GET", "/%61pps"],
    ["GET", "/__proto__"],
    ["constructor", "/apps"],
  ])("deploy R-ROUTE-1: %s %s is not carried", (method, path) => {
    expect(verdict(method, path)).toBe("unknown_route");
  });

  it("deploy R-ROUTE-1: probes have a verdict of their own", () => {
    expect(verdict("GET", "/racks")).toBe("probe");
    expect(verdict("GET", "/machines")).toBe("probe");
    expect(verdict("GET", "/racks", true)).toBe("unknown_route");
  });

  it("deploy R-ROUTE-1: HEAD is judged as GET", () => {
    expect(verdict("HEAD", "/apps/a")).toBe("GET /apps/{app}");
    expect(verdict("HEAD", "/apps/a/logs")).toBe("unknown_route");
  });

  it("deploy R-PROXY-3: every DELETE but of a process is destructive", () => {
    for (const { method, template, destructive } of rackRoutes) {
      expect(destructive, template).toBe(method === "DELETE" && !template.endsWith("/processes/{pid}"));
    }
  });

  it("deploy R-ROUTE-1: the export of a resource needs the permission for secrets too", () => {
    expect(rackRoutes.filter((row) => row.permissionToo !== null)).toMatchObject([
      { template: "/apps/{app}/resources/{name}/data", permissionToo: "convox:secret:read" },
    ]);
  });
});

describe("raw paths", () => {
  it("deploy R-ROUTE-2: every byte, as it is and encoded, is accepted in a segment or refused as the rule says", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const character = String.fromCharCode(byte);
      const plain = verdict("GET", `/unknown/a${character}b`);
      const allowed = /[A-Za-z0-9._~!$&'()*+,;=:@-]/.test(character);
      expect(plain, `byte ${byte}`).toBe(allowed || character === "/" ? "unknown_route" : "path_invalid");
      const encoded = verdict("GET", `/unknown/a%${byte.toString(16).padStart(2, "0")}b`);
      const fine = byte >= 0x20 && byte < 0x7f && !"/\\?#%".includes(character);
      expect(encoded, `encoded byte ${byte}`).toBe(fine ? "unknown_route" : "path_invalid");
    }
  });

  it.each([
    ...["", "apps", "/", "//", "/apps/", "/apps//x", "//apps", "/apps/.", "/apps/..", "/apps/%2e", "/apps/%2E%2e"],
    ...["/apps/a/%2e%2e/b", "/apps/%", "/apps/%2", "/apps/%zz", "/apps/%00", "/apps/%2Fx", "/apps/a%5cb", "/apps/%25"],
    ...["/apps/%c3", "/apps/%c0%af", "/apps/%ed%a0%80", "/apps/%f5%80%80%80", "/apps/a?b", "/apps/a#b", "/apps/a b"],
    ...["/apps/é", "/apps/A%3F/processes/P", "/apps/%0d%0a", "/apps/%7f", "/apps/%c2%85"],
  ])("deploy R-ROUTE-2: %j is not a path", (path) => {
    expect(verdict("DELETE", path)).toBe("path_invalid");
  });

  it.each([
    ["/apps/A", "an app is lower-case"],
    ["/apps/-a", "an app starts with a letter or digit"],
    ["/apps/a-", "an app ends with a letter or digit"],
    [`/apps/${"a".repeat(64)}`, "an app has at most 63 characters"],
    ["/apps/a_b", "an app has no underscore"],
    ["/apps/a/builds/.tgz", "an id before .tgz"],
    ["/apps/a/builds/-x", "an id starts with a letter or digit"],
    [`/apps/a/builds/${"a".repeat(129)}`, "an id has at most 128 characters"],
    ["/apps/a/builds/a%20b", "an id has no blank"],
    ["/apps/a/services/WEB/logs", "a service is lower-case"],
    [`/apps/a/services/${"a".repeat(64)}/logs`, "a service has at most 63 characters"],
  ])("deploy R-ROUTE-2: refuses %s: %s", (path) => {
    expect(verdict("GET", path)).toBe("path_invalid");
  });

  it("deploy R-ROUTE-2: takes parameters at their longest", () => {
    expect(verdict("GET", `/apps/${"a".repeat(63)}`)).toBe("GET /apps/{app}");
    expect(verdict("GET", `/apps/a/builds/${"a".repeat(128)}`)).toBe("GET /apps/{app}/builds/{id}");
    expect(verdict("PUT", `/apps/a/services/${"a".repeat(63)}`)).toBe("PUT /apps/{app}/services/{service}");
    expect(verdict("PUT", "/apps/a/services/WEB")).toBe("path_invalid");
    expect(verdict("DELETE", "/registries/docker.io")).toBe("DELETE /registries/{server}");
    expect(verdict("DELETE", "/registries/docker.io:x")).toBe("path_invalid");
  });

  it("deploy R-ROUTE-2: an encoding never reaches another route than the one that was judged", () => {
    expect(verdict("GET", "/apps/a/builds/B1%2Etgz")).toBe("GET /apps/{app}/builds/{id}.tgz");
    expect(verdict("GET", "/apps/a/builds/B1.tg%7A")).toBe("GET /apps/{app}/builds/{id}.tgz");
    expect(verdict("PUT", "/apps/a/builds/%69mport")).toBe("unknown_route");
    expect(verdict("DELETE", "/instances/%6beyroll")).toBe("unknown_route");
    const alphabet = [
      ...Array.from("abB0.-tgz%/"),
      "%2E",
      "%2e",
      "%61",
      "%69mport",
      "import",
      "keyroll",
      "apps",
      "builds",
      "/",
    ];
    const path = fc.array(fc.constantFrom(...alphabet), { maxLength: 14 }).map((parts) => `/apps/${parts.join("")}`);
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD");
    fc.assert(
      fc.property(method, path, fc.boolean(), (verb, raw, isSocket) => {
        const result = matchRackRoute(verb, raw, isSocket);
        const again = isRackMatch(result) ? matchRackRoute(verb, result.upstreamPath, isSocket) : result;
        expect(again).toEqual(result);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("levels of proof", () => {
  it.each([
    ["always", "gateway:deploy_approval_request:approve"],
    ["always", "gateway:api_token:create"],
    ["always", "gateway:user:delete"],
    ["always", "security:secret:update"],
    ["always", "auth:mfa_method:update"],
    ["always", "auth:trusted_device:delete"],
    ["always", "convox:app:delete"],
    ["always", "convox:instance:terminate"],
    ["always", "convox:instance:keyroll"],
    ["always", "gateway:setting_group:allow_destructive_actions"],
    ["always", "gateway:setting_group:deploy_approvals"],
    ["always", "gateway:setting_group:mfa_configuration"],
    ["always", "gateway:setting_group:vcs_ci_deploy"],
    ["always", "gateway:setting:approved_deploy_commands"],
    ["always", "gateway:setting:service_image_patterns"],
    ["always", "gateway:setting:image_repositories"],
    ["always", "gateway:setting:approved_build_args"],
    ["always", "gateway:setting:verify_source"],
    ["always", "gateway:setting:deploy_policy"],
    ["step_up", "gateway:setting_group:session_configuration"],
    ["step_up", "gateway:setting:protected_env_vars"],
    ["step_up", "convox:app:create"],
    ["step_up", "convox:app:restart"],
    ["step_up", "convox:build:import"],
    ["step_up", "convox:release:promote"],
    ["step_up", "convox:process:exec"],
    ["step_up", "convox:process:stop"],
    ["step_up", "convox:env:unset"],
    ["step_up", "convox:rack:update"],
    ["step_up", "convox:cert:generate"],
    ["step_up", "convox:registry:remove"],
    ["step_up", "gateway:user:update_name"],
    ["step_up", "gateway:integration:manage"],
    ["step_up", "gateway:job:delete"],
    ["step_up", "convox:something:new"],
    ["none", "convox:app:read"],
    ["none", "convox:release:list"],
    ["none", "auth:mfa_method:read"],
    ["none", "convox:object:create"],
    ["none", "gateway:deploy_approval_request:create"],
    ["none", "gateway:deploy_approval_request:cancel"],
  ] as const)("deploy R-MFA-1: %s for %s", (level, permission) => {
    expect(mfaLevel(permission)).toBe(level);
  });

  it("deploy R-MFA-1: a call that does several things asks for the most of them", () => {
    expect(strongest([])).toBe("none");
    expect(strongest(["none", "step_up"])).toBe("step_up");
    expect(strongest(["step_up", "always", "none"])).toBe("always");
  });

  it("deploy R-MFA-1: machines reach no route that asks for a factor in the call", () => {
    expect(rackRoutes.filter(({ tokenMay }) => !tokenMay).map(({ permission }) => permission)).toEqual([
      "convox:app:delete",
      "convox:instance:terminate",
      "convox:instance:keyroll",
    ]);
  });
});

describe("matching", () => {
  it("deploy R-ROUTE-4: rows are plain data without expressions, and one tree answers for paths of any length", () => {
    for (const row of rackRoutes) expect(JSON.parse(JSON.stringify(row))).toEqual(row);
    const long = `/apps/a/builds/B1/image${"/x".repeat(4_000)}`;
    expect(verdict("POST", long)).toBe("unknown_route");
    expect(verdict("POST", "/apps/a/builds/B1/image")).toBe("POST /apps/{app}/builds/{id}/image");
  });
});
