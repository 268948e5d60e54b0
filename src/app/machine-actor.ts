/** A machine as the party that gives a command. Implements docs/spec/identity.md R-ID-8 to R-ID-10. */
import type { Permission } from "../core/permission.ts";
import type { Actor } from "../core/person.ts";
import type { MachineRecord } from "../ports/identity-records.ts";
import { allowed } from "./identify.ts";
import { MACHINE_ISSUER } from "./ledger-names.ts";

/**
 * The name is one that no person can have (R-AUTH-6), and the machine's own id is what counts: all its credentials are one
 * party, and a new machine of the same name is another.
 */
export function machineActor(
  machine: Pick<MachineRecord, "id" | "name" | "owners" | "actsForId">,
  { permissions, credential }: { readonly permissions: readonly Permission[]; readonly credential: string },
): Actor {
  return {
    person: null,
    assignee: `service-account-${machine.name}`,
    displayName: machine.name,
    issuer: MACHINE_ISSUER,
    subject: machine.id,
    clientId: machine.id,
    email: null,
    credential,
    machine: true,
    standsFor: machine.actsForId === null ? machine.owners : [...machine.owners, machine.actsForId],
    ...allowed(permissions),
  };
}
