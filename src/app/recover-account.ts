/**
 * Somebody who lost their factors or password comes back by an administrator's link. Whatever could have been stolen ends:
 * sessions, trusted devices, backup codes; no factor decides before its cool-down is over (docs/spec/identity.md R-LOCAL-4,
 * R-FACT-7, R-FACT-9).
 */
import type { PersonId } from "../core/ids.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { FactorRecord, SessionRecord, TrustedDeviceRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordChanges } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { ENROLMENT_SECONDS, type EnrolmentOpened } from "./first-run.ts";
import { statusRefusal } from "./identify.ts";
import { NO_CHANGE } from "./no-change.ts";
import { isLiveLink, linkInvalid, linkOf } from "./one-time-link.ts";
import { endedSession, openedSession, secretHash } from "./session-record.ts";
import { revokedDevice } from "./trusted-device.ts";

export interface Recovery {
  readonly token: string;
  readonly client: string | null;
  readonly address: string | null;
}

const HOUR = 3_600_000;

export async function recoverAccount(app: Application, about: Recovery): Promise<EnrolmentOpened | Refusal> {
  const link = await linkOf(app, about.token);
  if (link?.personId === undefined || !isLiveLink(link, "recovery", app.clock())) return linkInvalid();
  const { personId, orgId } = link;
  if (personId === null || orgId === null) return linkInvalid();
  const home = app.forOrganization(orgId);
  const recovered = await home.store.submit<EnrolmentOpened | Refusal>({
    name: "recover_account",
    needs: {
      personIds: [personId],
      records: [
        recordsBy("oneTimeLink", "tokenHash", [secretHash(app, about.token)]),
        recordsBy("session", "personId", [personId]),
        recordsBy("trustedDevice", "personId", [personId]),
        recordsBy("factor", "personId", [personId]),
        recordsBy("backupCode", "personId", [personId]),
      ],
    },
    carryOut: (world) => carryOut(home, world, { about, personId }),
  });
  if (!isRefusal(recovered)) await app.failures.succeed("factor", personId);
  return recovered;
}

interface Asked {
  readonly about: Recovery;
  readonly personId: PersonId;
}

function carryOut(app: Application, world: World, { about, personId }: Asked): Carried<EnrolmentOpened | Refusal> {
  const [link] = world.records("oneTimeLink", "tokenHash", secretHash(app, about.token));
  const person = world.personRecord(personId);
  if (link === undefined || person === undefined || !isLiveLink(link, "recovery", world.now)) {
    return { answer: linkInvalid(), changes: NO_CHANGE };
  }
  const refused = statusRefusal(person.status);
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  const opened = openedSession(app, world.now, {
    ...{ personId, kind: "enrolment", method: "link", aal: 1, client: about.client, address: about.address },
    ...{ lifeSeconds: ENROLMENT_SECONDS, idleSeconds: null },
  });
  const ended = world
    .records("session", "personId", personId)
    .filter((session: SessionRecord) => session.endedAt === null)
    .map((session) => endedSession(app, session, world.now, "recovery"));
  const revoked = world
    .records("trustedDevice", "personId", personId)
    .filter((device: TrustedDeviceRecord) => device.revokedAt === null)
    .map((device) => revokedDevice(app, device, world.now));
  return {
    answer: { token: opened.token, session: opened.record },
    changes: {
      entries: [...ended.map(({ entry }) => entry), ...revoked.map(({ entry }) => entry), opened.entry],
      records: {
        oneTimeLink: [{ ...link, usedAt: world.now }],
        session: [...ended.map(({ record }) => record), opened.record],
        trustedDevice: revoked.map(({ record }) => record),
        ...factorsAfter(app, world, personId),
        ...accountMail(app, world, { message: "account_recovered", personId }),
      },
    },
  };
}

/** Factors stay, cooling down; those that were switched off after too many failures may be tried again. Backup codes end. */
function factorsAfter(
  app: Application,
  world: World,
  personId: PersonId,
): Pick<RecordChanges, "factor" | "backupCode"> {
  const { now } = world;
  const usableAt = now + app.identity.coolDownHours * HOUR;
  return {
    factor: world
      .records("factor", "personId", personId)
      .filter(({ removedAt }) => removedAt === null)
      .map((factor): FactorRecord => ({ ...factor, usableAt: Math.max(factor.usableAt, usableAt), disabledAt: null })),
    backupCode: world
      .records("backupCode", "personId", personId)
      .filter(({ usedAt, endedAt }) => usedAt === null && endedAt === null)
      .map((code) => ({ ...code, endedAt: now })),
  };
}
