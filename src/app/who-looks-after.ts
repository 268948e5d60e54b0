/** Who is told about a machine: its owners, or the contact of a service account (docs/spec/identity.md R-ID-8). */
import type { PersonId } from "../core/ids.ts";
import type { MachineRecord } from "../ports/identity-records.ts";

export function whoLooksAfter({ owners, contactId }: Pick<MachineRecord, "owners" | "contactId">): readonly PersonId[] {
  return owners.length === 0 && contactId !== null ? [contactId] : owners;
}
