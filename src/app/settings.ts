/** What an organization decides for itself; what it leaves open the installation says (docs/spec/identity.md section 7). */
import type { JsonValue } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { SettingRecord } from "../ports/identity-records.ts";
import type { World } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application, IdentitySettings } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { hasEmergencyPerson, markedPeople, type MarkedPeople } from "./emergency-people.ts";
import { describe, hidden } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import type { SettingOrigin } from "./setting-origin.ts";

export type SettingKey =
  "require_sso" | "factor_cool_down_hours" | "aal3" | "aaguids" | "session_timeout_minutes" | "backup_codes_decide";

/** Said by the installation alone, and shown because it concerns everybody (R-IDP-12). */
type InstallationKey = "person_token_audience";

export interface Setting {
  readonly key: SettingKey | InstallationKey;
  readonly value: JsonValue;
  /** Null while the installation's value applies. */
  readonly changed: { readonly by: string; readonly at: number } | null;
  /** Who says what applies while the organization says nothing. */
  readonly said: SettingOrigin;
}

const UNSAID: SettingOrigin = { by: "default" };

const DEFAULTS: Readonly<Record<SettingKey, (identity: IdentitySettings) => JsonValue>> = {
  require_sso: () => false,
  factor_cool_down_hours: ({ coolDownHours }) => coolDownHours,
  aal3: () => false,
  aaguids: () => [],
  session_timeout_minutes: ({ webIdleSeconds }) => Math.floor(webIdleSeconds / 60),
  backup_codes_decide: ({ backupCodesDecide }) => backupCodesDecide,
};

const KEYS: readonly SettingKey[] = [
  "require_sso",
  "factor_cool_down_hours",
  "aal3",
  "aaguids",
  "session_timeout_minutes",
  "backup_codes_decide",
];

export async function settings(app: Application): Promise<readonly Setting[]> {
  const stored = await app.reader.records(recordsBy("setting", "orgId", [app.orgId]));
  const own = KEYS.map((key) =>
    settingFrom(
      app,
      key,
      stored.find((record) => record.key === key),
    ),
  );
  const audience = { value: app.identity.personTokenAudience, said: saidOf(app, "person_token_audience") };
  return [...own, { key: "person_token_audience", ...audience, changed: null }];
}

function settingFrom(app: Application, key: SettingKey, record: SettingRecord | undefined): Setting {
  const said = saidOf(app, key);
  if (record === undefined || record.value === null) {
    return { key, value: DEFAULTS[key](app.identity), changed: null, said };
  }
  return { key, value: record.value, changed: { by: record.updatedBy, at: record.updatedAt }, said };
}

function saidOf({ identity }: Application, key: Setting["key"]): SettingOrigin {
  return identity.said[key] ?? UNSAID;
}

/** How long a browser's session may lie idle here: the shorter of both, so that an organization is never laxer. */
export async function idleSeconds(app: Application): Promise<number> {
  const own = (await settings(app)).find(({ key }) => key === "session_timeout_minutes");
  const minutes = typeof own?.value === "number" ? own.value : null;
  return minutes === null ? app.identity.webIdleSeconds : Math.min(app.identity.webIdleSeconds, minutes * 60);
}

/** R-LOCAL-1: requiring the provider shuts nobody out: there is one, and somebody gets in when it fails. */
function requiringRefusal(app: Application, world: World, marked: MarkedPeople): Refusal | null {
  const providers = world.records("identityProvider", "orgId", app.orgId);
  if (!providers.some(({ enabled, deletedAt }) => enabled && deletedAt === null)) {
    const message = "Without an enabled identity provider nobody could sign in any more: add one first";
    return refuse("wrong_state", message);
  }
  if (hasEmergencyPerson(app, world, marked)) return null;
  const message = "If the identity provider fails nobody could sign in any more: mark an active person for emergencies";
  return refuse("wrong_state", `${message} first`);
}

export async function changeSetting(
  app: Application,
  actor: Actor,
  { key, value }: { readonly key: SettingKey; readonly value: JsonValue },
): Promise<Setting | Refusal> {
  const marked = await markedPeople(app);
  return app.store.submit<Setting | Refusal>({
    name: "change_setting",
    needs: {
      personIds: marked.personIds,
      records: [
        recordsBy("setting", "orgId", [app.orgId]),
        recordsBy("identityProvider", "orgId", [app.orgId]),
        ...marked.records,
      ],
    },
    alone: true,
    carryOut(world) {
      const known = world.records("setting", "orgId", app.orgId).find((record) => record.key === key);
      const before = settingFrom(app, key, known);
      if (JSON.stringify(known?.value ?? null) === JSON.stringify(value)) return { answer: before, changes: NO_CHANGE };
      const refused = key === "require_sso" && value === true ? requiringRefusal(app, world, marked) : null;
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const updatedBy = ledgerActor(actor, app.sha256);
      const record: SettingRecord = { orgId: app.orgId, key, value, updatedBy, updatedAt: world.now };
      const after = settingFrom(app, key, record);
      const entry = describe(
        {
          ...{
            org: ledgerId("org", app.orgId),
            kind: "setting.changed",
            actor: updatedBy,
            credential: actor.credential,
          },
          ...{ resource: null, request: null },
          data: { key, old: hidden(before.value), new: hidden(after.value) },
        },
        app,
      );
      const line = auditRecord(
        actor,
        { entry: 0, world },
        {
          ...{
            action: "setting.changed",
            resourceType: "setting",
            resourceId: key,
            summary: `The setting ${key} was changed`,
          },
          ...{ before: before.value, after: after.value, metadata: {} },
        },
      );
      return { answer: after, changes: { entries: [entry], audit: [line], records: { setting: [record] } } };
    },
  });
}
