/**
 * The actor of a use case: somebody whom the authorization table let in, or what the installation does by itself. A proven
 * credential alone is not enough, and the compiler says so (docs/spec/identity.md R-AUTHZ-3).
 */
import type { Actor as KnownActor } from "../core/person.ts";

const ADMITTED = Symbol("admitted");

/** No other file can write one down: the name of the member is known here alone. */
export interface Actor extends KnownActor {
  readonly [ADMITTED]: true;
}

/** Called where the table was asked; a test names the files that may (test/contract/authorization-walls.test.ts). */
export function admitted(actor: KnownActor): Actor {
  return { ...actor, [ADMITTED]: true };
}
