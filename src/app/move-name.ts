/**
 * A name that another subject presents now goes to the person an administrator says. Open tasks stay with whom they were
 * given to (docs/spec/identity.md R-ID-5).
 */
import type { PersonId } from "../core/ids.ts";
import { foldName } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { hidden } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { isOneself, personAct } from "./person-changes.ts";
import { personUnknown } from "./person-page.ts";

export async function moveName(
  app: Application,
  actor: Actor,
  { personId, name }: { readonly personId: PersonId; readonly name: string },
): Promise<PersonRecord | Refusal> {
  if (isOneself(actor, personId)) {
    return refuse("permission_denied", "Nobody takes a name for themselves: ask another administrator");
  }
  const aliases = await app.reader.records(recordsBy("alias", "name", [name]));
  // Read before the command; one whose grants were not looked at is refused inside it.
  const holders = aliases.filter(({ orgId }) => orgId === app.orgId).map((alias) => alias.personId);
  return await app.store.submit<PersonRecord | Refusal>({
    name: "move_name",
    needs: {
      personIds: [personId],
      knownNames: [name],
      records: [recordsBy("alias", "name", [name]), grantsOf([...new Set([personId, ...holders])])],
    },
    alone: true,
    carryOut(world) {
      const person = world.personRecord(personId);
      if (person?.orgId !== app.orgId || person.status === "erased") {
        return { answer: personUnknown(), changes: NO_CHANGE };
      }
      const alias = world.records("alias", "name", name).find(({ orgId }) => orgId === app.orgId);
      const holder = alias === undefined ? undefined : world.personRecord(alias.personId);
      if (alias === undefined || holder === undefined) {
        return { answer: refuse("not_found", `Nobody goes by the name '${name}'`), changes: NO_CHANGE };
      }
      if (holder.id === personId) return { answer: person, changes: NO_CHANGE };
      if (!holders.includes(holder.id)) {
        return {
          answer: refuse("wrong_state", "The name was given to somebody just now: try again"),
          changes: NO_CHANGE,
        };
      }
      const refused = outranked(app, actor, personId, world) ?? outranked(app, actor, holder.id, world);
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const named: PersonRecord = { ...person, assignee: name };
      const former: PersonRecord =
        holder.assignee === name ? { ...holder, assignee: `${name}-former-${holder.id.slice(0, 8)}` } : holder;
      const told = personAct(
        app,
        actor,
        {
          ...{ kind: "person.name_moved", person: holder, did: `gave the name '${name}' to ${person.assignee}` },
          data: { into: ledgerId("usr", personId), name: hidden(name) },
          after: { name, into: personId },
        },
        world,
      );
      // Whoever presents it next has to prove it (R-ID-3).
      const moved = { ...alias, folded: foldName(name), personId, proof: "asserted" } as const;
      return { answer: named, changes: { ...told, records: { person: [named, former], alias: [moved] } } };
    },
  });
}
