/** What the configuration says about signing in, and where people reach this installation. */
import { createServer } from "node:net";
import type { IdentitySettings } from "../app/application.ts";
import type { SettingOrigin } from "../app/setting-origin.ts";
import type { LoadedConfig } from "./config.ts";
import type { Config } from "./config-schema.ts";

const SESSIONS_PER_PERSON = 20;
const WEB_SECONDS = 24 * 3_600;
const DAY_SECONDS = 86_400;

export function identitySettings(
  {
    config: {
      countersign: own,
      awe: { keycloak },
    },
    settings,
  }: LoadedConfig,
  { development, publicUrl }: { readonly development: boolean; readonly publicUrl: string },
): IdentitySettings {
  return {
    ...{ publicUrl, development },
    stepUpWindowSeconds: own.step_up_window_minutes * 60,
    coolDownHours: own.factor_cool_down_hours,
    webIdleSeconds: own.session_timeout_minutes * 60,
    webSeconds: WEB_SECONDS,
    cliSeconds: own.cli_session_max_days * DAY_SECONDS,
    sessionsPerPerson: SESSIONS_PER_PERSON,
    trustedDeviceDays: own.trusted_device_days,
    backupCodesDecide: own.backup_codes_decide,
    requireMfaAll: own.mfa_require_all_users,
    stepUpForJwt: own.step_up_for_jwt,
    apiTokenMaxDays: own.api_token_max_days,
    personTokenAudience: keycloak.issuer === "" ? null : keycloak.audience,
    peopleIssuers: [keycloak.issuer, ...keycloak.additional_issuers].filter((issuer) => issuer !== ""),
    said: {
      factor_cool_down_hours: originOf(settings, "countersign.factor_cool_down_hours"),
      session_timeout_minutes: originOf(settings, "countersign.session_timeout_minutes"),
      backup_codes_decide: originOf(settings, "countersign.backup_codes_decide"),
      person_token_audience: originOf(settings, "awe.keycloak.audience"),
    },
  };
}

/** Lines of the file stay with whoever runs the installation: to everybody else it is the file. */
function originOf(settings: LoadedConfig["settings"], key: string): SettingOrigin {
  const source = settings.find((setting) => setting.key === key)?.source ?? "default";
  if (source === "default") return { by: "default" };
  return /^[A-Z][A-Z0-9_]*$/.test(source) ? { by: "environment", variable: source } : { by: "file" };
}

/**
 * The address that people use, without a slash at the end. Without a configured one it is this machine: by name, because a
 * passkey is never bound to an IP address (WebAuthn).
 */
export function publicUrlOf({ countersign: { public_url: configured } }: Config, port: number): string {
  return configured === "" ? `http://localhost:${String(port)}` : configured.replace(/\/+$/, "");
}

/** The port to listen on, known before anything depends on it: port 0 is any that is free. */
export async function portOf({ countersign: { host, port } }: Config): Promise<number> {
  if (port !== 0) return port;
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}
