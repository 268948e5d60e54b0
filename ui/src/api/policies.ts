import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import type { Answer, Json } from "./read.ts";
import { flag, json, jsonObject, list, nullable, number, object, orElse, text } from "./read.ts";

const readRule = object({
  rule_type: text,
  rule_value: orElse(jsonObject, {}),
  kind: orElse(text, "approver"),
  required: orElse(flag, false),
});
export type Rule = Answer<typeof readRule>;

const readStage = object({
  name: orElse(text, ""),
  stage_order: number,
  mode: orElse(text, "all"),
  mode_value: nullable(number),
  sla_hours: nullable(number),
  skip_if: nullable(json),
  on_empty: orElse(text, "block"),
  parallel_group: nullable(number),
  on_breach: nullable(text),
  escalation_rules: orElse(list(readRule), []),
  rules: orElse(list(readRule), []),
  approver_tree: nullable(json),
  assurance: nullable(text),
});
export type PolicyStage = Answer<typeof readStage>;

const readPolicyMembers = object({
  id: text,
  policy_key: text,
  version: number,
  status: text,
  name: text,
  description: nullable(text),
  artifact_type: text,
  forbid_self_approval: orElse(flag, false),
  forbid_repeat_approvers: orElse(flag, false),
  forbidden_approvers: orElse(list(text), []),
  assurance: nullable(text),
  request_ttl_hours: nullable(number),
  stages: orElse(list(readStage), []),
  digest: nullable(text),
  created_by: nullable(text),
  created_at: text,
  updated_by: nullable(text),
  updated_at: nullable(text),
  activated_at: nullable(text),
  problems: orElse(list(object({ code: text, severity: text, path: orElse(text, ""), message: text })), []),
});

/** `raw` is the whole answer, so that the JSON on the page leaves nothing out. */
export type Policy = Answer<typeof readPolicyMembers> & { readonly raw: Json };

function readPolicy(value: unknown, path: string): Policy {
  return { ...readPolicyMembers(value, path), raw: json(value, path) };
}

const readVersion = object({ version: number, status: text, created_at: text });
export type PolicyVersion = Answer<typeof readVersion>;

function at(key: string): string {
  return `/v1/policies/${encodeURIComponent(key)}`;
}

export interface PoliciesFilter {
  readonly q?: string | undefined;
  readonly status?: string | undefined;
}

export function usePolicies(filter: PoliciesFilter): UseQueryResult<readonly Policy[]> {
  return useQuery({
    queryKey: ["policies", filter],
    queryFn: () => call(list(readPolicy), `/v1/policies${query({ q: filter.q, status: filter.status })}`),
  });
}

export function useVersions(key: string): UseQueryResult<readonly PolicyVersion[]> {
  return useQuery({
    queryKey: ["policy", key, "versions"],
    queryFn: () => call(list(readVersion), `${at(key)}/versions`),
  });
}

export function usePolicy(key: string, version: number): UseQueryResult<Policy> {
  return useQuery({
    queryKey: ["policy", key, version],
    queryFn: () => call(readPolicy, `${at(key)}/versions/${String(version)}`),
  });
}

export function createPolicy(policy: Json): Promise<Policy> {
  return call(readPolicy, "/v1/policies", { method: "POST", body: policy });
}

export function addPolicyVersion(key: string, policy: Json): Promise<Policy> {
  return call(readPolicy, at(key), { method: "PUT", body: policy });
}

export function setPolicyActive(key: string, version: number, active: boolean): Promise<unknown> {
  const verb = active ? "activate" : "deactivate";
  return call(json, `${at(key)}/versions/${String(version)}/${verb}`, { method: "POST", body: {} });
}
