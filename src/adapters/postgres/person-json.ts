/** People as members of a JSON value, where one statement answers with many of them: whom a rule finds, who stands in for whom. */
import type { PersonId } from "../../core/ids.ts";
import { foldName, isMachineName, type Person } from "../../core/person.ts";
import { isDisabled, type PersonStatus } from "../../core/person-status.ts";

/** Of `people person`. */
export const FOLDED_NAMES = "array(select folded from aliases own where own.person_id = person.id)";

/** Of `people person`; read by `personFromJson`. */
export const JSON_PERSON = `json_build_object('id', person.id, 'assignee', person.assignee,
    'display_name', person.display_name, 'email', person.email, 'status', person.status, 'folded_names', ${FOLDED_NAMES})`;

export interface JsonPerson {
  readonly id: PersonId;
  readonly assignee: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly status: PersonStatus;
  readonly folded_names: readonly string[];
}

export function personFromJson(person: JsonPerson): Person {
  return {
    id: person.id,
    assignee: person.assignee,
    foldedNames: withAddress(person.folded_names, person.email),
    displayName: person.display_name,
    disabled: isDisabled(person.status),
    machine: isMachineName(person.assignee),
  };
}

/** An address names its person as well; like every name it bars, and gives nothing (R-AUTH-5). */
export function withAddress(foldedNames: readonly string[], email: string | null): readonly string[] {
  return email === null ? foldedNames : [...foldedNames, foldName(email)];
}
