/**
 * What the deploy gate's settings say about factors and sessions narrows what the installation says, and never widens it: of two
 * that differ the narrower counts. Of several racks the default one speaks (docs/spec/deploy.md section 17).
 */
import type { Resolved } from "../../gates/deploy/resolve-settings.ts";
import type { Application, IdentitySettings } from "../application.ts";

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;

/** The same application with narrower rules of identity; itself where no rack is configured or nothing was set. */
export async function withDeploySettings(app: Application): Promise<Application> {
  const rack = app.deploy.racks.find(null);
  if (rack === undefined) return app;
  const set = await app.deploy.settings.global(app, rack.info.name);
  const own = app.identity;
  const identity: IdentitySettings = {
    ...own,
    requireMfaAll: own.requireMfaAll || (isSet(set.mfaRequireAllUsers) && set.mfaRequireAllUsers.value),
    stepUpWindowSeconds: narrower(own.stepUpWindowSeconds, set.mfaStepUpWindowMinutes, MINUTE_SECONDS),
    trustedDeviceDays: narrower(own.trustedDeviceDays, set.mfaTrustedDeviceTtlDays, 1),
    webIdleSeconds: narrower(own.webIdleSeconds, set.sessionTimeoutMinutes, MINUTE_SECONDS),
    cliSeconds: narrower(own.cliSeconds, set.cliSessionMaxDays, DAY_SECONDS),
    apiTokenMaxDays: narrower(own.apiTokenMaxDays, set.apiTokenMaxDays, 1),
  };
  return { ...app, identity, forOrganization: (orgId) => ({ ...app.forOrganization(orgId), identity }) };
}

/** Defaults are the installation's own matter. */
function isSet({ source }: Resolved<unknown>): boolean {
  return source === "db" || source === "env";
}

function narrower(own: number, setting: Resolved<number>, unit: number): number {
  return isSet(setting) ? Math.min(own, setting.value * unit) : own;
}
