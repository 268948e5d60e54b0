/**
 * Everything that says who a person was goes away: attributes, names, credentials, and the openings of the ledger entries
 * that name them. The id stays, and with it every proof (docs/spec/identity.md section 1, ledger R-PRIV-2).
 */
import type { ChangeSet } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";

export function erasure(
  app: Application,
  world: World,
  person: PersonRecord,
): { readonly person: PersonRecord; readonly changes: ChangeSet } {
  const bare: PersonRecord = {
    ...person,
    assignee: `erased-${person.id.slice(0, 8)}`,
    displayName: null,
    email: null,
    handle: null,
    breakGlass: false,
  };
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "ledger.openings_erased", actor: "sys_server", credential: null },
      ...{ resource: null, request: null },
      data: { person: ledgerId("usr", person.id), count: world.openingsOf(person.id) },
    },
    app,
  );
  const grants = world
    .records("roleGrant", "personId", person.id)
    .filter(({ endedAt }) => endedAt === null)
    .map((grant) => ({ ...grant, endedAt: world.now }));
  const resources = world
    .records("scimResource", "personId", person.id)
    .map((resource) => ({ ...resource, externalId: null, attributes: {}, deletedAt: resource.deletedAt ?? world.now }));
  return {
    person: bare,
    changes: {
      entries: [entry],
      erased: [person.id],
      records: { person: [bare], roleGrant: grants, scimResource: resources },
    },
  };
}
