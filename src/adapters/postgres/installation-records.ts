/**
 * Which records are asked for before anybody's organization is known, or are a person's wherever they act? Everything else is
 * read behind the wall of the reader's organization (docs/spec/identity.md R-ORG-3).
 */
import type { RecordQuery } from "../../ports/records.ts";
import { RECORD_TABLES } from "./record-tables.ts";

/** By kind, the members that it is found by: ids and hashes that a credential leads to, and what is a person's own. */
const FOUND_EVERYWHERE: Readonly<Record<string, readonly string[]>> = {
  person: ["id", "email"],
  roleGrant: ["personId", "role"],
  session: ["tokenHash", "id", "personId"],
  oneTimeLink: ["tokenHash", "personId"],
  machine: ["id"],
  apiToken: ["id"],
  identityProvider: ["id"],
  workloadProvider: ["issuer"],
  setting: ["key"],
};

/** True as well of kinds that belong to no organization: identities, factors, what lives for minutes. */
export function isOfInstallation({ kind, by }: RecordQuery): boolean {
  if (!("orgId" in RECORD_TABLES[kind].columns)) return true;
  return FOUND_EVERYWHERE[kind]?.includes(by) === true;
}
