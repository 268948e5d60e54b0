/**
 * What is a setting's value here and now, and where does it come from? Database before environment before default, per key
 * and scope. Implements docs/spec/deploy.md R-SETTINGS-1.
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { appSettingRows, globalSettingRows, type SettingRow, type SettingValue } from "./deploy-settings.ts";
import { settingVariable, type EnvironmentSetting } from "./environment-settings.ts";
import { isSettingFault, type PatternCheck } from "./setting-kinds.ts";

export type SettingSource = "db" | "env" | "default" | "global_default";

export interface Resolved<Value> {
  readonly value: Value;
  readonly source: SettingSource;
  /** The variable that sets it, or would. */
  readonly envVar: string;
}

export interface SettingLayers {
  /** Name of the rack. */
  readonly scope: string;
  /** Keys and values from the database: of the scope, or of the app in it. */
  readonly stored: JsonObject;
  readonly environment: readonly EnvironmentSetting[];
  readonly patterns: PatternCheck;
}

type GlobalRows = typeof globalSettingRows;
type AppRows = typeof appSettingRows;

export type GlobalSettings = {
  readonly [Name in keyof GlobalRows]: Resolved<SettingValue<GlobalRows[Name]>>;
};

/** What an app leaves open, the global setting of the same meaning says. */
type Inherited = "vcsProvider" | "ciProvider" | "deployPolicy" | "windowMinutes" | "pendingTtlMinutes";

export type AppSettings = {
  readonly [Name in keyof AppRows]: Resolved<
    Name extends Inherited ? NonNullable<SettingValue<AppRows[Name]>> : SettingValue<AppRows[Name]>
  >;
};

export function resolveGlobalSettings(layers: SettingLayers): GlobalSettings {
  const rows = globalSettingRows;
  const at = <Value extends JsonValue, Fallback extends JsonValue>(
    row: SettingRow<Value, Fallback>,
  ): Resolved<Value | Fallback> => resolve(row, layers, null);
  return {
    deployApprovalsEnabled: at(rows.deployApprovalsEnabled),
    windowMinutes: at(rows.windowMinutes),
    pendingTtlMinutes: at(rows.pendingTtlMinutes),
    maxExtensions: at(rows.maxExtensions),
    maxWindowMinutes: at(rows.maxWindowMinutes),
    requiredFor: at(rows.requiredFor),
    defaultPolicy: at(rows.defaultPolicy),
    allowDestructiveActions: at(rows.allowDestructiveActions),
    defaultCiProvider: at(rows.defaultCiProvider),
    defaultVcsProvider: at(rows.defaultVcsProvider),
    mfaRequireAllUsers: at(rows.mfaRequireAllUsers),
    mfaStepUpWindowMinutes: at(rows.mfaStepUpWindowMinutes),
    mfaTrustedDeviceTtlDays: at(rows.mfaTrustedDeviceTtlDays),
    sessionTimeoutMinutes: at(rows.sessionTimeoutMinutes),
    cliSessionMaxDays: at(rows.cliSessionMaxDays),
    apiTokenMaxDays: at(rows.apiTokenMaxDays),
  };
}

export function resolveAppSettings(app: string, layers: SettingLayers, global: GlobalSettings): AppSettings {
  const rows = appSettingRows;
  const at = <Value extends JsonValue, Fallback extends JsonValue>(
    row: SettingRow<Value, Fallback>,
  ): Resolved<Value | Fallback> => resolve(row, layers, app);
  return {
    vcsProvider: inherited(at(rows.vcsProvider), global.defaultVcsProvider),
    ciProvider: inherited(at(rows.ciProvider), global.defaultCiProvider),
    vcsRepo: at(rows.vcsRepo),
    circleciApprovalJobName: at(rows.circleciApprovalJobName),
    circleciAutoApprove: at(rows.circleciAutoApprove),
    circleciCancelOnRejection: at(rows.circleciCancelOnRejection),
    githubVerification: at(rows.githubVerification),
    githubPostPrComment: at(rows.githubPostPrComment),
    allowDeployFromDefaultBranch: at(rows.allowDeployFromDefaultBranch),
    defaultBranch: at(rows.defaultBranch),
    requirePrForBranch: at(rows.requirePrForBranch),
    verifyGitCommitMode: at(rows.verifyGitCommitMode),
    approvedDeployCommands: at(rows.approvedDeployCommands),
    serviceImagePatterns: at(rows.serviceImagePatterns),
    protectedEnvVars: at(rows.protectedEnvVars),
    secretEnvVars: at(rows.secretEnvVars),
    deployPolicy: inherited(at(rows.deployPolicy), global.defaultPolicy),
    windowMinutes: inherited(at(rows.windowMinutes), global.windowMinutes),
    pendingTtlMinutes: inherited(at(rows.pendingTtlMinutes), global.pendingTtlMinutes),
    supersedePending: at(rows.supersedePending),
    verifySource: at(rows.verifySource),
    sourcePath: at(rows.sourcePath),
    allowedUntrackedPaths: at(rows.allowedUntrackedPaths),
    approvedManifests: at(rows.approvedManifests),
    approvedBuildArgs: at(rows.approvedBuildArgs),
    maxBuildAttempts: at(rows.maxBuildAttempts),
    imageRepositories: at(rows.imageRepositories),
    imageDigestResolution: at(rows.imageDigestResolution),
    requireImageDigest: at(rows.requireImageDigest),
    driftEnv: at(rows.driftEnv),
    driftBase: at(rows.driftBase),
    githubEnvironment: at(rows.githubEnvironment),
    githubActionsToken: at(rows.githubActionsToken),
    ciWebhookUrl: at(rows.ciWebhookUrl),
  };
}

/**
 * A stored value that an older version took and this one does not is as good as none, and yields the default, which is the
 * safe side of every setting; it does not give way to what the environment says.
 */
function resolve<Value extends JsonValue, Fallback extends JsonValue>(
  row: SettingRow<Value, Fallback>,
  { scope, stored, environment, patterns }: SettingLayers,
  app: string | null,
): Resolved<Value | Fallback> {
  const envVar = settingVariable(row.key, app);
  const own = Object.hasOwn(stored, row.key) ? stored[row.key] : undefined;
  const set = variableFor(environment, { scope, app, key: row.key });
  const json = own ?? set?.value;
  const checked = json === undefined ? null : row.kind.check(json, patterns);
  const names = { envVar: set?.envVar ?? envVar };
  if (checked === null || isSettingFault(checked)) return { value: row.fallback, source: "default", ...names };
  return { value: checked.value, source: own === undefined ? "env" : "db", ...names };
}

/** A variable for this rack counts before one for all. */
function variableFor(
  environment: readonly EnvironmentSetting[],
  wanted: { readonly scope: string; readonly app: string | null; readonly key: string },
): EnvironmentSetting | undefined {
  const fitting = environment.filter(({ key, app }) => key === wanted.key && app === wanted.app);
  return fitting.find(({ scope }) => scope === wanted.scope) ?? fitting.find(({ scope }) => scope === null);
}

function inherited<Value>(own: Resolved<Value | null>, global: Resolved<Value>): Resolved<Value> {
  if (own.value !== null) return { ...own, value: own.value };
  return { value: global.value, source: "global_default", envVar: own.envVar };
}
