/** Effects in the original's shape of jobs: seen, withdrawn, tried again (docs/spec/deploy.md 11.3). */
import { z } from "zod";
import { withdrawEffect } from "../../app/deploy/withdraw-effect.ts";
import { retryEffect } from "../../app/effects/retry-effect.ts";
import type { Application } from "../../app/application.ts";
import {
  deployJobSchema,
  deployJobsQuerySchema,
  deployJobsSchema,
  type DeployJobOut,
} from "../../contract/deploy-jobs.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { isId } from "../../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { EffectAttemptRecord, EffectRecord, EffectState } from "../../ports/effects.ts";
import { recordsBy } from "../../ports/records.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";

const tag = "deploy";

export function deployJobRoutes(): readonly Endpoint[] {
  return [list(), one(), remove(), retry()];
}

const STATES = { available: "pending", completed: "done", discarded: "failed", cancelled: "withdrawn" } as const;
const WIRE_STATES: Readonly<Record<EffectState, DeployJobOut["state"]>> = {
  ...{ pending: "available", done: "completed", failed: "discarded", withdrawn: "cancelled" },
};

function list(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/jobs", summary: "What is to be done outside, newest first", tag },
    query: deployJobsQuerySchema,
    answers: { 200: deployJobsSchema },
    async handle({ caller: { app }, query }) {
      const { state, kind, limit, cursor } = query;
      const asked = definedMembers({ state: state === undefined ? undefined : STATES[state], kind, cursor });
      const page = await app.reader.jobs({ ...asked, limit });
      return ok({ jobs: await jobsOut(app, page.items), page_info: { next_cursor: page.next, limit } });
    },
  });
}

async function jobsOut(app: Application, effects: readonly EffectRecord[]): Promise<DeployJobOut[]> {
  const attempts = await app.reader.jobAttempts(effects.map(({ id }) => id));
  const byJob = new Map(effects.map(({ id }): [string, EffectAttemptRecord[]] => [id, []]));
  for (const attempt of attempts) byJob.get(attempt.effectId)?.push(attempt);
  return effects.map((effect) => jobOut(effect, byJob.get(effect.id) ?? []));
}

async function shown(app: Application, effect: EffectRecord): Promise<Outcome> {
  const [job] = await jobsOut(app, [effect]);
  return job === undefined ? refuse("not_found", "job not found") : ok(job);
}

/** The addresses that an effect goes to and what it says may hold secrets: neither is shown. */
function jobOut(effect: EffectRecord, tried: readonly EffectAttemptRecord[]): DeployJobOut {
  const { id, kind, requestId, state, attempts, createdAt, dueAt, endsAt, doneAt, lastError } = effect;
  const newest = tried.at(-1);
  return {
    ...{ id, state: WIRE_STATES[state], queue: "default", kind },
    args: { ...(requestId === null ? {} : { request_id: requestId }) },
    ...{ attempt: attempts, max_attempts: endsAt === null ? attempts + 1 : Math.max(attempts, 1) },
    ...{ created_at: wireTime(createdAt), scheduled_at: wireTime(dueAt) },
    ...(newest === undefined ? {} : { attempted_at: wireTime(newest.at) }),
    ...(doneAt === null ? {} : { finalized_at: wireTime(doneAt) }),
    errors: tried.flatMap(errorOf),
    ...(lastError === null ? {} : { last_error: lastError.message }),
  };
}

function errorOf({ at, attempt, outcome, code, message }: EffectAttemptRecord): DeployJobOut["errors"] {
  if (outcome === "done") return [];
  return [{ at: wireTime(at), attempt, code: code ?? outcome, error: message ?? "" }];
}

async function jobIn(app: Application, params: Readonly<Record<string, string>>): Promise<EffectRecord | Refusal> {
  const id = pathText(params, "id").toLowerCase();
  const [effect] = isId(id) ? await app.reader.records(recordsBy("effect", "id", [id])) : [];
  return effect?.orgId === app.orgId ? effect : refuse("not_found", "job not found");
}

function one(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/jobs/:id", summary: "One of them", tag },
    answers: { 200: deployJobSchema },
    async handle({ caller: { app }, params }) {
      const effect = await jobIn(app, params);
      return isRefusal(effect) ? effect : shown(app, effect);
    },
  });
}

function remove(): Endpoint {
  return endpoint({
    ...{ method: "DELETE", url: "/jobs/:id", summary: "Say that it need not be done any more", tag },
    answers: { 204: z.null() },
    async handle({ caller: { app, actor }, params }) {
      const effect = await jobIn(app, params);
      if (isRefusal(effect)) return effect;
      return (await withdrawEffect(app, actor, effect.id)) ?? NO_CONTENT;
    },
  });
}

function retry(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/jobs/:id/retry", summary: "Try it again from the start", tag },
    answers: { 200: deployJobSchema },
    async handle({ caller: { app, actor }, params }) {
      const effect = await jobIn(app, params);
      if (isRefusal(effect)) return effect;
      const renewed = await retryEffect(app, actor, { id: effect.id, kinds: [effect.kind] });
      return isRefusal(renewed) ? renewed : shown(app, renewed);
    },
  });
}
