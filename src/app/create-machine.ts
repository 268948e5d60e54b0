/** Something that is not a person gets a name, and people who answer for it (docs/spec/identity.md R-ID-8). */
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { MachineKind, MachineRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { machineFault, machineNeeds, peopleOf, recordMachine, type MachinePeople } from "./machine-change.ts";
import { NO_CHANGE } from "./no-change.ts";

export interface NewMachine extends MachinePeople {
  readonly kind: MachineKind;
  readonly name: string;
}

export function createMachine(app: Application, actor: Actor, input: NewMachine): Promise<MachineRecord | Refusal> {
  const command: StoreCommand<MachineRecord | Refusal> = {
    name: "create_machine",
    needs: { records: machineNeeds(app, peopleOf(input)) },
    alone: true,
    carryOut(world) {
      const { kind, name, owners, contactId, actsForId } = input;
      const machine: MachineRecord = {
        ...{ id: world.newId<"machine">(), orgId: app.orgId, kind, name, owners, contactId, actsForId },
        ...{ createdBy: actor.assignee, createdAt: world.now, disabledAt: null },
      };
      const fault = machineFault(app, world, { after: machine, before: null });
      if (fault !== null) return { answer: fault, changes: NO_CHANGE };
      return { answer: machine, changes: recordMachine(app, actor, { before: null, after: machine }, world) };
    },
  };
  return app.store.submit(command);
}
