/** What somebody sees of themselves: their attributes, and the organizations in which they are somebody. */
import type { PersonId } from "../core/ids.ts";
import type { PersonStatus } from "../core/person-status.ts";
import type { OrganizationRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";

export interface OwnAccount {
  readonly status: PersonStatus;
  readonly name: string | null;
  readonly email: string | null;
  readonly passwordSet: boolean;
  /** Where the person comes from or holds a role, the present one first. */
  readonly organizations: readonly OrganizationRecord[];
}

/** Undefined for whoever is no person here. */
export async function ownAccount(app: Application, personId: PersonId): Promise<OwnAccount | undefined> {
  const [[person], grants, passwords] = await Promise.all([
    app.reader.records(recordsBy("person", "id", [personId])),
    app.reader.records(recordsBy("roleGrant", "personId", [personId])),
    app.reader.records(recordsBy("password", "personId", [personId])),
  ]);
  if (person === undefined) return undefined;
  const ofRoles = grants.flatMap(({ orgId, endedAt }) => (orgId === null || endedAt !== null ? [] : [orgId]));
  const organizations = await organizationsOf(app, [person.orgId, ...ofRoles]);
  return {
    ...{ status: person.status, name: person.displayName, email: person.email },
    ...{ passwordSet: passwords.length > 0, organizations },
  };
}

export async function organizationsOf(
  app: Application,
  others: readonly string[] = [],
): Promise<readonly OrganizationRecord[]> {
  const found = await app.reader.records(recordsBy("organization", "id", [app.orgId, ...others]));
  return [...found].sort((left, right) => Number(right.id === app.orgId) - Number(left.id === app.orgId));
}
