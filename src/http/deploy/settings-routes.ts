/** Settings of a rack and of its apps: read, set and given back by group or by key (docs/spec/deploy.md 11.3, R-SETTINGS-2). */
import { changeDeploySettings } from "../../app/deploy/change-deploy-settings.ts";
import { levelOf, shownSettings, type SettingsPlace, type ShownSetting } from "../../app/deploy/shown-settings.ts";
import {
  deploySettingKeysSchema,
  deploySettingsSchema,
  deploySettingValueSchema,
} from "../../contract/deploy-settings.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { permits } from "../../core/permission.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  checkSetting,
  checkSettingGroup,
  checkSettingKeys,
  settingRow,
  type SettingGroup,
} from "../../gates/deploy/deploy-settings.ts";
import type { MfaLevel } from "../../gates/deploy/mfa-level.ts";
import { recordsBy } from "../../ports/records.ts";
import { ok } from "../answers.ts";
import { assuranceProblem, provesFactors, type Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";
import { deployReply } from "./deploy-reply.ts";
import { appOf, rackOf } from "./rack-scope.ts";

const tag = "deploy";

export function deploySettingRoutes(): readonly Endpoint[] {
  return [
    all("/settings", rackPlace),
    ...RACK_GROUPS.flatMap(([path, group]) => groupRoutes(`/settings/${path}`, { group, place: rackPlace })),
    all("/apps/:app/settings", appPlace),
    ...APP_GROUPS.flatMap(([path, group]) => groupRoutes(`/apps/:app/settings/${path}`, { group, place: appPlace })),
    ...OWN_KEYS.flatMap(keyRoutes),
  ];
}

const RACK_GROUPS: readonly (readonly [string, SettingGroup])[] = [
  ["mfa-configuration", "mfa_configuration"],
  ["allow-destructive-actions", "allow_destructive_actions"],
  ["vcs-and-ci-defaults", "vcs_and_ci_defaults"],
  ["deploy-approvals", "deploy_approvals"],
  ["session-configuration", "session_configuration"],
];

const APP_GROUPS: readonly (readonly [string, SettingGroup])[] = [
  ["vcs-ci-deploy", "vcs_ci_deploy"],
  ["deploy-gate", "deploy_gate"],
];

/** Settings with an endpoint of their own, whose body is the bare value. */
const OWN_KEYS = ["protected_env_vars", "secret_env_vars", "approved_deploy_commands", "service_image_patterns"];

type PlaceOf = (exchange: Pick<RawExchange, "caller" | "params">) => SettingsPlace | Refusal;

function rackPlace(exchange: Pick<RawExchange, "caller" | "params">): SettingsPlace | Refusal {
  const rack = rackOf(exchange);
  return isRefusal(rack) ? rack : { scope: rack.info.name, appName: "" };
}

function appPlace(exchange: Pick<RawExchange, "caller" | "params">): SettingsPlace | Refusal {
  const place = appOf(exchange);
  return isRefusal(place) ? place : { scope: place.scope, appName: place.appName };
}

function all(url: string, placeOf: PlaceOf): Endpoint {
  return endpoint({
    ...{ method: "GET", url, summary: "Every setting, and where its value comes from", tag },
    answers: { 200: deploySettingsSchema },
    async handle(exchange) {
      const place = placeOf(exchange);
      if (isRefusal(place)) return place;
      return ok(await settingsOut(exchange.caller, place));
    },
  });
}

interface Group {
  readonly group: SettingGroup;
  readonly place: PlaceOf;
}

function groupRoutes(url: string, { group, place: placeOf }: Group): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "PUT", url, summary: "Set settings of this group, all or none", tag },
      body: deploySettingValueSchema,
      answers: { 200: deploySettingsSchema },
      async handle({ caller, params, body, requestId }) {
        const place = placeOf({ caller, params });
        if (isRefusal(place)) return place;
        if (!isJsonObject(body)) return problem("invalid_input", "invalid payload");
        const checked = checkSettingGroup(levelOf(place), group, body, caller.app.deploy.settings.patterns);
        if ("code" in checked) return deployReply(checked, requestId);
        return settled(caller, { place, values: checked.values, mfa: checked.mfa, shows: inGroup(group) });
      },
    }),
    endpoint({
      ...{ method: "DELETE", url, summary: "Give settings of this group back to environment and default", tag },
      query: deploySettingKeysSchema,
      answers: { 200: deploySettingsSchema },
      async handle({ caller, params, query, requestId }) {
        const place = placeOf({ caller, params });
        if (isRefusal(place)) return place;
        const keys = [query.key ?? []].flat();
        const checked = checkSettingKeys(levelOf(place), group, keys);
        if ("code" in checked) return deployReply(checked, requestId);
        const values = Object.fromEntries(keys.map((key) => [key, null]));
        return settled(caller, { place, values, mfa: checked.mfa, shows: inGroup(group) });
      },
    }),
  ];
}

function keyRoutes(key: string): readonly Endpoint[] {
  const url = `/apps/:app/settings/${key.replaceAll("_", "-")}`;
  const shows = (one: ShownSetting): boolean => one.key === key;
  const mfa: MfaLevel = settingRow("app", key)?.mfa ?? "always";
  return [
    endpoint({
      ...{ method: "PUT", url, summary: "Set this setting; the body is the bare value", tag },
      body: deploySettingValueSchema,
      answers: { 200: deploySettingsSchema },
      async handle({ caller, params, body, requestId }) {
        const place = appPlace({ caller, params });
        if (isRefusal(place)) return place;
        const checked = checkSetting("app", key, body, caller.app.deploy.settings.patterns);
        if ("code" in checked) return deployReply(checked, requestId);
        return settled(caller, { place, values: { [key]: checked.value }, mfa, shows });
      },
    }),
    endpoint({
      ...{ method: "DELETE", url, summary: "Give this setting back to environment and default", tag },
      answers: { 200: deploySettingsSchema },
      async handle({ caller, params }) {
        const place = appPlace({ caller, params });
        if (isRefusal(place)) return place;
        return settled(caller, { place, values: { [key]: null }, mfa, shows });
      },
    }),
  ];
}

function inGroup(group: SettingGroup): (one: ShownSetting) => boolean {
  return (one) => one.group === group;
}

interface Write {
  readonly place: SettingsPlace;
  readonly values: JsonObject;
  readonly mfa: MfaLevel;
  readonly shows: (one: ShownSetting) => boolean;
}

/** Done, and the group as it is now. The table asked for the least that the endpoint's keys need; a key may need more. */
async function settled(caller: Authorized, { place, values, mfa, shows }: Write): Promise<Outcome> {
  const fault = keyFault(caller, place, Object.keys(values)) ?? factorFault(caller, mfa);
  if (fault !== null) return fault;
  await changeDeploySettings(caller.app, caller.actor, { place, values });
  return ok(await settingsOut(caller, place, shows));
}

function keyFault({ permissions }: Authorized, place: SettingsPlace, keys: readonly string[]): Problem | null {
  const missing = keys
    .flatMap((key) => settingRow(levelOf(place), key)?.permission ?? [])
    .find((permission) => !permits(permissions, permission));
  if (missing === undefined) return null;
  return problem("permission_denied", `Permission '${missing}' required`, { permission: missing });
}

function factorFault({ kind, session, proof }: Authorized, mfa: MfaLevel): Problem | null {
  return mfa === "always" && proof === null && provesFactors({ kind, session }) ? assuranceProblem("fresh") : null;
}

async function settingsOut(
  caller: Authorized,
  place: SettingsPlace,
  shows: (one: ShownSetting) => boolean = () => true,
): Promise<Record<string, JsonObject>> {
  const { app } = caller;
  const [settings, records] = await Promise.all([
    shownSettings(app, place),
    app.reader.records(recordsBy("deploySetting", "orgId", [app.orgId])),
  ]);
  const kept = records.filter((record) => record.scope === place.scope && record.app === place.appName);
  return Object.fromEntries(
    settings.filter(shows).map((one): [string, JsonObject] => {
      const { key, value, source, envVar } = one;
      const changed = kept.find((record) => record.key === key);
      return [
        key,
        {
          ...{ value, source, env_var: envVar, can_change: mayChange(caller, place, one) },
          ...(changed === undefined ? {} : { updated_by: changed.updatedBy, updated_at: wireTime(changed.updatedAt) }),
        },
      ];
    }),
  );
}

/** As the authorization table and the key's own permission would let them. */
function mayChange(caller: Authorized, place: SettingsPlace, { key, group }: ShownSetting): boolean {
  const isOurs = caller.kind === "web_session" || caller.kind === "cli_session";
  const isLetIn = group !== "deploy_gate" || permits(caller.permissions, "gateway:setting:update");
  return isOurs && isLetIn && keyFault(caller, place, [key]) === null;
}
