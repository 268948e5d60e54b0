/**
 * Somebody sets or gives back settings of a rack or of an app on it: all of them in one transaction, one entry for each that
 * became another (docs/spec/deploy.md R-SETTINGS-2). What is written was checked before, by `checkSettingGroup`.
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Actor } from "../admitted-actor.ts";
import type { ChangeSet } from "../../ports/change-set.ts";
import type { World } from "../../ports/command-store.ts";
import type { DeploySettingRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { describe, hidden } from "../entry-writer.ts";
import { ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import { joinedChanges } from "../person-changes.ts";
import type { SettingsPlace } from "./shown-settings.ts";

/** In canonical form, by key; null gives a setting back to environment and default. */
export async function changeDeploySettings(
  app: Application,
  actor: Actor,
  { place, values }: { readonly place: SettingsPlace; readonly values: JsonObject },
): Promise<void> {
  await app.store.submit<null>({
    name: "change_deploy_settings",
    needs: { records: [recordsBy("deploySetting", "orgId", [app.orgId])] },
    alone: true,
    carryOut(world) {
      const stored = world
        .records("deploySetting", "orgId", app.orgId)
        .filter((record) => record.scope === place.scope && record.app === place.appName);
      const changed = Object.entries(values).flatMap(([key, value]) => {
        const before = stored.find((record) => record.key === key)?.value ?? null;
        return JSON.stringify(before) === JSON.stringify(value) ? [] : [{ key, before, value }];
      });
      if (changed.length === 0) return { answer: null, changes: NO_CHANGE };
      const each = changed.map((one) => settingChange(app, { actor, place, world }, one));
      return { answer: null, changes: joinedChanges(each) };
    },
  });
  // This process answers with the new values at once; the others hear of it from the database (R-SETTINGS-3).
  app.deploy.settings.drop();
}

interface Changing {
  readonly actor: Actor;
  readonly place: SettingsPlace;
  readonly world: World;
}

function settingChange(
  app: Application,
  { actor, place, world }: Changing,
  { key, before, value }: { readonly key: string; readonly before: JsonValue; readonly value: JsonValue },
): ChangeSet {
  const updatedBy = ledgerActor(actor, app.sha256);
  const record: DeploySettingRecord = {
    ...{ orgId: app.orgId, scope: place.scope, app: place.appName },
    ...{ key, value, updatedBy, updatedAt: world.now },
  };
  const [old, next] = [withoutSecrets(key, before), withoutSecrets(key, value)];
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: updatedBy, credential: actor.credential },
      ...{ resource: null, request: null },
      data: { key, scope: place.appName === "" ? "deploy-rack" : "deploy-app", old: hidden(old), new: hidden(next) },
    },
    app,
  );
  const where = place.appName === "" ? place.scope : `${place.scope}/${place.appName}`;
  const line = auditRecord(
    actor,
    { entry: 0, world },
    {
      ...{ action: value === null ? "setting.delete" : "setting.update", resourceType: "setting", resourceId: key },
      summary: `The setting ${key} of ${where} was ${value === null ? "given back" : "changed"}`,
      ...{ before: old, after: next, metadata: { scope: place.scope, app: place.appName } },
    },
  );
  return { entries: [entry], audit: [line], records: { deploySetting: [record] } };
}

/** What follows the question mark of an address may be a credential. */
function withoutSecrets(key: string, value: JsonValue): JsonValue {
  return key === "ci_webhook_url" && typeof value === "string"
    ? value.replace(/\?.*$/, "?********************")
    : value;
}
