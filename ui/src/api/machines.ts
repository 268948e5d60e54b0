import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import type { Answer, JsonObject } from "./read.ts";
import { flag, isObject, json, jsonObject, list, nothing, nullable, number, object, orElse, text } from "./read.ts";

/** Machines, their tokens, and the workloads that act as them: docs/spec/identity.md section 7. */
export const machineKinds = ["ci", "service", "agent", "device", "connector", "acme"] as const;

const readMachine = object({
  id: text,
  kind: text,
  name: text,
  owners: orElse(list(text), []),
  contact_id: nullable(text),
  acts_for_id: nullable(text),
  people: orElse(list(object({ id: text, assignee: text, name: nullable(text), active: flag })), []),
  owner_active: orElse(flag, true),
  live_tokens: orElse(number, 0),
  created_at: nullable(text),
  disabled_at: nullable(text),
});
export type Machine = Answer<typeof readMachine>;

/** A bare list, or a page of one. */
function items<T>(read: (value: unknown, path: string) => T): (value: unknown, path: string) => readonly T[] {
  return (value, path) => list(read)(isObject(value) ? value["items"] : value, path);
}

export function useMachines(on = true): UseQueryResult<readonly Machine[]> {
  return useQuery({
    queryKey: ["machines"],
    queryFn: () => call(items(readMachine), "/v1/machines?limit=500"),
    enabled: on,
  });
}

export interface MachineDraft {
  readonly kind: string;
  readonly name: string;
  readonly owners: readonly string[];
  readonly contact_id: string | null;
  readonly acts_for_id: string | null;
}

export function addMachine(draft: MachineDraft): Promise<unknown> {
  return call(json, "/v1/machines", { method: "POST", body: draft });
}

export function changeMachine(id: string, change: Omit<MachineDraft, "kind">): Promise<unknown> {
  return call(json, `/v1/machines/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
}

export function retireMachine(id: string): Promise<null> {
  return call(nothing, `/v1/machines/${encodeURIComponent(id)}`, { method: "DELETE" });
}

const readToken = object({
  id: text,
  machine_id: text,
  machine: nullable(text),
  name: text,
  prefix: text,
  last_four: text,
  scopes: orElse(list(text), []),
  limits: orElse(jsonObject, {}),
  created_at: text,
  created_by: nullable(text),
  expires_at: nullable(text),
  revoked_at: nullable(text),
  last_used_at: nullable(text),
  expires_soon: orElse(flag, false),
  owner_active: orElse(flag, true),
});
export type ApiToken = Answer<typeof readToken>;

export interface TokenFilter {
  readonly expires?: "never" | undefined;
}

export function useTokens(filter: TokenFilter = {}): UseQueryResult<readonly ApiToken[]> {
  return useQuery({
    queryKey: ["tokens", filter],
    queryFn: () => call(items(readToken), `/v1/tokens${query({ ...filter, limit: 500 })}`),
  });
}

export interface TokenDraft {
  readonly machine_id: string;
  readonly name: string;
  readonly family: string;
  readonly scopes: readonly string[];
  readonly limits?: Readonly<Record<string, readonly string[]>>;
  readonly expires_in_days?: number;
}

const readMade = object({ token: readToken, secret: text });
export type MadeToken = Answer<typeof readMade>;

export function makeToken(draft: TokenDraft): Promise<MadeToken> {
  return call(readMade, "/v1/tokens", { method: "POST", body: draft });
}

export function rotateToken(id: string, overlapHours: number): Promise<MadeToken> {
  return call(readMade, `/v1/tokens/${encodeURIComponent(id)}/rotate`, {
    method: "POST",
    body: { overlap_hours: overlapHours },
  });
}

export function revokeToken(id: string): Promise<null> {
  return call(nothing, `/v1/tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
}

const readWorkload = object({
  id: text,
  machine_id: text,
  name: text,
  preset: text,
  issuer: nullable(text),
  audience: text,
  subjects: orElse(list(text), []),
  claims: orElse(jsonObject, {}),
  scopes: orElse(list(text), []),
  enabled: orElse(flag, true),
});
export type WorkloadProvider = Answer<typeof readWorkload>;

export function useWorkloadProviders(): UseQueryResult<readonly WorkloadProvider[]> {
  return useQuery({
    queryKey: ["workload-providers"],
    queryFn: () => call(items(readWorkload), "/v1/workload-providers"),
  });
}

export interface WorkloadChange {
  readonly name: string;
  readonly audience: string;
  readonly subjects: readonly string[];
  readonly claims: JsonObject;
  readonly scopes: readonly string[];
  readonly enabled: boolean;
}

export interface WorkloadDraft extends WorkloadChange {
  readonly machine_id: string;
  readonly preset: string;
  readonly issuer: string | null;
}

export function addWorkloadProvider(draft: WorkloadDraft): Promise<unknown> {
  return call(json, "/v1/workload-providers", { method: "POST", body: draft });
}

export function changeWorkloadProvider(id: string, change: WorkloadChange): Promise<unknown> {
  return call(json, `/v1/workload-providers/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
}

export function removeWorkloadProvider(id: string): Promise<null> {
  return call(nothing, `/v1/workload-providers/${encodeURIComponent(id)}`, { method: "DELETE" });
}

const readTested = object({
  lets_in: flag,
  conditions: list(
    object({ claim: text, allowed: orElse(list(text), []), found: orElse(list(text), []), holds: flag }),
  ),
});
export type TestedClaims = Answer<typeof readTested>;

/** Judged by the server as a presented token’s claims are; nothing is signed in by it. */
export function testClaims(id: string, claims: JsonObject): Promise<TestedClaims> {
  return call(readTested, `/v1/workload-providers/${encodeURIComponent(id)}/test`, {
    method: "POST",
    body: { claims },
  });
}
