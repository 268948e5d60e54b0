import type { UseQueryResult } from "@tanstack/react-query";
import { queryOptions, useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import { createPasskey } from "./passkeys.ts";
import type { Answer } from "./read.ts";
import { flag, jsonObject, list, nothing, nullable, number, object, orElse, text } from "./read.ts";
import type { Me } from "./session.ts";
import { readMe } from "./session.ts";

/** What a person holds of their own: docs/spec/identity.md section 4. */
export const readFactor = object({
  id: text,
  type: text,
  name: text,
  created_at: text,
  last_used_at: nullable(text),
  usable_at: nullable(text),
  device_bound: nullable(flag),
  synced: nullable(flag),
  signing: orElse(flag, false),
  disabled: orElse(flag, false),
});
export type Factor = Answer<typeof readFactor>;

/** In the order in which they were added: a list that is read again does not change its order. */
export function byAge(factors: readonly Factor[]): readonly Factor[] {
  return factors.toSorted((left, right) => Date.parse(left.created_at) - Date.parse(right.created_at));
}

const readFactors = object({
  factors: list(readFactor),
  backup_codes: nullable(object({ remaining: number, created_at: nullable(text) })),
  password_changed_at: nullable(text),
});
export type OwnFactors = Answer<typeof readFactors>;

export const factorsQuery = queryOptions({
  queryKey: ["me", "factors"],
  queryFn: () => call(readFactors, "/v1/me/factors"),
});

export function useOwnFactors(on = true): UseQueryResult<OwnFactors> {
  return useQuery({ ...factorsQuery, enabled: on });
}

const readCeremony = object({ ceremony: text, options: jsonObject });
const readEnrolled = object({ id: text, usable_at: nullable(text), me: nullable(readMe) });

export interface Enrolled {
  readonly id: string;
  readonly usable_at: string | null;
  /** Given when a session that could only enrol has become a full one. */
  readonly me: Me | null;
}

export async function enrolPasskey(name: string): Promise<Enrolled> {
  const { ceremony, options } = await call(readCeremony, "/v1/me/factors/passkey/options", {
    method: "POST",
    body: {},
  });
  const response = await createPasskey(options);
  return call(readEnrolled, "/v1/me/factors/passkey", { method: "POST", body: { ceremony, response, name } });
}

const readSecret = object({ ceremony: text, secret: text, uri: text, qr: text });
export type AuthenticatorSecret = Answer<typeof readSecret>;

export function beginAuthenticator(): Promise<AuthenticatorSecret> {
  return call(readSecret, "/v1/me/factors/totp/options", { method: "POST", body: {} });
}

export function enrolAuthenticator(ceremony: string, code: string, name: string): Promise<Enrolled> {
  return call(readEnrolled, "/v1/me/factors/totp", { method: "POST", body: { ceremony, code, name } });
}

const readCodes = object({ ceremony: text, codes: list(text) });
export type BackupCodes = Answer<typeof readCodes>;

export function makeBackupCodes(): Promise<BackupCodes> {
  return call(readCodes, "/v1/me/backup-codes", { method: "POST", body: {} });
}

export function confirmBackupCodes(ceremony: string): Promise<null> {
  return call(nothing, "/v1/me/backup-codes/confirm", { method: "POST", body: { ceremony } });
}

function at(id: string): string {
  return `/v1/me/factors/${encodeURIComponent(id)}`;
}

export function renameFactor(id: string, name: string): Promise<Factor> {
  return call(readFactor, at(id), { method: "PATCH", body: { name } });
}

export function removeFactor(id: string): Promise<null> {
  return call(nothing, at(id), { method: "DELETE" });
}

export function setPassword(password: string): Promise<null> {
  return call(nothing, "/v1/me/password", { method: "PUT", body: { password } });
}
