/** Who can take part: people, the actor of a command, and absences. Implements docs/spec/engine.md sections 1 and 3. */
import type { DelegationId, PersonId } from "./ids.ts";
import type { Permission } from "./permission.ts";

/** Milliseconds since 1970-01-01T00:00:00Z. The core never reads a clock: instants are arguments. */
export type Instant = number;

export interface Person {
  readonly id: PersonId;
  /** The name by which policies and the wire know this person (R-AUTH-2). */
  readonly assignee: string;
  /** Every name known for this person, folded by `foldName`: an unsure match forbids (R-AUTH-5). */
  readonly foldedNames: readonly string[];
  readonly displayName: string | null;
  readonly disabled: boolean;
  readonly machine: boolean;
}

/** The authenticated party that gives a command. `person` is null for machines. */
export interface Actor {
  readonly person: Person | null;
  readonly assignee: string;
  /** Shown as `actor`: the display name, else the assignee id (R-AUTH-9). */
  readonly displayName: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string | null;
  readonly email: string | null;
  /** What the ledger calls the credential used, `ses_…` for a session; null for a bare token. */
  readonly credential: string | null;
  readonly machine: boolean;
  /** The owners of a machine, and whom it acts for: none of them decides about what it asks for (identity R-ID-11). */
  readonly standsFor: readonly PersonId[];
  /** Everything that the credential allows, in the organization it is used in. */
  readonly permissions: readonly Permission[];
  /** May act in the place of others, as far as the policy lets administrators do so. */
  readonly admin: boolean;
  /** Reads every request. */
  readonly viewer: boolean;
}

export interface Delegation {
  readonly id: DelegationId;
  readonly from: PersonId;
  readonly to: Person;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly createdAt: Instant;
  /** Empty lists mean every policy and every artifact type (R-DELEG-6). */
  readonly policyKeys: readonly string[];
  readonly artifactTypes: readonly string[];
}

/**
 * Names compared to forbid are folded, names compared to permit are exact (R-AUTH-5).
 * Upper-casing before lower-casing folds letters such as ß and ſ, which lower-casing alone keeps apart.
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC").trim();
}

/** Keycloak gives every client's own account this name; no person is called so (R-AUTH-6). */
export function isMachineName(name: string): boolean {
  return name.startsWith("service-account-");
}
