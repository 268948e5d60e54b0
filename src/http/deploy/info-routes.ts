/** Who calls, which racks there are, what is connected; and the roles (docs/spec/deploy.md 11.3). */
import { pinned } from "../../app/deploy/rack-pins.ts";
import { chatIntegration } from "../../app/deploy/chat-integration.ts";
import { preferredMethod } from "../../app/factor-preference.ts";
import { ownDevices } from "../../app/trusted-device.ts";
import { deployInfoSchema, type DeployInfoOut } from "../../contract/deploy-info.ts";
import { deployRolesSchema } from "../../contract/deploy-users.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { mayWrite } from "../../core/roles.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import type { Rack } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import { ok } from "../answers.ts";
import { provesFactors, type Authorized } from "../authorized.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import type { ServerOptions } from "../server-options.ts";
import { DEPLOY_ROLES, rolePermissions } from "./deploy-roles.ts";
import { rackOf } from "./rack-scope.ts";

const tag = "deploy";

export function deployInfoRoutes(options: ServerOptions): readonly Endpoint[] {
  return [info(options), roles()];
}

function info({ service, browser }: ServerOptions): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/info", summary: "Who you are here, and what is here", tag },
    answers: { 200: deployInfoSchema },
    async handle(exchange) {
      const { caller } = exchange;
      const { deploy } = caller.app;
      const rack = rackOf(exchange);
      // A token that is not for the named rack is told what everybody is told of one that is not there.
      if (isRefusal(rack) && exchange.params["rack"] !== undefined) return rack;
      const allowed = caller.limits?.racks ?? null;
      const racks = deploy.racks.all().filter(({ info: { name } }) => allowed?.includes(name) ?? true);
      const { kind, session } = caller;
      const out: DeployInfoOut = {
        user: await userOut(caller),
        rack: isRefusal(rack) ? { name: "", alias: "", host: "" } : rackOut(rack),
        deploy_approvals_enabled: await approvalsEnabled(caller, rack),
        integrations: {
          slack: deploy.chat !== null && (await chatIntegration(caller.app)) !== null,
          ...{ github: deploy.versionControl("github") !== null, circleci: deploy.ci("circleci") !== null },
        },
        version: { version: service.serviceVersion, commit_hash: service.gitCommit ?? "" },
        racks: await racksOut(caller, racks),
        ...(session !== null && kind === "web_session" ? { csrf_token: browser.csrfToken(session.id) } : {}),
        permissions: [...caller.permissions],
      };
      return ok(out);
    },
  });
}

async function racksOut({ app }: Authorized, racks: readonly Rack[]): Promise<DeployInfoOut["racks"]> {
  const isPinned = racks.some(({ info: { tls } }) => tls === "pin");
  const kept = isPinned ? await app.reader.records(recordsBy("deploySetting", "orgId", [app.orgId])) : [];
  return racks.map((one) => {
    const { name, displayName, enabled, tls } = one.info;
    const fingerprint = tls === "pin" ? (pinned(kept, name)?.fingerprint ?? null) : null;
    return { ...rackOut(one), ...{ display_name: displayName, enabled, tls, fingerprint } };
  });
}

async function approvalsEnabled({ app }: Authorized, rack: Rack | Refusal): Promise<boolean> {
  const settings = await app.deploy.settings.global(app, isRefusal(rack) ? "" : rack.info.name);
  return settings.deployApprovalsEnabled.value;
}

function rackOut({ info: { name, alias, host } }: Rack): DeployInfoOut["rack"] {
  return { name, alias, host };
}

async function userOut(caller: Authorized): Promise<DeployInfoOut["user"]> {
  const { app, actor, session, enrolled, roles: held, permissions } = caller;
  const devices = actor.person === null ? [] : await ownDevices(app, actor.person.id);
  const preferred = actor.person === null ? null : await preferredMethod(app, actor.person.id);
  const openUntil = stepUpEnd(caller);
  return {
    email: actor.email ?? actor.assignee,
    name: actor.displayName,
    roles: [...held],
    mfa_enrolled: enrolled,
    mfa_required: provesFactors({ kind: caller.kind, session }) && mustHaveFactor(caller),
    ...(openUntil === null ? {} : { recent_step_up_expires_at: wireTime(openUntil) }),
    ...(preferred === null ? {} : { preferred_mfa_method: preferred }),
    has_trusted_device: devices.length > 0,
    permissions: [...permissions],
  };
}

/** R-MFA-6. */
export function mustHaveFactor({ app, permissions }: Pick<Authorized, "app" | "permissions">): boolean {
  return app.identity.requireMfaAll || mayWrite(permissions);
}

/** End of the step-up window; null while it is closed. */
export function stepUpEnd({ app, session }: Pick<Authorized, "app" | "session">): number | null {
  const provenAt = session?.factorAt ?? null;
  if (provenAt === null) return null;
  const end = provenAt + app.identity.stepUpWindowSeconds * 1_000;
  return end > app.clock() ? end : null;
}

function roles(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/roles", summary: "The roles of this gate, and what each allows", tag },
    answers: { 200: deployRolesSchema },
    handle: () =>
      Promise.resolve(
        ok(
          Object.fromEntries(
            DEPLOY_ROLES.map(({ name, label, description }) => [
              name,
              { name, label, description, permissions: [...rolePermissions(name)] },
            ]),
          ),
        ),
      ),
  });
}
