/** Setting up which platforms' workloads are which machine (docs/spec/identity.md section 7). */
import { z } from "zod";
import {
  changeWorkloadProvider,
  createWorkloadProvider,
  deleteWorkloadProvider,
  listWorkloadProviders,
} from "../../app/workload-provider.ts";
import { readWorkloadClaims } from "../../app/workload-rules.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { wireTime } from "../../contract/wire-time.ts";
import {
  changeWorkloadProviderSchema,
  createWorkloadProviderSchema,
  workloadProviderOutSchema,
  type WorkloadProviderOut,
} from "../../contract/workload-providers.ts";
import type { WorkloadProviderRecord } from "../../ports/identity-records.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";

const tag = "workload providers";

export function workloadProviderRoutes(): readonly Endpoint[] {
  return [list(), create(), change(), remove()];
}

function list(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/workload-providers",
    summary: "Which platforms' workloads are let in",
    tag,
    answers: { 200: z.array(workloadProviderOutSchema) },
    handle: async ({ caller }) => ok((await listWorkloadProviders(caller.app)).map(workloadProviderOut)),
  });
}

function create(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/workload-providers",
    summary: "Let in a platform's workloads as a machine",
    tag,
    body: createWorkloadProviderSchema,
    answers: { 201: workloadProviderOutSchema },
    async handle({ body: { machine_id: machineId, ...draft }, caller }) {
      return shown(await createWorkloadProvider(caller.app, caller, { machineId, ...draft }), 201);
    },
  });
}

function change(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: "/workload-providers/:id",
    summary: "Change which workloads are let in",
    tag,
    body: changeWorkloadProviderSchema,
    answers: { 200: workloadProviderOutSchema },
    async handle({ params, body, caller }) {
      const about = { id: pathText(params, "id"), patch: definedMembers(body) };
      return shown(await changeWorkloadProvider(caller.app, caller, about), 200);
    },
  });
}

function remove(): Endpoint {
  return endpoint({
    method: "DELETE",
    url: "/workload-providers/:id",
    summary: "Let in no more of a platform's workloads",
    tag,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const removed = await deleteWorkloadProvider(caller.app, caller, pathText(params, "id"));
      return isRefusal(removed) ? removed : NO_CONTENT;
    },
  });
}

function shown(record: WorkloadProviderRecord | Refusal, status: 200 | 201): Outcome {
  return isRefusal(record) ? record : { status, body: workloadProviderOut(record) };
}

function workloadProviderOut(record: WorkloadProviderRecord): WorkloadProviderOut {
  const { id, machineId, name, preset, issuer, audience, subjects, claims, scopes, enabled } = record;
  const bound: Record<string, string[]> = {};
  for (const [claim, values] of Object.entries(readWorkloadClaims(claims))) bound[claim] = [...values];
  return {
    ...{ id, machine_id: machineId, name, preset, issuer, audience, subjects: [...subjects], scopes: [...scopes] },
    ...{ claims: bound, enabled },
    created_at: wireTime(record.createdAt),
    updated_at: wireTime(record.updatedAt),
  };
}
