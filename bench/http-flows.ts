/**
 * The workload W(N, S, A, C) over HTTP, with nothing but what the compatible API has, so that it runs against any
 * implementation: create, then for each stage and approver the own open task and its approval, then read: approved.
 */
import { randomUUID } from "node:crypto";
import { isJsonObject } from "../src/core/json.ts";
import { approvalPolicy, approverName, ARTIFACT_TYPE, smallContext, upTo, type Shape } from "./approval-policy.ts";
import { unsignedToken, type Answer, type Call, type HttpClient } from "./http-client.ts";

export const CALL_KINDS = ["create", "tasks", "decide", "get"] as const;
export type CallKind = (typeof CALL_KINDS)[number];

export interface FlowLoad extends Shape {
  readonly flows: number;
  readonly concurrency: number;
  /** All approvals of a stage are sent at once. */
  readonly parallel: boolean;
}

export interface FlowRun {
  readonly flows: number;
  readonly seconds: number;
  /** Milliseconds of each call. */
  readonly times: Readonly<Record<CallKind, readonly number[]>>;
  readonly calls: number;
  /** What went wrong, in words; a flow that was not approved when it was read is one of them. */
  readonly failures: readonly string[];
  /** Requests that still wait for somebody after everybody has decided. */
  readonly stuck: number;
}

interface Work {
  readonly client: HttpClient;
  readonly load: FlowLoad;
  readonly policyKey: string;
  readonly times: Record<CallKind, number[]>;
  readonly failures: string[];
  readonly unfinished: string[];
}

const REQUESTER = unsignedToken("bench-requester");
const ADMIN = unsignedToken("bench-admin", ["AWE_ADMIN"]);

/** A policy of its own for each target: nothing is left over from an earlier benchmark. */
export async function makePolicy(client: HttpClient, shape: Shape): Promise<string> {
  const key = `bench-${randomUUID().slice(0, 8)}`;
  const made = await client.call({ method: "POST", path: "/policies", token: ADMIN, body: approvalPolicy(key, shape) });
  if (made.status !== 201) throw new Error(`The policy was not made: ${described(made)}`);
  const active = await client.call({ method: "POST", path: `/policies/${key}/versions/1/activate`, token: ADMIN });
  if (active.status >= 300) throw new Error(`The policy was not activated: ${described(active)}`);
  return key;
}

export async function runHttpFlows(client: HttpClient, policyKey: string, load: FlowLoad): Promise<FlowRun> {
  const times = { create: [], tasks: [], decide: [], get: [] };
  const work: Work = { client, load, policyKey, times, failures: [], unfinished: [] };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < load.flows) {
      next += 1;
      await oneFlow(work, next).catch((error: unknown) => {
        work.failures.push(error instanceof Error ? error.message : String(error));
      });
    }
  };
  const startedAt = performance.now();
  await Promise.all(upTo(Math.min(load.concurrency, load.flows)).map(worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  const calls = CALL_KINDS.reduce((sum, kind) => sum + work.times[kind].length, 0);
  return {
    flows: load.flows,
    seconds,
    times: work.times,
    calls,
    failures: work.failures,
    stuck: await countStuck(work),
  };
}

async function oneFlow(work: Work, flow: number): Promise<void> {
  const { stages, approvers, parallel } = work.load;
  const id = await create(work, flow);
  for (const stage of upTo(stages)) {
    if (parallel)
      await Promise.all(upTo(approvers).map((approver) => approve(work, id, approverName(stage, approver))));
    else for (const approver of upTo(approvers)) await approve(work, id, approverName(stage, approver));
  }
  const read = await timed(work, "get", { method: "GET", path: `/requests/${id}`, token: REQUESTER });
  if (member(read, "status") === "approved") return;
  work.unfinished.push(id);
  work.failures.push(`a flow was not approved when it was read: ${described(read)}`);
}

async function create(work: Work, flow: number): Promise<string> {
  const made = await timed(work, "create", {
    method: "POST",
    path: "/requests",
    token: REQUESTER,
    headers: { "idempotency-key": randomUUID() },
    body: {
      policy_key: work.policyKey,
      artifact_type: ARTIFACT_TYPE,
      artifact_id: `batch-${flow}`,
      context: smallContext(flow),
    },
  });
  const id = member(made, "request_id");
  if (made.status !== 201 || id === null) throw new Error(`create: ${described(made)}`);
  return id;
}

/** A failed approval is noted and the flow goes on: whether the request is stuck shows at the end. */
async function approve(work: Work, requestId: string, name: string): Promise<void> {
  const token = unsignedToken(name);
  const path = `/tasks?assignee=me&status=open&request_id=${requestId}`;
  const listed = await timed(work, "tasks", { method: "GET", path, token });
  const task = firstTask(listed);
  if (task === null) {
    work.failures.push(`${name} found no open task: ${described(listed)}`);
    return;
  }
  const body = { action: "approve" };
  const decided = await timed(work, "decide", { method: "POST", path: `/tasks/${task}/decision`, token, body });
  if (decided.status !== 201) work.failures.push(`decision: ${described(decided)}`);
}

async function countStuck({ client, unfinished }: Work): Promise<number> {
  let stuck = 0;
  for (const id of unfinished) {
    const read = await client.call({ method: "GET", path: `/requests/${id}`, token: REQUESTER });
    if (member(read, "status") !== "approved") stuck += 1;
  }
  return stuck;
}

async function timed(work: Work, kind: CallKind, call: Call): Promise<Answer> {
  const startedAt = performance.now();
  const answer = await work.client.call(call);
  work.times[kind].push(performance.now() - startedAt);
  return answer;
}

function firstTask({ body }: Answer): string | null {
  const items: unknown = isJsonObject(body) ? body["items"] : null;
  const first: unknown = Array.isArray(items) ? items[0] : null;
  const id = isJsonObject(first) ? first["id"] : null;
  return typeof id === "string" ? id : null;
}

function member({ body }: Answer, name: string): string | null {
  const value = isJsonObject(body) ? body[name] : null;
  return typeof value === "string" ? value : null;
}

const SHOWN_MAX = 300;

function described({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body)}`.slice(0, SHOWN_MAX);
}
