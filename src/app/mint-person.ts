/** A person that a policy or a caller names and nobody has met: known by that name only, until a token proves it (R-AUTH-4). */
import type { NewId, PersonId } from "../core/ids.ts";
import { foldName, isMachineName, type Instant, type Person } from "../core/person.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { describe, hidden, type EntryTools } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";

export interface MintTools extends EntryTools {
  readonly orgId: string;
}

export function mintPerson(
  name: string,
  world: { readonly now: Instant; readonly newId: NewId },
  tools: MintTools,
): { readonly person: Person; readonly changes: ChangeSet } {
  const id: PersonId = world.newId();
  const folded = foldName(name);
  const record: PersonRecord = {
    id,
    orgId: tools.orgId,
    assignee: name,
    displayName: null,
    email: null,
    status: "placeholder",
    handle: null,
    firstSignedInAt: null,
    breakGlass: false,
    createdAt: world.now,
  };
  const entry = describe(
    {
      org: ledgerId("org", tools.orgId),
      kind: "person.created",
      actor: "sys_engine",
      credential: null,
      resource: null,
      request: null,
      data: { person: ledgerId("usr", id), source: "named", name: hidden(name) },
    },
    tools,
  );
  return {
    person: {
      id,
      assignee: name,
      foldedNames: [folded],
      displayName: null,
      disabled: false,
      machine: isMachineName(name),
    },
    changes: {
      entries: [entry],
      records: { person: [record] },
      aliases: [{ orgId: tools.orgId, name, folded, personId: id, proof: "asserted" }],
    },
  };
}
