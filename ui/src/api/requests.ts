import type { UseQueryResult } from "@tanstack/react-query";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import type { Page } from "./call.ts";
import { call, callPage, query } from "./call.ts";
import type { Decision } from "./decisions.ts";
import { readDecision } from "./decisions.ts";
import type { Explain } from "./explain.ts";
import { readExplain } from "./explain.ts";
import type { Answer } from "./read.ts";
import { flag, jsonObject, list, nullable, number, object, orElse, text } from "./read.ts";

const readRequest = object({
  id: text,
  gate: orElse(text, "generic"),
  policy_key: text,
  policy_version: number,
  artifact_type: text,
  artifact_id: text,
  requester: nullable(text),
  context: jsonObject,
  status: text,
  current_stage_order: nullable(number),
  completed_at: nullable(text),
  created_at: text,
  updated_at: nullable(text),
  revision: orElse(number, 1),
  digest: nullable(text),
  policy_digest: nullable(text),
  salt: nullable(text),
  created_by: nullable(text),
  expires_at: nullable(text),
  held: orElse(flag, false),
  outcome: nullable(
    object({ reason: nullable(text), stage_order: nullable(number), actor: nullable(text), comment: nullable(text) }),
  ),
});
export type ApprovalRequest = Answer<typeof readRequest>;

const readEvent = object({
  id: text,
  event_type: text,
  payload: jsonObject,
  created_at: text,
  sequence: orElse(number, 0),
});
export type RequestEvent = Answer<typeof readEvent>;

export interface RequestsFilter {
  readonly artifactType?: string | undefined;
  readonly status?: string | undefined;
  readonly policyKey?: string | undefined;
  readonly requester?: string | undefined;
  readonly q?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number;
}

export function useRequests(filter: RequestsFilter): UseQueryResult<Page<readonly ApprovalRequest[]>> {
  const path = `/v1/requests${query({
    artifact_type: filter.artifactType,
    status: filter.status,
    policy_key: filter.policyKey,
    requester: filter.requester,
    q: filter.q,
    limit: filter.limit ?? 50,
    cursor: filter.cursor,
  })}`;
  return useQuery({
    queryKey: ["requests", filter],
    queryFn: () => callPage(list(readRequest), path),
    placeholderData: keepPreviousData,
  });
}

function at(id: string): string {
  return `/v1/requests/${encodeURIComponent(id)}`;
}

export function useRequest(id: string): UseQueryResult<ApprovalRequest> {
  return useQuery({ queryKey: ["request", id, "itself"], queryFn: () => call(readRequest, at(id)) });
}

export function useEvents(id: string): UseQueryResult<readonly RequestEvent[]> {
  return useQuery({
    queryKey: ["request", id, "events"],
    queryFn: () => call(list(readEvent), `${at(id)}/events`),
  });
}

export function useExplain(id: string): UseQueryResult<Explain> {
  return useQuery({ queryKey: ["request", id, "explain"], queryFn: () => call(readExplain, `${at(id)}/explain`) });
}

export function useDecisions(id: string): UseQueryResult<readonly Decision[]> {
  return useQuery({
    queryKey: ["request", id, "decisions"],
    queryFn: () => call(list(readDecision), `${at(id)}/decisions`),
  });
}

export function cancelRequest(id: string, reason: string, idempotencyKey: string): Promise<ApprovalRequest> {
  return call(readRequest, `${at(id)}/cancel`, { method: "POST", body: { reason }, idempotencyKey });
}
