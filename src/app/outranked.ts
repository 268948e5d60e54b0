/**
 * Does somebody hold more than whoever acts on them? Then the act is refused: through another's account nobody becomes more
 * than they are, nor shuts out those who may do more (docs/spec/identity.md R-ROLE-3).
 */
import type { PersonId } from "../core/ids.ts";
import { permits, permitsAll, type Permission } from "../core/permission.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import type { World } from "../ports/command-store.ts";
import type { RoleGrantRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { isOneself } from "./person-changes.ts";

type Grant = Pick<RoleGrantRecord, "orgId" | "role" | "endedAt">;

/** What reaches people beyond the organization that is acted in. */
const BEYOND: Permission = "platform:user:write";

/** What a person's live grants say, as seen from one organization. */
export interface Standing {
  /** Of this organization and of the platform. */
  readonly permissions: readonly Permission[];
  readonly holdsPlatformRole: boolean;
  readonly holdsElsewhere: boolean;
}

export function standingOf(grants: readonly Grant[], orgId: string): Standing {
  const live = grants.filter(({ endedAt }) => endedAt === null);
  const here = live.filter((grant) => grant.orgId === null || grant.orgId === orgId);
  return {
    permissions: permissionsOf(here.map(({ role }) => role)),
    holdsPlatformRole: live.some((grant) => grant.orgId === null),
    holdsElsewhere: here.length < live.length,
  };
}

export function outrankedBy(permissions: readonly Permission[], standing: Standing): Refusal | null {
  if (standing.holdsElsewhere && !permits(permissions, BEYOND)) {
    const message = "This person holds roles in another organization too: ask somebody who runs the installation";
    return refuse("permission_denied", message);
  }
  if (permitsAll(permissions, standing.permissions)) return null;
  return refuse("permission_denied", "This person may do more than you: to do this you must hold everything they hold");
}

/** What `outranked` and `standingIn` look at. */
export function grantsOf(people: readonly PersonId[]): RecordQuery {
  return recordsBy("roleGrant", "personId", people);
}

export function standingIn(app: Application, world: World, personId: PersonId): Standing {
  return standingOf(world.records("roleGrant", "personId", personId), app.orgId);
}

/** The same for what ends at this organization's border, such as its roles: what somebody is elsewhere is no matter then. */
export function outrankedHere(app: Application, actor: Actor, personId: PersonId, world: World): Refusal | null {
  return outrankedBy(actor.permissions, { ...standingIn(app, world, personId), holdsElsewhere: false });
}

/** Null when the actor may act on the person. Nobody outranks themselves. */
export function outranked(app: Application, actor: Actor, personId: PersonId, world: World): Refusal | null {
  if (isOneself(actor, personId)) return null;
  return outrankedBy(actor.permissions, standingIn(app, world, personId));
}
