import type { QueryClient, UseQueryResult } from "@tanstack/react-query";
import { queryOptions, useQueries, useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { DecisionAction } from "./decisions.ts";
import type { Answer, Json } from "./read.ts";
import { jsonObject, list, nullable, number, object, orElse, text } from "./read.ts";

/** What a person is shown, fixed by the server; statements about it are what a passkey signs (docs/spec/identity.md 5). */
const readView = object({
  id: text,
  task_id: text,
  request_id: text,
  revision: number,
  digest: text,
  policy: object({ key: text, version: number, digest: text }),
  display: object({ digest: text, document: jsonObject }),
  checkpoint: object({ origin: text, size: number }),
  shown_at: text,
  expires_at: text,
  assurance: object({ approve: text, reject: text }),
  methods: orElse(list(text), []),
});
export type View = Answer<typeof readView>;

/** Shorter than the server keeps a view, so that a page left open asks anew by itself. */
const viewMilliseconds = 20 * 60 * 1_000;

function openView(taskId: string): Promise<View> {
  return call(readView, `/v1/tasks/${encodeURIComponent(taskId)}/view`, { method: "POST", body: {} });
}

/** One view for each revision that this page shows; a new revision is a new view. */
function viewQuery(taskId: string, digest: string | null) {
  return queryOptions({
    queryKey: ["view", taskId, digest],
    queryFn: () => openView(taskId),
    // What was shown stays what was shown, whatever is read again around it.
    staleTime: "static",
    refetchInterval: viewMilliseconds,
    retry: false,
  });
}

export interface Viewed {
  readonly taskId: string;
  readonly digest: string | null;
}

export function useView({ taskId, digest }: Viewed): UseQueryResult<View> {
  return useQuery(viewQuery(taskId, digest));
}

export function useViews(viewed: readonly Viewed[]): readonly UseQueryResult<View>[] {
  return useQueries({ queries: viewed.map(({ taskId, digest }) => viewQuery(taskId, digest)) });
}

/** The view that the page has already, else a new one. */
export function viewOf(client: QueryClient, { taskId, digest }: Viewed): Promise<View> {
  return client.query(viewQuery(taskId, digest));
}

const readStatement = object({ id: text, statement: text, options: jsonObject, not_after: text });
export type MintedStatement = Answer<typeof readStatement>;

export interface StatementDraft {
  readonly taskId: string;
  readonly view: string;
  readonly action: DecisionAction;
  readonly comment: string;
}

export function mintStatement({ taskId, view, action, comment }: StatementDraft): Promise<MintedStatement> {
  return call(readStatement, `/v1/tasks/${encodeURIComponent(taskId)}/statement`, {
    method: "POST",
    body: { view, action, ...(comment === "" ? {} : { comment }) },
  });
}

const readFault = object({ code: text, message: text });

const readBatch = object({
  items: list(object({ task_id: text, id: nullable(text), statement: nullable(text), error: nullable(readFault) })),
  options: jsonObject,
});
export type MintedBatch = Answer<typeof readBatch>;

const readResults = object({
  results: list(object({ task_id: text, error: nullable(readFault) })),
});
export type DecisionResult = Answer<typeof readResults>["results"][number];

export interface ManyItem {
  readonly task_id: string;
  readonly action: DecisionAction;
  readonly comment?: string;
  readonly digest: string;
  readonly view: string;
  readonly statement?: string;
}

interface ManyProof {
  /** The answer of one passkey to all statements. */
  readonly response: Json | null;
  readonly proveFirst: readonly string[] | null;
}

/** Several decisions in one call; each is recorded or refused for itself. */
export async function decideMany(items: readonly ManyItem[], proof: ManyProof): Promise<readonly DecisionResult[]> {
  const { response, proveFirst } = proof;
  const answer = await call(readResults, "/v1/tasks/decisions", {
    method: "POST",
    bound: { items: items.map(({ task_id, action }) => ({ task_id, action })) },
    proveFirst: proveFirst ?? undefined,
    body: { items, ...(response === null ? {} : { signature: { response } }) },
  });
  return answer.results;
}

export interface BatchItem {
  readonly task_id: string;
  readonly view: string;
  readonly action: DecisionAction;
  readonly comment?: string;
}

export function mintBatch(items: readonly BatchItem[]): Promise<MintedBatch> {
  return call(readBatch, "/v1/tasks/statements", { method: "POST", body: { items } });
}
