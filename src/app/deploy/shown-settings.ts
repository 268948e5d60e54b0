/** Settings as their pages show them: every key with its value and where that comes from (docs/spec/deploy.md R-SETTINGS-2). */
import type { JsonValue } from "../../core/json.ts";
import {
  appSettingRows,
  globalSettingRows,
  type SettingGroup,
  type SettingLevel,
  type SettingRow,
} from "../../gates/deploy/deploy-settings.ts";
import type { AppSettings, GlobalSettings, Resolved } from "../../gates/deploy/resolve-settings.ts";
import type { Application } from "../application.ts";

export interface ShownSetting extends Resolved<JsonValue> {
  readonly key: string;
  readonly group: SettingGroup;
}

export interface SettingsPlace {
  /** Name of the rack. */
  readonly scope: string;
  /** Empty for the settings of the whole rack. */
  readonly appName: string;
}

export function levelOf({ appName }: SettingsPlace): SettingLevel {
  return appName === "" ? "global" : "app";
}

export async function shownSettings(app: Application, place: SettingsPlace): Promise<readonly ShownSetting[]> {
  const { settings } = app.deploy;
  if (levelOf(place) === "global") return shown(globalSettingRows, await settings.global(app, place.scope));
  return shown(appSettingRows, (await settings.ofApp(app, place.scope, place.appName)).app);
}

function shown(
  rows: Readonly<Record<string, SettingRow>>,
  settings: GlobalSettings | AppSettings,
): readonly ShownSetting[] {
  const resolved = new Map<string, Resolved<JsonValue>>(Object.entries(settings));
  return Object.entries(rows).flatMap(([name, { key, group }]) => {
    const one = resolved.get(name);
    return one === undefined ? [] : [{ key, group, ...one }];
  });
}
