/**
 * Would anybody be left who can administer? The last active holder of `platform:*` or `org:role:assign` cannot be removed
 * (docs/spec/identity.md R-ROLE-3).
 */
import type { PersonId } from "../core/ids.ts";
import { permits } from "../core/permission.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf, ROLES } from "../core/roles.ts";
import type { World } from "../ports/command-store.ts";
import type { RoleGrantRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";

const PLATFORM = "platform:*:*";
const ASSIGNS = "org:role:assign";

const PLATFORM_ROLES = ROLES.filter(({ permissions }) => permissions.includes(PLATFORM)).map(({ name }) => name);
/** Platform roles administer an organization while it is the active one (R-ORG-4). */
const ASSIGNING_ROLES = ROLES.filter(({ name }) => permits(permissionsOf([name]), ASSIGNS)).map(({ name }) => name);

export interface HolderNeeds {
  readonly personIds: readonly PersonId[];
  readonly records: readonly RecordQuery[];
}

const GRANTS = recordsBy("roleGrant", "role", [...new Set([...PLATFORM_ROLES, ...ASSIGNING_ROLES])]);

/** Read before the command; who becomes a holder meanwhile does not count, which refuses rather than removes. */
export async function holderNeeds(app: Application): Promise<HolderNeeds> {
  const grants = (await app.reader.records(GRANTS)).filter(({ endedAt }) => endedAt === null);
  return { personIds: [...new Set(grants.map(({ personId }) => personId))], records: [GRANTS] };
}

/**
 * Null when others still hold what this person gives up. `keeps` are the grants that stay theirs; none when the person
 * stops being active altogether.
 */
export function lastHolderRefusal(
  app: Application,
  world: World,
  personId: PersonId,
  keeps: readonly RoleGrantRecord[] = [],
): Refusal | null {
  const held = (roles: readonly string[], id: PersonId | null): readonly RoleGrantRecord[] =>
    roles
      .flatMap((role) => world.records("roleGrant", "role", role))
      .filter((grant) => grant.endedAt === null && (grant.orgId === null || grant.orgId === app.orgId))
      .filter((grant) => (id === null ? grant.personId !== personId : grant.personId === id));
  for (const [roles, what] of [
    [PLATFORM_ROLES, "administers the platform"],
    [ASSIGNING_ROLES, "gives out roles in this organization"],
  ] as const) {
    const mine = held(roles, personId);
    const stays = mine.some((grant) => keeps.some(({ id }) => id === grant.id));
    if (mine.length === 0 || stays) continue;
    const others = held(roles, null).some((grant) => world.personRecord(grant.personId)?.status === "active");
    if (!others) return refuse("last_holder", `Nobody else ${what}: give the role to another active person first`);
  }
  return null;
}
