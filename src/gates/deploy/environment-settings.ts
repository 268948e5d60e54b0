/**
 * Settings from variables of the environment: `RGW_SETTING_<KEY>`, `RGW_APP_<APP>_SETTING_<KEY>`, and either with
 * `RGW_RACK_<RACK>_` in place of `RGW_` for one rack. Implements docs/spec/deploy.md R-SETTINGS-1: what nobody can have meant
 * stops the start.
 */
import type { JsonValue } from "../../core/json.ts";
import { appSettingRows, globalSettingRows, type SettingLevel, type SettingRow } from "./deploy-settings.ts";
import { isSettingFault, type PatternCheck } from "./setting-kinds.ts";

export interface EnvironmentSetting {
  /** Null: every rack. */
  readonly scope: string | null;
  /** Null: a global setting. */
  readonly app: string | null;
  readonly key: string;
  readonly value: JsonValue;
  readonly envVar: string;
}

export interface EnvironmentSettings {
  readonly settings: readonly EnvironmentSetting[];
  /** One sentence each; with any of them the server does not start. */
  readonly faults: readonly string[];
}

export interface SettingEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Names of the configured racks. */
  readonly scopes: readonly string[];
  readonly patterns: PatternCheck;
}

export function parseEnvironmentSettings(environment: SettingEnvironment): EnvironmentSettings {
  const settings: EnvironmentSetting[] = [];
  const faults: string[] = [];
  for (const [envVar, text] of Object.entries(environment.variables)) {
    if (text === undefined || !PREFIX.test(envVar)) continue;
    const read = readVariable(envVar, text, environment);
    if (typeof read === "string") faults.push(read);
    else settings.push(read);
  }
  return { settings, faults };
}

/** The variable without a rack in front: what the settings pages name. */
export function settingVariable(key: string, app: string | null): string {
  return app === null
    ? `RGW_SETTING_${variableWord(key)}`
    : `RGW_APP_${variableWord(app)}_SETTING_${variableWord(key)}`;
}

const PREFIX = /^RGW_(?:SETTING|APP|RACK)_/;
const APP_WORD = /^[A-Z0-9](?:[A-Z0-9_]{0,61}[A-Z0-9])?$/;

interface Meaning {
  readonly scope: string | null;
  readonly app: string | null;
  readonly row: SettingRow;
}

function readVariable(
  envVar: string,
  text: string,
  { scopes, patterns }: SettingEnvironment,
): EnvironmentSetting | string {
  const meanings = meaningsOf(envVar, scopes);
  const [meaning, second] = meanings;
  if (meaning === undefined) return `${envVar} names no setting of a configured rack: correct or remove it.`;
  if (second !== undefined)
    return `${envVar} can be read in two ways: rename the rack or the app, or set it in the console.`;
  const { scope, app, row } = meaning;
  const json = row.kind.parse(text);
  const checked = json === undefined ? { why: "it cannot be read" } : row.kind.check(json, patterns);
  if (isSettingFault(checked)) return `${envVar} has an invalid value: ${checked.why}.`;
  return { scope, app, key: row.key, value: checked.value, envVar };
}

/** A rack's name may hold words that look like the rest, so every reading is tried. */
function meaningsOf(envVar: string, scopes: readonly string[]): readonly Meaning[] {
  const general = restMeaning(envVar.slice("RGW_".length), null);
  const narrowed = scopes.flatMap((scope) => {
    const front = `RGW_RACK_${variableWord(scope)}_`;
    return envVar.startsWith(front) ? restMeaning(envVar.slice(front.length), scope) : [];
  });
  return [...general, ...narrowed];
}

/** `SETTING_<KEY>` or `APP_<APP>_SETTING_<KEY>`; no key holds `_SETTING_`, so the last one divides. */
function restMeaning(rest: string, scope: string | null): readonly Meaning[] {
  if (rest.startsWith("SETTING_")) return rowMeaning("global", rest.slice("SETTING_".length), scope, null);
  const divider = rest.lastIndexOf("_SETTING_");
  if (!rest.startsWith("APP_") || divider < 0) return [];
  const word = rest.slice("APP_".length, divider);
  if (!APP_WORD.test(word)) return [];
  // App names have no underscore, so no two apps share a variable.
  const app = word.toLowerCase().replaceAll("_", "-");
  return rowMeaning("app", rest.slice(divider + "_SETTING_".length), scope, app);
}

function rowMeaning(level: SettingLevel, word: string, scope: string | null, app: string | null): readonly Meaning[] {
  const row = WORDS[level].get(word);
  return row === undefined ? [] : [{ scope, app, row }];
}

const WORDS: Readonly<Record<SettingLevel, ReadonlyMap<string, SettingRow>>> = {
  global: new Map(Object.values(globalSettingRows).map((row) => [variableWord(row.key), row])),
  app: new Map(Object.values(appSettingRows).map((row) => [variableWord(row.key), row])),
};

function variableWord(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
