/**
 * A machine gets another name or other people. What it is stays what it was, and nobody makes its credentials allow what they
 * do not hold themselves (docs/spec/identity.md R-ID-8, R-TOK-4).
 */
import { intersect, type Permission } from "../core/permission.ts";
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import { refuse } from "../core/refusal.ts";
import type { StoreCommand, World } from "../ports/command-store.ts";
import type { MachineRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import {
  machineFault,
  machineNeeds,
  machineNotFound,
  peopleOf,
  recordMachine,
  type MachinePeople,
} from "./machine-change.ts";
import { NO_CHANGE } from "./no-change.ts";
import { beyond } from "./token-permissions.ts";

/** Members that are absent stay as they are. */
export interface MachinePatch extends Partial<MachinePeople> {
  readonly name?: string;
}

export function changeMachine(
  app: Application,
  actor: Actor,
  { id, patch }: { readonly id: string; readonly patch: MachinePatch },
): Promise<MachineRecord | Refusal> {
  const named = peopleOf({ owners: [], contactId: null, actsForId: null, ...patch });
  const command: StoreCommand<MachineRecord | Refusal> = {
    name: "change_machine",
    needs: {
      records: [
        ...machineNeeds(app, named),
        recordsBy("apiToken", "machineId", [id]),
        recordsBy("workloadProvider", "orgId", [app.orgId]),
      ],
    },
    alone: true,
    carryOut(world) {
      const before = world.records("machine", "id", id).find((machine) => machine.orgId === app.orgId);
      if (before === undefined) return { answer: machineNotFound(), changes: NO_CHANGE };
      if (before.disabledAt !== null) {
        return { answer: refuse("wrong_state", "This machine was retired"), changes: NO_CHANGE };
      }
      const after: MachineRecord = { ...before, ...patch };
      const fault = machineFault(app, world, { after, before }) ?? widening(app, world, actor, { before, after });
      if (fault !== null) return { answer: fault, changes: NO_CHANGE };
      return { answer: after, changes: recordMachine(app, actor, { before, after }, world) };
    },
  };
  return app.store.submit(command);
}

interface Change {
  readonly before: MachineRecord;
  readonly after: MachineRecord;
}

/** Owners bound what a machine may do: whoever takes that bound away must hold what its credentials then allow. */
function widening(app: Application, world: World, actor: Actor, { before, after }: Change): Refusal | null {
  const isBounded = before.owners.length > 0;
  const isWider = after.owners.length === 0 || after.owners.some((owner) => !before.owners.includes(owner));
  const wider = isBounded && isWider ? beyond(lentTo(app, world, before), actor.permissions) : [];
  return wider.length === 0 ? null : refuse("scope_exceeds_creator", `You do not hold ${wider.join(", ")}`);
}

/** What the machine's live tokens and providers would allow if nobody owned it. */
function lentTo(app: Application, world: World, { id }: MachineRecord): readonly Permission[] {
  const tokens = world
    .records("apiToken", "machineId", id)
    .filter(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > world.now));
  const providers = world
    .records("workloadProvider", "orgId", app.orgId)
    .filter(({ machineId, enabled, deletedAt }) => machineId === id && enabled && deletedAt === null);
  return [
    ...new Set([
      ...tokens.flatMap(({ scopes, creatorPermissions }) => intersect(scopes, creatorPermissions)),
      ...providers.flatMap(({ scopes }) => scopes),
    ]),
  ];
}
