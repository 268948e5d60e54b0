/** Somebody asks for an approval. */
import { createRequest as create, requesterOf, type NewRequest } from "../core/create-request.ts";
import { expressionData, factsNeeded } from "../core/facts.ts";
import type { RequestId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Request, RequestCallback } from "../core/request.ts";
import { boundPayload } from "../gates/generic/bound-payload.ts";
import type { CompiledPolicy } from "../ports/change-set.ts";
import type { StoreCommand, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { callbackNeeds, callbackRefusal } from "./effects/request-callback.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { base64url } from "./ledger-names.ts";
import { recordRequest } from "./record-request.ts";
import { digestOf } from "./digest.ts";
import { NO_CHANGE } from "./no-change.ts";
import { spendingOnce, type SpentOnce } from "./workload-single-use.ts";

export interface CreateRequestInput {
  readonly policyKey: string;
  readonly artifactType: string;
  readonly artifactId: string;
  readonly context: JsonObject;
  readonly requester: string | null;
  readonly expiresInHours: number | null;
  readonly callback?: RequestCallback | null;
  /** Given by a gate in the place of hours. */
  readonly expiresInMinutes?: number | null;
}

const SALT_BYTES = 16;

export function createRequest(
  app: Application,
  actor: Actor,
  input: CreateRequestInput,
  call: Once<Request> | SpentOnce<Request> | null,
): Promise<Request | Refusal | Replay> {
  const salt = base64url(app.random(SALT_BYTES));
  const callback = input.callback ?? null;
  const command: StoreCommand<Request | Refusal> = {
    name: "create_request",
    needs: { activePolicyKeys: [input.policyKey], records: callbackNeeds(app, callback) },
    gather(world) {
      const active = world.activePolicy(input.policyKey);
      if (active === undefined) return { names: [], lookups: [] };
      return factsNeeded(active.policy.stages, expressionData(expressionSubject(input, actor, active)));
    },
    carryOut(world, facts) {
      const active = world.activePolicy(input.policyKey);
      if (active === undefined) {
        const refusal = refuse("no_active_policy", `No active policy for '${input.policyKey}'`);
        return { answer: refusal, changes: NO_CHANGE };
      }
      const { version, policy } = active;
      const barred = callbackRefusal(app, world, { actor, callback });
      if (barred !== null) return { answer: barred, changes: NO_CHANGE };
      const pin = { id: version.id, key: version.key, version: version.version, digest: version.digest };
      const request = newRequest(app, { input, actor, salt }, active, world);
      const step = create(request, { policy, pin, facts, settings: app.settings, now: world.now });
      if (isRefusal(step)) return { answer: step, changes: NO_CHANGE };
      const recording = { before: null, after: step.request, events: step.events, actor, newId: world.newId };
      return { answer: step.request, changes: recordRequest(recording, app) };
    },
  };
  if (call !== null && "singleUse" in call) return app.store.submit(spendingOnce(command, call));
  return app.store.submit(once(command, call, (request) => request.id));
}

interface Asked {
  readonly input: CreateRequestInput;
  readonly actor: Actor;
  readonly salt: string;
}

function newRequest(
  app: Application,
  { input, actor, salt }: Asked,
  { version }: CompiledPolicy,
  world: World,
): NewRequest {
  const id: RequestId = world.newId();
  const requester = requesterOf({ requester: input.requester, actor });
  const payload = boundPayload({ ...input, requester, salt, policy: version, revision: 1 });
  return {
    ...input,
    id,
    orgId: app.orgId,
    gate: "generic",
    liveKey: null,
    actor,
    salt,
    digest: digestOf(payload, app.sha256),
  };
}

/** The request as expressions will see it, before it exists. */
function expressionSubject(
  input: CreateRequestInput,
  actor: Actor,
  { version }: CompiledPolicy,
): Parameters<typeof expressionData>[0] {
  return {
    requester: requesterOf({ requester: input.requester, actor }),
    creator: {
      issuer: actor.issuer,
      subject: actor.subject,
      clientId: actor.clientId,
      assignee: actor.assignee,
      personId: actor.person?.id ?? null,
      machine: actor.machine,
      standsFor: actor.standsFor,
    },
    artifactType: input.artifactType,
    artifactId: input.artifactId,
    policy: { id: version.id, key: version.key, version: version.version, digest: version.digest },
    revision: 1,
    context: input.context,
  };
}
