/** A person decides a deploy approval request, lets it last longer, or it is called off (docs/spec/deploy.md section 11.1, R-STATE-2). */
import { z } from "zod";
import { findApproval, type ApprovalAsk } from "../../app/deploy/act-on-approval.ts";
import { approveDeploy, factorMissing } from "../../app/deploy/approve-deploy.ts";
import { cancelDeploy } from "../../app/deploy/cancel-deploy.ts";
import { extendDeploy } from "../../app/deploy/extend-deploy.ts";
import { rejectDeploy } from "../../app/deploy/reject-deploy.ts";
import { retryEffect } from "../../app/effects/retry-effect.ts";
import type { RefusalRecorder } from "../../app/record-refused-access.ts";
import { deployApprovalSchema } from "../../contract/deploy-approvals.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { invalidPayload } from "../../gates/deploy/request-refusals.ts";
import { provesFactors } from "../authorized.ts";
import { endpoint, type Endpoint, type RawExchange } from "../endpoint.ts";
import {
  deployCaller,
  namedApproval,
  recordRefused,
  refusalReply,
  shownApproval,
  versionSeen,
} from "./approval-answers.ts";
import { deployReply } from "./deploy-reply.ts";

const tag = "deploy";
const ONE = "/deploy-approval-requests/:id";

export function approvalDecisions(refusals: RefusalRecorder): readonly Endpoint[] {
  return [
    acting(refusals, "approve", {
      summary: "Approve, with a factor in this very call",
      carryOut({ caller, route }, ask, { notes, signature }) {
        const { session, sentProof: proof } = caller;
        return approveDeploy(caller.app, deployCaller({ caller }), { ...ask, notes, signature, session, proof, route });
      },
    }),
    acting(refusals, "reject", {
      summary: "Reject, or take an approval back",
      carryOut: ({ caller }, ask, { notes }) => rejectDeploy(caller.app, deployCaller({ caller }), { ...ask, notes }),
    }),
    acting(refusals, "extend", {
      summary: "Let an approval last longer, with a factor in this very call",
      async carryOut({ caller }, ask) {
        if (caller.proof === null && provesFactors(caller)) return factorMissing();
        return extendDeploy(caller.app, deployCaller({ caller }), ask);
      },
    }),
    acting(refusals, "cancel", {
      summary: "Call a deployment off",
      carryOut: ({ caller }, ask, { notes }) => cancelDeploy(caller.app, deployCaller({ caller }), { ...ask, notes }),
    }),
    retrying(),
  ];
}

interface Act {
  readonly summary: string;
  readonly carryOut: (exchange: RawExchange, ask: ApprovalAsk, said: Said) => Promise<Refusal | null>;
}

function acting(refusals: RefusalRecorder, act: string, { summary, carryOut }: Act): Endpoint {
  return endpoint({
    ...{ method: "POST", url: `${ONE}/${act}`, summary, tag },
    answers: { 200: deployApprovalSchema },
    async handle(exchange) {
      const named = namedApproval(exchange);
      if (isRefusal(named)) return named;
      const said = saidIn(exchange.body);
      if (said === null) return deployReply(invalidPayload(), exchange.requestId);
      const refusal = await carryOut(exchange, { ...named, version: versionSeen(exchange) }, said);
      if (refusal === null) return shownApproval(exchange, named);
      await recordRefused(refusals, exchange, { refusal, id: named.id, act });
      return refusalReply(exchange, refusal);
    },
  });
}

interface Said {
  readonly notes: string | null;
  readonly signature: { readonly statement: string; readonly response: JsonValue } | null;
}

const NOTES_MAX = 4_000;
const signatureSchema = z.object({ statement: z.string().min(1).max(200), assertion: z.record(z.string(), z.json()) });
const saidSchema = z.object({
  notes: z
    .string()
    .trim()
    .refine((notes) => Array.from(notes).length <= NOTES_MAX)
    .nullish(),
  signature: signatureSchema.nullish(),
});

/** Null when it cannot be read; no body says nothing. */
function saidIn(body: unknown): Said | null {
  if (body === undefined || body === null) return { notes: null, signature: null };
  const read = isJsonObject(body) ? saidSchema.safeParse(body) : null;
  if (read?.success !== true) return null;
  const { notes = null, signature } = read.data;
  return {
    notes: notes === "" ? null : notes,
    signature: signature == null ? null : { statement: signature.statement, response: signature.assertion },
  };
}

function retrying(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: `${ONE}/effects/:n/retry`, summary: "Try an outside call again that failed", tag },
    answers: { 202: deployApprovalSchema },
    async handle(exchange) {
      const { caller, params } = exchange;
      const named = namedApproval(exchange);
      if (isRefusal(named)) return named;
      const view = await findApproval(caller.app, caller, named);
      if (isRefusal(view)) return refusalReply(exchange, view);
      const number = /^[1-9][0-9]{0,5}$/.test(params["n"] ?? "") ? Number(params["n"]) : 0;
      const effect = view.effects[number - 1];
      if (effect === undefined) return refuse("not_found", "effect not found");
      const retried = await retryEffect(caller.app, caller.actor, { id: effect.id, kinds: [effect.kind] });
      return isRefusal(retried) ? retried : shownApproval(exchange, named, 202);
    },
  });
}
