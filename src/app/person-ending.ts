/**
 * Whatever lets somebody in ends at once: sessions, trusted devices, links that were not used yet. Implements
 * docs/spec/identity.md R-SESS-3 and the status table of section 1. Machines are refused by their owners' status.
 */
import type { PersonId } from "../core/ids.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { OneTimeLinkRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { endedSession } from "./session-record.ts";
import { revokedDevice } from "./trusted-device.ts";

/** What `endedAccess` looks at. */
export function accessOf(personId: PersonId): readonly RecordQuery[] {
  return [
    recordsBy("session", "personId", [personId]),
    recordsBy("trustedDevice", "personId", [personId]),
    recordsBy("oneTimeLink", "personId", [personId]),
  ];
}

export function endedAccess(app: Application, world: World, personId: PersonId, cause: string): ChangeSet {
  const sessions = endedSessions(app, world, personId, cause);
  const devices = world
    .records("trustedDevice", "personId", personId)
    .filter(({ revokedAt }) => revokedAt === null)
    .map((device) => revokedDevice(app, device, world.now));
  return {
    entries: [...sessions.entries, ...devices.map(({ entry }) => entry)],
    records: {
      ...sessions.records,
      trustedDevice: devices.map(({ record }) => record),
      oneTimeLink: replacedLinks(world, personId, ["invitation", "recovery"]),
    },
  };
}

export function endedSessions(app: Application, world: World, personId: PersonId, cause: string): ChangeSet {
  return ended(app, world, world.records("session", "personId", personId), cause);
}

/** Those that were opened for this organization: what another one let in stays its own matter. */
export function endedSessionsHere(app: Application, world: World, personId: PersonId, cause: string): ChangeSet {
  const here = world.records("session", "personId", personId).filter(({ orgId }) => orgId === app.orgId);
  return ended(app, world, here, cause);
}

function ended(app: Application, world: World, sessions: readonly SessionRecord[], cause: string): ChangeSet {
  const told = sessions
    .filter(({ endedAt }) => endedAt === null)
    .map((session) => endedSession(app, session, world.now, cause));
  return { entries: told.map(({ entry }) => entry), records: { session: told.map(({ record }) => record) } };
}

/** A new link takes the place of those before it. */
export function replacedLinks(
  world: World,
  personId: PersonId,
  kinds: readonly OneTimeLinkRecord["kind"][],
): readonly OneTimeLinkRecord[] {
  return world
    .records("oneTimeLink", "personId", personId)
    .filter((link) => kinds.includes(link.kind) && link.usedAt === null && link.replacedAt === null)
    .map((link) => ({ ...link, replacedAt: world.now }));
}
