/** One's own factors, devices and codes as the deploy gate's clients read them (docs/spec/deploy.md 11.2). */
import { ownFactors } from "../../app/factor-change.ts";
import { preferredMethod } from "../../app/factor-preference.ts";
import { ownDevices } from "../../app/trusted-device.ts";
import type { DeployMfaStatusOut } from "../../contract/deploy-mfa.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { PersonId } from "../../core/ids.ts";
import type { BackupCodeRecord, FactorRecord, TrustedDeviceRecord } from "../../ports/identity-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Authorized } from "../authorized.ts";
import { mustHaveFactor, stepUpEnd } from "./info-routes.ts";
import { numericId } from "../../app/deploy/numeric-id.ts";

type Shown = Pick<Authorized, "app" | "permissions" | "session" | "enrolled">;

export async function mfaStatusOut(caller: Shown, personId: PersonId): Promise<DeployMfaStatusOut> {
  const { app, enrolled } = caller;
  const [factors, devices, codes, preferred] = await Promise.all([
    ownFactors(app, personId),
    ownDevices(app, personId),
    app.reader.records(recordsBy("backupCode", "personId", [personId])),
    preferredMethod(app, personId),
  ]);
  const openUntil = stepUpEnd(caller);
  const live = factors.filter(({ disabledAt }) => disabledAt === null);
  return {
    ...{ enrolled, required: mustHaveFactor(caller) },
    ...{ methods: live.map(methodOut), trusted_devices: devices.map(deviceOut) },
    backup_codes: codesOut(codes.filter(({ endedAt }) => endedAt === null)),
    ...(openUntil === null ? {} : { recent_step_up_expires_at: wireTime(openUntil) }),
    ...(preferred === null ? {} : { preferred_method: preferred }),
    webauthn_available: true,
  };
}

/** A passkey on a key that is plugged in or held to the machine can be asked for without a browser. */
const ROAMING: ReadonlySet<string> = new Set(["usb", "nfc"]);

export function isCliCapable({ type, transports }: Pick<FactorRecord, "type" | "transports">): boolean {
  return type === "totp" || (transports ?? []).some((transport) => ROAMING.has(transport));
}

function methodOut(factor: FactorRecord): DeployMfaStatusOut["methods"][number] {
  const { id, type, name, createdAt, lastUsedAt } = factor;
  return {
    ...{ id: numericId(id), type: type === "passkey" ? "webauthn" : "totp", label: name },
    cli_capable: isCliCapable(factor),
    ...{ created_at: wireTime(createdAt), confirmed_at: wireTime(createdAt) },
    ...(lastUsedAt === null ? {} : { last_used_at: wireTime(lastUsedAt) }),
  };
}

function deviceOut(device: TrustedDeviceRecord): DeployMfaStatusOut["trusted_devices"][number] {
  const { id, browser, createdAt, expiresAt, lastUsedAt } = device;
  return {
    ...{ id: numericId(id), label: browser, created_at: wireTime(createdAt), expires_at: wireTime(expiresAt) },
    ...(lastUsedAt === null ? {} : { last_used_at: wireTime(lastUsedAt) }),
  };
}

function codesOut(codes: readonly BackupCodeRecord[]): DeployMfaStatusOut["backup_codes"] {
  const used = codes.flatMap(({ usedAt }) => usedAt ?? []);
  const made = codes.map(({ createdAt }) => createdAt);
  return {
    ...{ total: codes.length, unused: codes.length - used.length },
    ...(used.length === 0 ? {} : { last_used_at: wireTime(Math.max(...used)) }),
    ...(made.length === 0 ? {} : { last_generated_at: wireTime(Math.max(...made)) }),
  };
}
