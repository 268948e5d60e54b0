import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import { rackPath } from "./deploy-racks.ts";
import type { Answer, Json } from "./read.ts";
import { flag, json, isJsonObject, nothing, nullable, object, orElse, text, UnreadableAnswer } from "./read.ts";
import type { Read } from "./read.ts";

const readSetting = object({
  value: orElse(json, null),
  source: text,
  env_var: orElse(text, ""),
  can_change: orElse(flag, false),
  updated_by: nullable(text),
  updated_at: nullable(text),
});
export type DeploySetting = Answer<typeof readSetting>;
export type DeploySettings = Readonly<Record<string, DeploySetting>>;

const readSettings: Read<DeploySettings> = (value, path) => {
  if (!isJsonObject(value)) throw new UnreadableAnswer(path, "an object");
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, readSetting(one, `${path}.${key}`)]));
};

/** Settings of a rack, or of one app on it. */
export interface SettingsPlace {
  readonly rack: string;
  readonly app: string | null;
}

function at({ rack, app }: SettingsPlace): string {
  return app === null ? `${rackPath(rack)}/settings` : `${rackPath(rack)}/apps/${encodeURIComponent(app)}/settings`;
}

export function useDeploySettings(place: SettingsPlace): UseQueryResult<DeploySettings> {
  return useQuery({
    queryKey: ["deploy-settings", place.rack, place.app],
    queryFn: () => call(readSettings, at(place)),
  });
}

/** `endpoint`: of the group, or of the key itself where that has one of its own, whose body is the bare value. */
export interface SettingWrite {
  readonly place: SettingsPlace;
  readonly endpoint: string;
  readonly key: string;
  readonly own: boolean;
}

export function setDeploySetting({ place, endpoint, key, own }: SettingWrite, value: Json): Promise<unknown> {
  return call(readSettings, `${at(place)}/${endpoint}`, { method: "PUT", body: own ? value : { [key]: value } });
}

/** Gives it back to the environment and the default. */
export function clearDeploySetting({ place, endpoint, key, own }: SettingWrite): Promise<unknown> {
  return call(nothing, `${at(place)}/${endpoint}${own ? "" : query({ key })}`, { method: "DELETE" });
}
