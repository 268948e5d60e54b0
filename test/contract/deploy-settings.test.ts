/** Settings of the deploy gate over HTTP: who sets what, with which proof, where a value comes from, and what is written down. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { watchAccessChanges } from "../../src/adapters/postgres/access-changes.ts";
import { createDeploySettingsDesk, type DeploySettingsDesk } from "../../src/app/deploy/settings-desk.ts";
import {
  deployCall,
  deployGet,
  deployWithout,
  openDeployServer,
  told,
  type DeployServer,
} from "../support/deploy-server.ts";
import { must, signedInAs, type TestBrowser } from "../support/signed-in.ts";

let server: DeployServer;
let admin: TestBrowser;
beforeAll(async () => {
  server = await openDeployServer({
    environment: [
      { scope: null, app: null, key: "deploy_approval_window_minutes", value: 25, envVar: VARIABLE },
      { scope: null, app: "myapp", key: "vcs_repo", value: "MyOrg/myapp", envVar: "RGW_APP_MYAPP_SETTING_VCS_REPO" },
    ],
  });
  ({ admin } = server);
}, 120_000);
afterAll(() => server.close());

const VARIABLE = "RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES";
const APPROVALS = "/settings/deploy-approvals";

async function valueOf(path: string, key: string): Promise<unknown> {
  return must(await deployGet(admin, path), 200)[key];
}

describe("settings of the deploy gate", () => {
  it("deploy R-SETTINGS-1: the database counts before the environment and that before the default, per rack", async () => {
    const key = "deploy_approval_window_minutes";
    expect(await valueOf("/settings", key)).toMatchObject({ value: 25, source: "env", env_var: VARIABLE });
    const set = must(await deployCall(admin, "PUT", APPROVALS, { [key]: 20 }), 200);
    expect(set[key]).toMatchObject({ value: 20, source: "db", env_var: VARIABLE });
    expect(Object.keys(set)).not.toContain("allow_destructive_actions");
    expect(await valueOf("/settings", key)).toMatchObject({
      ...{ value: 20, source: "db", env_var: VARIABLE, can_change: true },
      updated_by: `usr_${admin.personId.replaceAll("-", "")}`,
    });
    const staging = must(await admin.get("root:/racks/staging/api/v1/settings"), 200);
    expect(staging[key]).toMatchObject({ value: 25, source: "env", env_var: VARIABLE });
    must(await deployCall(admin, "DELETE", `${APPROVALS}?key=${key}`), 200);
    expect(await valueOf("/settings", key)).toMatchObject({ value: 25, source: "env", env_var: VARIABLE });
    expect(await valueOf("/settings", "deploy_approval_max_extensions")).toMatchObject({ value: 3, source: "default" });
  });

  it("deploy R-SETTINGS-1: what an app leaves open the rack says, and what a variable says is shown as such", async () => {
    const settings = must(await deployGet(admin, "/apps/myapp/settings"), 200);
    expect(settings["vcs_repo"]).toMatchObject({ value: "MyOrg/myapp", source: "env" });
    expect(settings["deploy_policy"]).toMatchObject({ value: "deploy-default", source: "global_default" });
    expect(settings["approved_deploy_commands"]).toMatchObject({ value: null, source: "default" });
  });

  it("deploy R-SETTINGS-2: what cannot be set is refused in the original's words, and nothing of it is written", async () => {
    const put = (path: string, body: unknown): Promise<string> => deployCall(admin, "PUT", path, body).then(told);
    expect(await put(APPROVALS, {})).toBe("400 no settings provided");
    expect(await put(APPROVALS, { nonsense: 1 })).toBe("400 unknown setting key: nonsense");
    expect(await put(APPROVALS, { allow_destructive_actions: true })).toBe(
      "400 setting allow_destructive_actions is not managed by this endpoint",
    );
    const half = { deploy_approval_max_extensions: 5, deploy_approval_window_minutes: 0 };
    expect(await put(APPROVALS, half)).toMatch(/^400 invalid value for deploy_approval_window_minutes: /);
    expect(await valueOf("/settings", "deploy_approval_max_extensions")).toMatchObject({ value: 3 });
    expect(told(await deployCall(admin, "DELETE", APPROVALS))).toBe("400 at least one key is required");
    expect(await put("/apps/myapp/settings/approved-deploy-commands", { a: 1 })).toMatch(
      /^400 invalid value for approved_deploy_commands: /,
    );
    expect(await put("/apps/myapp/settings/service-image-patterns", { web: "(" })).toBe(
      "400 invalid image pattern for service web",
    );
  });

  it("deploy R-SETTINGS-2: keys of a group are written in one transaction with an entry each", async () => {
    const before = await entries();
    const body = { vcs_repo: "MyOrg/other", circleci_auto_approve_on_approval: true, default_branch: "trunk" };
    must(await deployCall(admin, "PUT", "/apps/myapp/settings/vcs-ci-deploy", body), 200);
    expect((await entries()) - before).toBe(3);
    // Setting what is set already changes nothing.
    must(await deployCall(admin, "PUT", "/apps/myapp/settings/vcs-ci-deploy", body), 200);
    expect((await entries()) - before).toBe(3);
  });

  it("deploy R-SETTINGS-2: the bare value of a key's own endpoint is set and given back", async () => {
    const url = "/apps/myapp/settings/approved-deploy-commands";
    const set = must(await deployCall(admin, "PUT", url, ["rake db:migrate "]), 200);
    expect(set).toMatchObject({
      approved_deploy_commands: { value: ["rake db:migrate"], source: "db", env_var: COMMANDS },
    });
    const back = must(await deployCall(admin, "DELETE", url), 200);
    expect(back).toMatchObject({ approved_deploy_commands: { value: null, source: "default", env_var: COMMANDS } });
  });

  it("deploy R-MFA-1: what loosens the gate needs a factor in the very call, the rest one within minutes", async () => {
    const without = (path: string, body: unknown): Promise<string> =>
      deployWithout(admin, "PUT", path, body).then(told);
    const app = "/apps/myapp/settings";
    expect(await without(APPROVALS, { deploy_approvals_enabled: false })).toBe("401 mfa_required");
    expect(await without(`${app}/approved-deploy-commands`, ["x"])).toBe("401 mfa_required");
    expect(await without(`${app}/deploy-gate`, { image_repositories: ["evil.example/*"] })).toBe("401 mfa_required");
    expect(await without(`${app}/deploy-gate`, { verify_source: "off", source_path: "app" })).toBe("401 mfa_required");
    expect(await without(`${app}/deploy-gate`, { source_path: "app" })).toBe("200");
    expect(await without(`${app}/secret-env-vars`, ["COLOR"])).toBe("200");
    server.at.advance(11 * 60_000);
    expect(await without(`${app}/deploy-gate`, { source_path: "." })).toBe("401 mfa_step_up_required");
  });

  it("deploy R-SETTINGS-1: what is set about factors counts at once, where it is narrower than the installation's own", async () => {
    const group = "/settings/mfa-configuration";
    const save = (): Promise<string> =>
      deployWithout(admin, "PUT", "/apps/myapp/settings/deploy-gate", { source_path: "src" }).then(told);
    must(await deployCall(admin, "PUT", group, { mfa_step_up_window_minutes: 2 }), 200);
    must(await admin.post("/session/step-up", {}, { fresh: true }), 204);
    server.at.advance(60_000);
    expect(await save()).toBe("200");
    server.at.advance(2 * 60_000);
    expect(await save()).toBe("401 mfa_step_up_required");
    must(await deployCall(admin, "DELETE", `${group}?key=mfa_step_up_window_minutes`), 200);
    expect(await save()).toBe("200");
  });

  it("deploy R-PERM-5, R-UI-9: those who deploy see no settings, auditors see them, neither sets any", async () => {
    for (const [role, reads] of [
      ["deployer", 403],
      ["auditor", 200],
    ] as const) {
      const person = await signedInAs(server.at, admin, { roles: [role] });
      const seen = await deployGet(person, "/settings");
      expect(seen.statusCode).toBe(reads);
      // No page offers them to change what the server would not let them (R-UI-9).
      if (reads === 200) expect(seen.body).not.toContain('"can_change":true');
      const denied = await deployCall(person, "PUT", APPROVALS, { deploy_approvals_enabled: false });
      expect(JSON.parse(denied.body)).toMatchObject({
        error: "insufficient permissions",
        code: "permission_denied",
        permission: "gateway:setting_group:deploy_approvals",
      });
    }
  });

  it("deploy R-SETTINGS-3: another process goes by a change within a second, and within five where it hears of none", async () => {
    const key = "deploy_approval_max_extensions";
    const { app } = server.at;
    const deaf = { now: 0 };
    const parts = { environment: [], patterns: () => null };
    const [near, far] = [
      createDeploySettingsDesk({ ...parts, clock: () => Date.now() }),
      createDeploySettingsDesk({ ...parts, clock: () => deaf.now }),
    ];
    const most = async (desk: DeploySettingsDesk): Promise<number> =>
      (await desk.global(app, "production")).maxExtensions.value;
    const changes = watchAccessChanges(server.databaseUrl, { onError: () => undefined });
    changes.subscribe(() => {
      near.drop();
    });
    await changes.listening;
    expect([await most(near), await most(far)]).toEqual([3, 3]);
    must(await deployCall(admin, "PUT", APPROVALS, { [key]: 2 }), 200);
    const since = performance.now();
    await expect.poll(() => most(near), { timeout: 5_000, interval: 5 }).toBe(2);
    expect(performance.now() - since).toBeLessThan(1_000);
    deaf.now = 4_999;
    expect(await most(far)).toBe(3);
    deaf.now = 5_000;
    expect(await most(far)).toBe(2);
    await changes.close();
    must(await deployCall(admin, "DELETE", `${APPROVALS}?key=${key}`), 200);
  });

  it("deploy R-RACK-2: a rack or an app that cannot be there is 404", async () => {
    for (const path of ["settings", "info", "users", "health", "auth/web/login"]) {
      expect((await admin.get(`root:/racks/nowhere/api/v1/${path}`)).statusCode).toBe(404);
    }
    expect((await admin.get("root:/racks/staging/api/v1/health")).statusCode).toBe(200);
    expect((await deployGet(admin, "/apps/My%20App/settings")).statusCode).toBe(404);
  });
});

const COMMANDS = "RGW_APP_MYAPP_SETTING_APPROVED_DEPLOY_COMMANDS";

async function entries(): Promise<number> {
  const { rows } = await server.at.pool.query<{ count: string }>(
    "select count(*) from ledger_entries where kind = 'setting.changed'",
  );
  return Number(rows[0]?.count ?? 0);
}
