/**
 * The link by which the first administrator comes in. It exists only while nobody administers the installation; a new one
 * replaces the one before (docs/spec/identity.md R-LOCAL-5).
 */
import type { PersonId } from "../core/ids.ts";
import { ROLES } from "../core/roles.ts";
import type { World } from "../ports/command-store.ts";
import type { OneTimeLinkRecord, RoleGrantRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { newLink, type NewLink } from "./one-time-link.ts";

/** Roles that hold everything there is on the platform. */
const PLATFORM_ROLES = ROLES.filter(({ permissions }) => permissions.includes("platform:*:*")).map(({ name }) => name);

/** Who holds the platform, read before a command that looks at them again. */
export interface PlatformHolders {
  readonly ids: readonly PersonId[];
}

export const platformGrants: RecordQuery<"roleGrant"> = recordsBy("roleGrant", "role", PLATFORM_ROLES);

export async function platformHolders(app: Application): Promise<PlatformHolders> {
  const grants = await app.reader.records(platformGrants);
  return { ids: [...new Set(grants.filter(isLive).map(({ personId }) => personId))] };
}

export function liveGrants(world: World): readonly RoleGrantRecord[] {
  return PLATFORM_ROLES.flatMap((role) => world.records("roleGrant", "role", role)).filter(isLive);
}

function isLive({ endedAt }: RoleGrantRecord): boolean {
  return endedAt === null;
}

/** True while no active person holds the platform. */
export async function needsSetup(app: Application): Promise<boolean> {
  const { ids } = await platformHolders(app);
  const people = await app.reader.records(recordsBy("person", "id", ids));
  return !people.some(({ status }) => status === "active");
}

/** Holders who were not loaded came in meanwhile; a link made then would be refused when it is used. */
export function isHeld(world: World, known: PlatformHolders): boolean {
  return liveGrants(world).some(
    ({ personId }) => !known.ids.includes(personId) || world.personRecord(personId)?.status === "active",
  );
}

/** Null when the installation has its administrator already. */
export async function makeSetupLink(app: Application): Promise<NewLink | null> {
  const known = await platformHolders(app);
  return app.store.submit<NewLink | null>({
    name: "make_setup_link",
    needs: { personIds: known.ids, records: [platformGrants, recordsBy("oneTimeLink", "kind", ["setup"])] },
    carryOut(world) {
      if (isHeld(world, known)) return { answer: null, changes: NO_CHANGE };
      const link = newLink(app, world.now, { kind: "setup", orgId: null, personId: null, createdBy: "sys_server" });
      const replaced = world
        .records("oneTimeLink", "kind", "setup")
        .filter((old) => old.usedAt === null && old.replacedAt === null)
        .map((old): OneTimeLinkRecord => ({ ...old, replacedAt: world.now }));
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_server", credential: null },
          ...{ resource: null, request: null },
          data: { key: "setup_link", old: null, new: null, scope: "setup" },
        },
        app,
      );
      return { answer: link, changes: { entries: [entry], records: { oneTimeLink: [...replaced, link.record] } } };
    },
  });
}
