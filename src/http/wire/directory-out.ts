/** Roles, groups and people of the local directory as the wire shows them. */
import type { GroupOut, RoleOut, UserOut } from "../../contract/directory.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { DirectoryEntry, PersonRecord } from "../../ports/identity-records.ts";

export interface NamedEntry extends DirectoryEntry {
  readonly memberNames: readonly string[];
}

export function roleOut(entry: NamedEntry): RoleOut {
  return {
    name: entry.name,
    client: entry.client,
    members: [...entry.memberNames],
    created_at: wireTime(entry.createdAt),
  };
}

/** A group is known by its path; its name is the last part. */
export function groupOut(entry: NamedEntry): GroupOut {
  return {
    path: entry.name,
    name: entry.name.split("/").findLast((part) => part !== "") ?? entry.name,
    members: [...entry.memberNames],
    created_at: wireTime(entry.createdAt),
  };
}

export function userOut(person: PersonRecord): UserOut {
  return { user_id: person.assignee, name: person.displayName, email: person.email, status: person.status };
}
