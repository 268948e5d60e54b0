import type { UseQueryResult } from "@tanstack/react-query";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import type { Answer } from "./read.ts";
import { flag, list, nullable, number, object, orElse, text } from "./read.ts";

const readItem = object({
  gate: orElse(text, "generic"),
  task_id: text,
  request_id: text,
  title: text,
  requester: nullable(text),
  reason: nullable(text),
  due_at: nullable(text),
  overdue: orElse(flag, false),
  needed: orElse(number, 1),
  approved: orElse(number, 0),
  digest: nullable(text),
  status: text,
  request_status: orElse(text, "in_review"),
  kind: orElse(text, "approver"),
  artifact_type: orElse(text, ""),
  artifact_id: orElse(text, ""),
  policy_key: orElse(text, ""),
  stage_name: nullable(text),
  stage_order: nullable(number),
  delegated_from: nullable(text),
  created_at: text,
  expires_at: nullable(text),
  decision_action: nullable(text),
});
export type InboxItem = Answer<typeof readItem>;

const readInbox = object({
  items: list(readItem),
  total: number,
  cursor: nullable(text),
  counts: orElse(object({ open: orElse(number, 0), done: orElse(number, 0) }), { open: 0, done: 0 }),
});
export type Inbox = Answer<typeof readInbox>;

export interface InboxFilter {
  readonly state: "open" | "done";
  readonly artifactType?: string | undefined;
  readonly policyKey?: string | undefined;
  readonly q?: string | undefined;
  readonly cursor?: string | undefined;
}

export function useInbox(filter: InboxFilter): UseQueryResult<Inbox> {
  const path = `/v1/inbox${query({
    state: filter.state,
    artifact_type: filter.artifactType,
    policy_key: filter.policyKey,
    q: filter.q,
    sort: filter.state === "open" ? "due_at" : "-created_at",
    cursor: filter.cursor,
  })}`;
  return useQuery({
    queryKey: ["inbox", filter],
    queryFn: () => call(readInbox, path),
    placeholderData: keepPreviousData,
  });
}
