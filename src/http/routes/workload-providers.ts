/** Setting up which platforms' workloads are which machine (docs/spec/identity.md section 7). */
import { z } from "zod";
import {
  changeWorkloadProvider,
  createWorkloadProvider,
  deleteWorkloadProvider,
  listWorkloadProviders,
} from "../../app/workload-provider.ts";
import { readTokenLimits } from "../../app/token-limits.ts";
import { providerConditions, readWorkloadClaims, type WorkloadCondition } from "../../app/workload-rules.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { wireTime } from "../../contract/wire-time.ts";
import {
  changeWorkloadProviderSchema,
  createWorkloadProviderSchema,
  testClaimsSchema,
  testedClaimsSchema,
  workloadProviderOutSchema,
  type WorkloadProviderOut,
} from "../../contract/workload-providers.ts";
import type { WorkloadProviderRecord } from "../../ports/identity-records.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { rolePermissions } from "../deploy/deploy-roles.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";

const tag = "workload providers";

export function workloadProviderRoutes(): readonly Endpoint[] {
  return [list(), create(), change(), remove(), test()];
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
    async handle({ body, caller }) {
      const { name, preset, issuer, audience, subjects, claims, enabled } = body;
      const { machine_id: machineId, bind_commit: bindCommit, racks, apps } = body;
      const { role, scopes = rolePermissions(role) } = body;
      const about = { machineId, name, preset, issuer, audience, subjects, claims, enabled };
      const draft = { ...about, scopes, bindCommit, limits: placesOf({ racks, apps }) };
      return shown(await createWorkloadProvider(caller.app, caller, draft), 201);
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
      const { bind_commit: bindCommit, racks, apps, ...rest } = body;
      const patch = definedMembers({ ...rest, bindCommit });
      const places = definedMembers({ racks, apps });
      const about = { id: pathText(params, "id"), patch, places };
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

function test(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/workload-providers/:id/test",
    summary: "Would a token with these claims be let in, and which condition fails?",
    tag,
    body: testClaimsSchema,
    answers: { 200: testedClaimsSchema },
    async handle({ params, body: { claims }, caller }) {
      const id = pathText(params, "id");
      const record = (await listWorkloadProviders(caller.app)).find((one) => one.id === id);
      if (record === undefined) return refuse("not_found", "There is no such workload provider");
      const conditions = providerConditions(record, claims);
      return ok({ lets_in: conditions.every(({ holds }) => holds), conditions: conditions.map(conditionOut) });
    },
  });
}

function conditionOut({ claim, allowed, found, holds }: WorkloadCondition): JsonObject {
  return { claim, allowed: [...allowed], found: [...found], holds };
}

function shown(record: WorkloadProviderRecord | Refusal, status: 200 | 201): Outcome {
  return isRefusal(record) ? record : { status, body: workloadProviderOut(record) };
}

/** Lists that are null narrow nothing. */
function placesOf(places: Readonly<Record<"racks" | "apps", string[] | null>>): JsonObject {
  return Object.fromEntries(Object.entries(places).filter(([, list]) => list !== null));
}

function workloadProviderOut(record: WorkloadProviderRecord): WorkloadProviderOut {
  const { id, machineId, name, preset, issuer, audience, subjects, claims, scopes, enabled } = record;
  const bound: Record<string, string[]> = {};
  for (const [claim, values] of Object.entries(readWorkloadClaims(claims))) bound[claim] = [...values];
  const { racks, apps } = readTokenLimits(record.limits);
  return {
    ...{ id, machine_id: machineId, name, preset, issuer, audience, subjects: [...subjects], scopes: [...scopes] },
    ...{ claims: bound, enabled, bind_commit: record.bindCommit },
    ...{ racks: racks === null ? null : [...racks], apps: apps === null ? null : [...apps] },
    created_at: wireTime(record.createdAt),
    updated_at: wireTime(record.updatedAt),
  };
}
