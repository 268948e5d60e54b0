/** Policies: write, read, activate, try out (docs/spec/api.md section 6.2). */
import type { Authorized } from "../authorized.ts";
import { z } from "zod";
import { activatePolicy } from "../../app/activate-policy.ts";
import { addPolicyVersion } from "../../app/add-policy-version.ts";
import { createPolicy } from "../../app/create-policy.ts";
import { deactivatePolicy } from "../../app/deactivate-policy.ts";
import { deletePolicyDraft } from "../../app/delete-policy-draft.ts";
import { editPolicyDraft } from "../../app/edit-policy-draft.ts";
import { simulatePolicy } from "../../app/simulate-policy.ts";
import { isRefusal } from "../../core/refusal.ts";
import { policiesQuerySchema } from "../../contract/policies-query.ts";
import {
  policyCreateSchema,
  policyOutSchema,
  policyVersionSummarySchema,
  simulateRequestSchema,
  simulateResponseSchema,
} from "../../contract/policy.ts";
import type { PolicyVersion } from "../../ports/change-set.ts";
import { created, listed, NO_CONTENT, ok, policyNotFound, settle, versionNotFound } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { faulty } from "../input.ts";
import { pathText, policyKeyIn, versionIn } from "../path-values.ts";
import { isProblem } from "../problem.ts";
import { policyOut, policyVersionSummary } from "../wire/policy-out.ts";
import { simulationOut } from "../wire/simulation-out.ts";

const tag = "policies";
const versionUrl = "/policies/:key/versions/:version";

type Application = Authorized["app"];

export function policyRoutes(): readonly Endpoint[] {
  return [
    creating(),
    listing(),
    adding(),
    versions(),
    reading(),
    editing(),
    deleting(),
    switching("activate"),
    switching("deactivate"),
    simulating(),
  ];
}

const createdPolicy = (version: PolicyVersion): Reply => created(policyOut(version));
const policy = (version: PolicyVersion): Reply => ok(policyOut(version));

function creating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/policies",
    summary: "Make a policy: version 1, as a draft",
    tag,
    body: policyCreateSchema,
    answers: { 201: policyOutSchema },
    async handle(exchange) {
      const { body, caller } = exchange;
      const call = idempotentCall(exchange, body, caller.actor.assignee, createdPolicy);
      if (call !== null && isProblem(call)) return call;
      return settle(await createPolicy(caller.app, caller.actor, body, call), createdPolicy);
    },
  });
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/policies",
    summary: "The newest version of each policy, by key",
    tag,
    query: policiesQuerySchema,
    answers: { 200: z.array(policyOutSchema) },
    async handle(exchange) {
      const { query } = exchange;
      const page = await exchange.caller.app.reader.policies(
        definedMembers({
          q: query.q,
          status: query.status,
          artifactType: query.artifact_type,
          limit: query.limit,
          cursor: query.cursor,
        }),
      );
      return listed(page.items.map(policyOut), page.next, exchange);
    },
  });
}

function adding(): Endpoint {
  return endpoint({
    method: "PUT",
    url: "/policies/:key",
    summary: "Add a version, as a draft",
    tag,
    body: policyCreateSchema,
    answers: { 201: policyOutSchema },
    async handle({ params, body, caller }) {
      const key = policyKeyIn(params);
      if (key === null) return policyNotFound(pathText(params, "key"));
      return settle(await addPolicyVersion(caller.app, caller.actor, { key, document: body }, null), createdPolicy);
    },
  });
}

function versions(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/policies/:key/versions",
    summary: "All versions of a policy, newest first",
    tag,
    answers: { 200: z.array(policyVersionSummarySchema) },
    async handle({ params, caller }) {
      const key = policyKeyIn(params);
      const line = key === null ? [] : await caller.app.reader.policyVersions(key);
      return line.length === 0 ? policyNotFound(pathText(params, "key")) : ok(line.map(policyVersionSummary));
    },
  });
}

function reading(): Endpoint {
  return endpoint({
    method: "GET",
    url: versionUrl,
    summary: "One version of a policy",
    tag,
    answers: { 200: policyOutSchema },
    async handle({ params, caller }) {
      const place = placeIn(params);
      const version = place === null ? undefined : await caller.app.reader.policyVersion(place.key, place.version);
      return version === undefined ? missing(params) : policy(version);
    },
  });
}

function editing(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: versionUrl,
    summary: "Replace a draft; If-Match with its digest guards against a change in between",
    tag,
    body: policyCreateSchema,
    answers: { 200: policyOutSchema },
    async handle({ params, body, caller, header }) {
      const place = placeIn(params);
      if (place === null) return missing(params);
      const ifMatch = digestIn(header("if-match"));
      return settle(
        await editPolicyDraft(caller.app, caller.actor, { ...place, document: body, ifMatch }, null),
        policy,
      );
    },
  });
}

/** The digest as it is, or as the entity tag that HTTP makes of it. */
function digestIn(header: string | undefined): string | null {
  const tagged = header?.trim() ?? "";
  if (tagged === "" || tagged === "*") return null;
  return /^"(.*)"$/.exec(tagged)?.[1] ?? tagged;
}

function deleting(): Endpoint {
  return endpoint({
    method: "DELETE",
    url: versionUrl,
    summary: "Delete a draft",
    tag,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const place = placeIn(params);
      if (place === null) return missing(params);
      const answer = await deletePolicyDraft(caller.app, caller.actor, place);
      return isRefusal(answer) ? answer : NO_CONTENT;
    },
  });
}

const switches = {
  activate: { act: activatePolicy, summary: "Put a version in force; the one before is archived" },
  deactivate: { act: deactivatePolicy, summary: "Take a version out of force" },
} as const;

function switching(verb: keyof typeof switches): Endpoint {
  const { act, summary } = switches[verb];
  return endpoint({
    method: "POST",
    url: `${versionUrl}/${verb}`,
    summary,
    tag,
    answers: { 200: policyOutSchema },
    async handle(exchange) {
      const { params, caller } = exchange;
      const place = placeIn(params);
      if (place === null) return missing(params);
      const call = idempotentCall(exchange, null, caller.actor.assignee, policy);
      if (call !== null && isProblem(call)) return call;
      return settle(await act(caller.app, caller.actor, place, call), policy);
    },
  });
}

function simulating(): Endpoint {
  return endpoint({
    method: "POST",
    url: `${versionUrl}/simulate`,
    summary: "What a version would do with a context; writes nothing",
    tag,
    body: simulateRequestSchema,
    answers: { 200: simulateResponseSchema },
    handle: ({ caller, params, body }) => simulateAnswer(caller.app, params, body),
  });
}

async function simulateAnswer(
  app: Application,
  params: RawExchange["params"],
  body: z.output<typeof simulateRequestSchema>,
): Promise<Outcome> {
  const place = placeIn(params);
  if (place === null) return missing(params);
  if (body.approved_by !== undefined && Object.keys(body.approved_by).length > 0) {
    const msg = "is not available in this version: leave it out";
    return faulty([{ type: "not_available", loc: ["body", "approved_by"], msg }]);
  }
  // Local times without an offset are UTC, as everywhere (engine R-SIM-2).
  const at = body.at === undefined ? null : Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(body.at) ? body.at : `${body.at}Z`);
  if (at !== null && Number.isNaN(at)) {
    return faulty([{ type: "value_error", loc: ["body", "at"], msg: "must be a time such as 2026-11-20T08:54:40Z" }]);
  }
  const { context, requester = null } = body;
  const answer = await simulatePolicy(app, { ...place, context, requester, at });
  if (isRefusal(answer)) return answer;
  const simulated = simulationOut(answer.version, answer.simulation, at ?? app.clock());
  return isRefusal(simulated) ? simulated : ok(simulated);
}

function placeIn(params: RawExchange["params"]): { readonly key: string; readonly version: number } | null {
  const key = policyKeyIn(params);
  const version = versionIn(params);
  return key === null || version === null ? null : { key, version };
}

function missing(params: RawExchange["params"]): Outcome {
  return versionNotFound(pathText(params, "key"), pathText(params, "version"));
}
