import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer } from "./read.ts";
import { flag, list, nothing, nullable, object, orElse, text } from "./read.ts";

/** Where a person is signed in, which browsers are trusted, and who else vouches for them. */
export const readSignedIn = object({
  id: text,
  kind: text,
  method: text,
  client: nullable(text),
  address: nullable(text),
  created_at: text,
  last_seen_at: nullable(text),
  expires_at: nullable(text),
  current: orElse(flag, false),
});
export type SignedIn = Answer<typeof readSignedIn>;

const readDevice = object({
  id: text,
  browser: nullable(text),
  created_at: text,
  last_used_at: nullable(text),
  expires_at: text,
});
export type TrustedDevice = Answer<typeof readDevice>;

export const readIdentity = object({ id: text, issuer: text, provider: nullable(text), created_at: text });
export type Identity = Answer<typeof readIdentity>;

export function useOwnSessions(): UseQueryResult<readonly SignedIn[]> {
  return useQuery({ queryKey: ["me", "sessions"], queryFn: () => call(list(readSignedIn), "/v1/me/sessions") });
}

export function useOwnDevices(): UseQueryResult<readonly TrustedDevice[]> {
  return useQuery({ queryKey: ["me", "devices"], queryFn: () => call(list(readDevice), "/v1/me/devices") });
}

export function useOwnIdentities(): UseQueryResult<readonly Identity[]> {
  return useQuery({ queryKey: ["me", "identities"], queryFn: () => call(list(readIdentity), "/v1/me/identities") });
}

export function endOwn(kind: "sessions" | "devices" | "identities", id: string): Promise<null> {
  return call(nothing, `/v1/me/${kind}/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function endOtherSessions(): Promise<null> {
  return call(nothing, "/v1/me/sessions/end-others", { method: "POST", body: {} });
}
