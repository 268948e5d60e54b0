/**
 * The deploy gate's settings as they are now: database before environment before default (docs/spec/deploy.md R-SETTINGS-1). Kept in
 * memory for a few seconds, and forgotten at once when somebody changes one in any process (R-SETTINGS-3). One per process.
 */
import type { JsonValue } from "../../core/json.ts";
import type { EnvironmentSetting } from "../../gates/deploy/environment-settings.ts";
import {
  resolveAppSettings,
  resolveGlobalSettings,
  type AppSettings,
  type GlobalSettings,
} from "../../gates/deploy/resolve-settings.ts";
import type { PatternCheck } from "../../gates/deploy/setting-kinds.ts";
import type { DeploySettingRecord } from "../../ports/deploy-records.ts";
import type { World } from "../../ports/command-store.ts";
import type { Reader } from "../../ports/reader.ts";
import { recordsBy, type RecordQuery } from "../../ports/records.ts";
import { createCredentialCache } from "../credential-cache.ts";

/** Whose settings: the part of the application that the desk reads with. */
interface DeskReading {
  readonly orgId: string;
  readonly reader: Pick<Reader, "records">;
}

export interface DeploySettingsDesk {
  /** Of one rack, as this organization has them. */
  global(app: DeskReading, scope: string): Promise<GlobalSettings>;
  /** Of one app on it. */
  ofApp(app: DeskReading, scope: string, appName: string): Promise<DeployAppSettings>;
  /** The apps of these racks that any setting names. */
  places(app: DeskReading, scopes: readonly string[]): Promise<readonly DeployPlace[]>;
  /** What `at` looks at. */
  needs(app: DeskReading): RecordQuery;
  /** As a transaction finds them, whatever is kept in memory. */
  at(world: World, app: DeskReading, place: DeployPlace): DeployAppSettings;
  /** After a change of any setting, whoever made it. */
  drop(): void;
  /** What checks the expressions that people write. */
  readonly patterns: PatternCheck;
}

export interface DeployPlace {
  readonly scope: string;
  readonly app: string;
}

export interface DeployAppSettings {
  readonly global: GlobalSettings;
  readonly app: AppSettings;
}

export interface SettingsDeskOptions {
  readonly environment: readonly EnvironmentSetting[];
  readonly patterns: PatternCheck;
  readonly clock: () => number;
}

/** Whoever asks for many names cannot fill the memory. */
const APPS_MAX = 1_000;

export function createDeploySettingsDesk({ environment, patterns, clock }: SettingsDeskOptions): DeploySettingsDesk {
  const stored = createCredentialCache<readonly DeploySettingRecord[]>(clock);
  const load = async (app: DeskReading): Promise<readonly DeploySettingRecord[]> =>
    (await stored.get(app.orgId, () => app.reader.records(recordsBy("deploySetting", "orgId", [app.orgId])))) ?? [];
  const layers = (records: readonly DeploySettingRecord[], scope: string, appName: string) => ({
    ...{ scope, environment, patterns },
    stored: storedOf(records, scope, appName),
  });
  const ofPlace = (records: readonly DeploySettingRecord[], scope: string, appName: string): DeployAppSettings => {
    const global = resolveGlobalSettings(layers(records, scope, ""));
    return { global, app: resolveAppSettings(appName, layers(records, scope, appName), global) };
  };
  /** Resolved once per state of the stored settings: every call to a rack asks for them. */
  const resolved = new WeakMap<readonly DeploySettingRecord[], Map<string, DeployAppSettings>>();
  const ofRecords = (records: readonly DeploySettingRecord[], scope: string, appName: string): DeployAppSettings => {
    const known = resolved.get(records) ?? new Map<string, DeployAppSettings>();
    resolved.set(records, known);
    const key = `${scope}/${appName}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = ofPlace(records, scope, appName);
    if (known.size < APPS_MAX) known.set(key, made);
    return made;
  };
  const desk = {
    async global(app: DeskReading, scope: string): Promise<GlobalSettings> {
      return resolveGlobalSettings(layers(await load(app), scope, ""));
    },
    async ofApp(app: DeskReading, scope: string, appName: string): Promise<DeployAppSettings> {
      return ofRecords(await load(app), scope, appName);
    },
    async places(app: DeskReading, scopes: readonly string[]): Promise<readonly DeployPlace[]> {
      const kept = (await load(app)).filter((record) => record.app !== "" && scopes.includes(record.scope));
      const set = environment.flatMap(({ scope, app: name }) =>
        name === null ? [] : (scope === null ? scopes : [scope]).map((each) => ({ scope: each, app: name })),
      );
      const named = [...kept, ...set].map((place) => ({ scope: place.scope, app: place.app }));
      return [...new Map(named.map((place) => [`${place.scope}/${place.app}`, place])).values()];
    },
    needs: ({ orgId }: DeskReading): RecordQuery => recordsBy("deploySetting", "orgId", [orgId]),
    at: (world: World, { orgId }: DeskReading, { scope, app }: DeployPlace): DeployAppSettings =>
      ofPlace(world.records("deploySetting", "orgId", orgId), scope, app),
    drop: () => {
      stored.drop();
    },
    patterns,
  };
  return desk;
}

/** A value that was given back is as good as none. */
function storedOf(records: readonly DeploySettingRecord[], scope: string, appName: string): Record<string, JsonValue> {
  const own = records.filter((record) => record.scope === scope && record.app === appName && record.value !== null);
  return Object.fromEntries(own.map(({ key, value }) => [key, value]));
}
