import { describe, expect, it } from "vitest";
import { permits } from "../../core/permission.ts";
import { ROLES, permissionsOf, roleNamed } from "../../core/roles.ts";
import { deployPermission } from "./deploy-permission.ts";
import { appSettingRows, globalSettingRows } from "./deploy-settings.ts";
import { rackRoutes } from "./rack-routes.ts";

describe("permissions of the deploy family", () => {
  it.each([
    ["gateway:deploy-approval-request:create", "gateway:deploy_approval_request:create"],
    ["convox:deploy:deploy-with-approval", "convox:deploy:deploy_with_approval"],
    ["convox:*:*", "convox:*:*"],
    ["convox:app:*", "convox:app:*"],
    ["gateway:audit_log:read", "ledger:entry:read"],
    ["gateway:ledger:read", "ledger:entry:read"],
    ["gateway:setting_group:vcs_ci_deploy", "gateway:setting_group:vcs_ci_deploy"],
    ["gateway:setting:approved-deploy-commands", "gateway:setting:approved_deploy_commands"],
    ["security:secret:update", "security:secret:update"],
    ["auth:mfa_method:create", "auth:mfa_method:create"],
    ["convox:resource:export", "convox:resource:export"],
  ])("deploy R-PERM-1: %s is written %s", (text, permission) => {
    expect(deployPermission(text)).toBe(permission);
  });

  it.each([
    ...["", "convox", "convox:app", "convox:app:read:more", "other:app:read", "*:app:read:", "Convox:app:read"],
    ...["convox:spaceship:read", "convox:app:launch", "gateway:setting:nope", "gateway:setting_group:own"],
    ...["gateway:setting_group:verify_source", "convox:app:verify_source", "convox:app:%", "convox:ap*:read"],
    ...["cert:request:read", "approval:task:read"],
  ])("deploy R-PERM-1: %j is unknown", (text) => {
    expect(deployPermission(text)).toBeNull();
  });

  it("deploy R-PERM-1: a wildcard part matches any one part, and nothing less does", () => {
    expect(permits(["convox:*:read"], "convox:app:read")).toBe(true);
    expect(permits(["convox:*:read"], "convox:app:update")).toBe(false);
    expect(permits(["convox:*:read"], "gateway:app:read")).toBe(false);
    expect(permits(["convox:app:read"], "convox:app:read_all")).toBe(false);
  });

  it("deploy R-PERM-2: whatever a rack route or a setting needs is a permission that can be given", () => {
    const rows = [...Object.values(globalSettingRows), ...Object.values(appSettingRows)];
    const needed = [...rackRoutes, ...rows].map(({ permission }) => permission);
    for (const permission of needed) expect(deployPermission(permission), permission).toBe(permission);
  });
});

const OWN: Readonly<Record<string, readonly string[]>> = {
  viewer: [
    ...["app:list", "app:read", "process:list", "process:read", "instance:list", "instance:read", "log:read"],
    ...["build:list", "build:read", "rack:read"],
  ],
  ops: ["app:restart", "process:start", "process:exec", "process:terminate", "release:list", "env:read"],
  deployer: [
    ...["app:restart", "app:update", "build:create", "object:create", "release:create", "release:read"],
    ...["release:promote", "env:read", "env:set"],
  ],
  cicd: [
    ...["app:list", "app:read", "process:list", "process:read", "instance:list", "instance:read", "rack:read"],
    ...["deploy:deploy_with_approval"],
  ],
};

const ASKING = ["create", "read", "cancel"].map((action) => `gateway:deploy_approval_request:${action}`);

describe("roles of the deploy family", () => {
  it.each([
    ["viewer", ["viewer"], []],
    ["ops", ["viewer", "ops"], []],
    ["deployer", ["viewer", "ops", "deployer"], ASKING],
    ["cicd", ["cicd"], ASKING],
  ] as const)(
    "deploy R-PERM-3: %s holds what the table says, on the rack and of approvals, and no more",
    (name, from, also) => {
      const expected = new Set(from.flatMap((role) => OWN[role]?.map((permission) => `convox:${permission}`) ?? []));
      const held = roleNamed(name)?.permissions ?? [];
      const onRack = held.filter((permission) => permission.startsWith("convox:") && permission !== "convox:rack:list");
      expect(new Set(onRack)).toEqual(expected);
      expect(held.filter((permission) => permission.startsWith("gateway:"))).toEqual(also);
    },
  );

  it("deploy R-PERM-3: admin holds all of the three scopes, auditor only reads of the gateway", () => {
    const admin = permissionsOf(["admin"]);
    for (const scope of ["convox", "gateway", "security"]) expect(permits(admin, `${scope}:any:thing`)).toBe(true);
    const auditor = permissionsOf(["auditor"]);
    expect(permits(auditor, "gateway:deploy_approval_request:read")).toBe(true);
    expect(permits(auditor, "gateway:user:list")).toBe(true);
    expect(permits(auditor, "gateway:deploy_approval_request:approve")).toBe(false);
    const writes = rackRoutes.filter(({ method, permission }) => method !== "GET" && permits(auditor, permission));
    expect(writes).toEqual([]);
  });

  it("deploy R-PERM-3: deciding is for no machine and for no role but those that administer", () => {
    const deciding = ROLES.filter(({ permissions }) => permits(permissions, "gateway:deploy_approval_request:approve"));
    expect(deciding.map(({ name }) => name)).toEqual(["admin"]);
  });
});
