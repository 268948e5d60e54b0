import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer, Json } from "./read.ts";
import { flag, json, jsonObject, list, nothing, nullable, number, object, orElse, text } from "./read.ts";

const readSetting = object({
  key: text,
  value: orElse(json, null),
  source: text,
  variable: nullable(text),
  updated_by: nullable(text),
  updated_at: nullable(text),
});
export type Setting = Answer<typeof readSetting>;

export function useSettings(): UseQueryResult<readonly Setting[]> {
  return useQuery({ queryKey: ["settings"], queryFn: () => call(list(readSetting), "/v1/settings") });
}

export function changeSetting(key: string, value: Json): Promise<unknown> {
  return call(json, "/v1/settings", { method: "PUT", body: { key, value } });
}

const readProvider = object({
  id: text,
  name: text,
  issuer: text,
  client_id: text,
  client_secret_set: orElse(flag, false),
  enabled: flag,
  settings: jsonObject,
  callback_url: text,
});
export type IdentityProvider = Answer<typeof readProvider>;

export function useIdentityProviders(): UseQueryResult<readonly IdentityProvider[]> {
  return useQuery({
    queryKey: ["identity-providers"],
    queryFn: () => call(list(readProvider), "/v1/identity-providers"),
  });
}

export interface ProviderDraft {
  readonly name: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly client_secret?: string;
  readonly enabled: boolean;
  readonly settings: Json;
}

function at(id: string): string {
  return `/v1/identity-providers/${encodeURIComponent(id)}`;
}

export function saveIdentityProvider(id: string | null, draft: ProviderDraft): Promise<unknown> {
  return call(json, id === null ? "/v1/identity-providers" : at(id), {
    method: id === null ? "POST" : "PATCH",
    body: draft,
  });
}

export function removeIdentityProvider(id: string): Promise<null> {
  return call(nothing, at(id), { method: "DELETE" });
}

const readTested = object({
  ok: flag,
  keys: nullable(number),
  authorization_endpoint: nullable(text),
  code: nullable(text),
  detail: nullable(text),
});
export type TestedProvider = Answer<typeof readTested>;

export function testIdentityProvider(id: string): Promise<TestedProvider> {
  return call(readTested, `${at(id)}/test`, { method: "POST", body: {} });
}
