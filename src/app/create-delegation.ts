/** Somebody is away and names who decides instead. Implements docs/spec/engine.md R-DELEG-7 and R-DELEG-9. */
import { isMachineName, type Instant, type Person } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DelegationRecord } from "../ports/change-set.ts";
import type { StoreCommand, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { notOwnAbsence, recordDelegation } from "./delegation-change.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { NO_CHANGE } from "./no-change.ts";

export interface CreateDelegationInput {
  /** Null: the caller's own absence. */
  readonly userId: string | null;
  readonly delegateTo: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly reason: string | null;
  readonly policyKeys: readonly string[];
  readonly artifactTypes: readonly string[];
}

const DAY = 86_400_000;

export function createDelegation(
  app: Application,
  actor: Actor,
  input: CreateDelegationInput,
  call: Once<DelegationRecord> | null,
): Promise<DelegationRecord | Refusal | Replay> {
  const userId = input.userId ?? actor.assignee;
  const names = [userId, input.delegateTo];
  const command: StoreCommand<DelegationRecord | Refusal> = {
    name: "create_delegation",
    needs: {},
    alone: true,
    gather: () => ({ names, lookups: [] }),
    carryOut(world, facts) {
      const refusal = refusedDelegation(app, actor, { ...input, userId }, world.now);
      if (refusal !== null) return { answer: refusal, changes: NO_CHANGE };
      const people = { from: facts.people.get(userId), to: facts.people.get(input.delegateTo) };
      const delegation = delegationOf(app, actor, input, { people, world });
      if (isRefusal(delegation)) return { answer: delegation, changes: NO_CHANGE };
      return {
        answer: delegation,
        changes: { delegations: [delegation], ...recordDelegation(app, actor, delegation, { world, ended: false }) },
      };
    },
  };
  return app.store.submit(once(command, call, () => null));
}

/** R-DELEG-7 and R-DELEG-9: whose absence, how long, and whether it is one at all. */
function refusedDelegation(
  app: Application,
  actor: Actor,
  input: CreateDelegationInput & { readonly userId: string },
  now: Instant,
): Refusal | null {
  const own = input.userId === actor.assignee && !actor.machine;
  if (!own && !actor.admin) return notOwnAbsence();
  if (input.endsAt <= input.startsAt) return invalid("ends_at", "ends_at must be after starts_at");
  if (input.endsAt <= now) return invalid("ends_at", "ends_at is in the past");
  if (input.delegateTo === input.userId) return invalid("delegate_to", "delegate_to must be another person");
  if (isMachineName(input.delegateTo)) return invalid("delegate_to", "a machine cannot decide for anybody");
  const longest = app.settings.delegationMaxDays;
  if (!actor.admin && input.endsAt - input.startsAt > longest * DAY) {
    return invalid("ends_at", `a delegation lasts at most ${String(longest)} days`);
  }
  return null;
}

function invalid(field: string, message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body", field], message }]);
}

function delegationOf(
  app: Application,
  actor: Actor,
  input: CreateDelegationInput,
  at: {
    readonly people: { readonly from: Person | undefined; readonly to: Person | undefined };
    readonly world: World;
  },
): DelegationRecord | Refusal {
  const { from, to } = at.people;
  if (from === undefined || to === undefined) return invalid("delegate_to", "nobody goes by this name");
  if (from.id === to.id) return invalid("delegate_to", "delegate_to must be another person");
  if (to.machine) return invalid("delegate_to", "a machine cannot decide for anybody");
  const { now, newId } = at.world;
  return {
    id: newId(),
    orgId: app.orgId,
    from: from.id,
    fromName: input.userId ?? actor.assignee,
    to: to.id,
    toName: input.delegateTo,
    startsAt: input.startsAt,
    endsAt: input.endsAt,
    reason: input.reason,
    policyKeys: input.policyKeys,
    artifactTypes: input.artifactTypes,
    createdBy: actor.assignee,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}
