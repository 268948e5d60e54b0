/** A delegation ends early. Tasks that were given out under it stay where they are. */
import type { DelegationId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { DelegationRecord } from "../ports/change-set.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { notOwnAbsence, recordDelegation } from "./delegation-change.ts";
import { NO_CHANGE } from "./no-change.ts";

export function deleteDelegation(
  app: Application,
  actor: Actor,
  id: DelegationId,
): Promise<DelegationRecord | Refusal> {
  const command: StoreCommand<DelegationRecord | Refusal> = {
    name: "delete_delegation",
    needs: { delegationIds: [id] },
    alone: true,
    carryOut(world) {
      const found = world.delegation(id);
      if (found?.deletedAt !== null || !concerns(found, actor)) {
        return { answer: refuse("delegation_not_found", `Delegation ${id} not found`), changes: NO_CHANGE };
      }
      if (found.from !== actor.person?.id && !actor.admin) return { answer: notOwnAbsence(), changes: NO_CHANGE };
      const ended = { ...found, deletedAt: world.now, updatedAt: world.now };
      return {
        answer: ended,
        changes: { delegations: [ended], ...recordDelegation(app, actor, ended, { world, ended: true }) },
      };
    },
  };
  return app.store.submit(command);
}

/** Both sides of a delegation know of it, and whoever may read everything. */
function concerns(delegation: DelegationRecord, actor: Actor): boolean {
  if (actor.viewer || actor.admin) return true;
  return actor.person !== null && [delegation.from, delegation.to].includes(actor.person.id);
}
