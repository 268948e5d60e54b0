/** What an administrator does to people, straight in the store: for tests that are about what follows from it. */
import { randomUUID } from "node:crypto";
import { describe } from "../../src/app/entry-writer.ts";
import type { Application } from "../../src/app/application.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { isId, type PersonId } from "../../src/core/ids.ts";
import type { PersonStatus } from "../../src/core/person-status.ts";
import type { DescribedEntry } from "../../src/ports/change-set.ts";
import type { PersonRecord, RoleGrantRecord } from "../../src/ports/identity-records.ts";
import { recordsBy } from "../../src/ports/records.ts";

export function personIdOf(text: string): PersonId {
  if (!isId<"person">(text)) throw new Error(`${text} is no person's id`);
  return text;
}

function entry(app: Application, kind: string, id: PersonId): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind, actor: "sys_test", credential: null, resource: null, request: null },
      data: { person: ledgerId("usr", id) },
    },
    app,
  );
}

/** An active person with these roles in the application's organization. */
export async function addMember(app: Application, roles: readonly string[] = []): Promise<PersonId> {
  const id = personIdOf(randomUUID());
  const person: PersonRecord = {
    ...{ id, orgId: app.orgId, assignee: `member-${id.slice(0, 8)}`, displayName: null, email: null, status: "active" },
    ...{ handle: null, firstSignedInAt: null, breakGlass: false, createdAt: app.clock() },
  };
  await app.store.submit({
    name: "add_member",
    needs: {},
    alone: true,
    carryOut: () => ({
      answer: null,
      changes: { entries: [entry(app, "person.created", id)], records: { person: [person] } },
    }),
  });
  await giveRoles(app, id, roles);
  return id;
}

/** These roles in the organization instead of those there were. */
export async function giveRoles(app: Application, id: PersonId, roles: readonly string[]): Promise<void> {
  await app.store.submit({
    name: "give_roles",
    needs: { records: [recordsBy("roleGrant", "personId", [id])] },
    alone: true,
    carryOut(world) {
      const ended = world
        .records("roleGrant", "personId", id)
        .filter((grant) => grant.endedAt === null && grant.orgId === app.orgId)
        .map((grant) => ({ ...grant, endedAt: world.now }));
      const given = roles.map((role): RoleGrantRecord => ({
        ...{ id: randomUUID(), orgId: app.orgId, personId: id, role, source: "admin", createdBy: "test" },
        ...{ createdAt: world.now, endedAt: null },
      }));
      const entries = [entry(app, "person.roles_changed", id)];
      return { answer: null, changes: { entries, records: { roleGrant: [...ended, ...given] } } };
    },
  });
}

export async function setStatus(app: Application, id: PersonId, status: PersonStatus): Promise<void> {
  await app.store.submit({
    name: "set_status",
    needs: { records: [recordsBy("person", "id", [id])] },
    alone: true,
    carryOut(world) {
      const person = world.records("person", "id", id).map((record) => ({ ...record, status }));
      const kind = status === "locked" ? "person.locked" : status === "active" ? "person.unlocked" : "person.suspended";
      return { answer: null, changes: { entries: [entry(app, kind, id)], records: { person } } };
    },
  });
}
