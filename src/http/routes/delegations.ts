/** Delegations: who decides in whose stead, and when (docs/spec/api.md section 6.5). */
import { z } from "zod";
import { createDelegation } from "../../app/create-delegation.ts";
import { deleteDelegation } from "../../app/delete-delegation.ts";
import { isRefusal } from "../../core/refusal.ts";
import { createDelegationSchema, delegationOutSchema, delegationsQuerySchema } from "../../contract/delegations.ts";
import type { DelegationRecord } from "../../ports/change-set.ts";
import { created, delegationNotFound, NO_CONTENT, ok, settle } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { idempotentCall } from "../idempotent-call.ts";
import { delegationIdIn, pathText } from "../path-values.ts";
import { isProblem } from "../problem.ts";
import { delegationOut } from "../wire/delegation-out.ts";

const tag = "delegations";

export function delegationRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/delegations",
      summary: "Delegations, the latest first: your own, or everybody's for viewers",
      tag,
      query: delegationsQuerySchema,
      answers: { 200: z.array(delegationOutSchema) },
      async handle({ query, caller }) {
        const now = caller.app.clock();
        const filter = definedMembers({ name: query.user_id, active: query.active, limit: query.limit, now });
        const delegations = await caller.app.reader.delegations(filter, caller.viewer);
        return ok(delegations.map((delegation) => delegationOut(delegation, now)));
      },
    }),
    creating(),
    endpoint({
      method: "DELETE",
      url: "/delegations/:id",
      summary: "End a delegation",
      tag,
      answers: { 204: z.null() },
      async handle({ params, caller }) {
        const id = delegationIdIn(params);
        if (id === null) return delegationNotFound(pathText(params, "id"));
        const answer = await deleteDelegation(caller.app, caller.actor, id);
        return isRefusal(answer) ? answer : NO_CONTENT;
      },
    }),
  ];
}

function creating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/delegations",
    summary: "Have somebody else decide for a time",
    tag,
    body: createDelegationSchema,
    answers: { 201: delegationOutSchema },
    async handle(exchange) {
      const { body, caller } = exchange;
      const input = {
        userId: body.user_id ?? null,
        delegateTo: body.delegate_to,
        startsAt: body.starts_at,
        endsAt: body.ends_at,
        reason: body.reason ?? null,
        policyKeys: body.policy_keys,
        artifactTypes: body.artifact_types,
      };
      const render = (delegation: DelegationRecord): Reply => created(delegationOut(delegation, caller.app.clock()));
      const call = idempotentCall(exchange, { ...input }, caller.actor.assignee, render);
      if (call !== null && isProblem(call)) return call;
      return settle(await createDelegation(caller.app, caller.actor, input, call), render);
    },
  });
}
