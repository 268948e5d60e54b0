/** What is not a person: machines, and who answers for them (docs/spec/identity.md section 7). */
import { z } from "zod";
import { changeMachine, type MachinePatch } from "../../app/change-machine.ts";
import { createMachine } from "../../app/create-machine.ts";
import { machineNotFound } from "../../app/machine-change.ts";
import { retireMachine } from "../../app/retire-machine.ts";
import { isId, type PersonId } from "../../core/ids.ts";
import { permits } from "../../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import {
  changeMachineSchema,
  createMachineSchema,
  machineOutSchema,
  machinesQuerySchema,
} from "../../contract/machines.ts";
import type { MachineRecord } from "../../ports/identity-records.ts";
import { listed, NO_CONTENT } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { machineOut } from "../wire/machine-out.ts";

const tag = "machines";

export function machineRoutes(): readonly Endpoint[] {
  return [list(), create(), change(), retire()];
}

function list(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/machines",
    summary: "Machines: all of them, or those that you own",
    tag,
    query: machinesQuerySchema,
    answers: { 200: z.array(machineOutSchema) },
    async handle({ query, caller, url }) {
      const owner = ownerFilter(caller, "org:machine:read");
      if (isRefusal(owner)) return owner;
      const { q, retired, limit, cursor } = query;
      const page = await caller.app.reader.machines({ ...owner, ...definedMembers({ q, retired, limit, cursor }) });
      return listed(page.items.map(machineOut), page.next, { url });
    },
  });
}

function create(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/machines",
    summary: "Add a machine",
    tag,
    body: createMachineSchema,
    answers: { 201: machineOutSchema },
    async handle({ body, caller }) {
      const people = { owners: personIds(body.owners), contactId: personId(body.contact_id) };
      const machine = await createMachine(caller.app, caller.actor, {
        ...{ kind: body.kind, name: body.name, ...people, actsForId: personId(body.acts_for_id) },
      });
      return shown(caller, machine, 201);
    },
  });
}

function change(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: "/machines/:id",
    summary: "Rename a machine, or give it other people",
    tag,
    body: changeMachineSchema,
    answers: { 200: machineOutSchema },
    async handle({ params, body, caller }) {
      const id = machineIdIn(params);
      if (id === null) return machineNotFound();
      const patch: MachinePatch = {
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.owners === undefined ? {} : { owners: personIds(body.owners) }),
        ...(body.contact_id === undefined ? {} : { contactId: personId(body.contact_id) }),
        ...(body.acts_for_id === undefined ? {} : { actsForId: personId(body.acts_for_id) }),
      };
      return shown(caller, await changeMachine(caller.app, caller.actor, { id, patch }), 200);
    },
  });
}

function retire(): Endpoint {
  return endpoint({
    method: "DELETE",
    url: "/machines/:id",
    summary: "Retire a machine; its tokens end with it",
    tag,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const id = machineIdIn(params);
      if (id === null) return machineNotFound();
      const retired = await retireMachine(caller.app, caller.actor, id);
      return isRefusal(retired) ? retired : NO_CONTENT;
    },
  });
}

/** Whoever may not read all sees what they own; a machine owns nothing. */
export function ownerFilter(caller: Authorized, permission: string): { readonly ownerId?: PersonId } | Refusal {
  if (permits(caller.permissions, permission)) return {};
  const { person } = caller.actor;
  return person === null ? refuse("permission_denied", `This needs ${permission}`) : { ownerId: person.id };
}

function machineIdIn(params: Readonly<Record<string, string>>): string | null {
  const id = pathText(params, "id").toLowerCase();
  return isId<"machine">(id) ? id : null;
}

function personIds(ids: readonly string[]): readonly PersonId[] {
  return ids.filter((id) => isId<"person">(id));
}

/** The schema let only ids through. */
function personId(id: string | null): PersonId | null {
  return id !== null && isId<"person">(id) ? id : null;
}

async function shown(caller: Authorized, machine: MachineRecord | Refusal, status: number): Promise<Outcome> {
  if (isRefusal(machine)) return machine;
  const view = await caller.app.reader.machine(machine.id);
  return view === undefined ? machineNotFound() : { status, body: machineOut(view) };
}
