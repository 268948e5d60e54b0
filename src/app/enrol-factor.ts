/**
 * A factor that was confirmed becomes one of the person's: with the end of its cool-down, an entry, and what it makes of the
 * session (docs/spec/identity.md R-FACT-2, R-FACT-8, R-FACT-9).
 */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { World } from "../ports/command-store.ts";
import type { FactorRecord, PersonRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { ledgerTime, type EntryData } from "./entry-writer.ts";
import { historyOf, usableFrom } from "./factor-cool-down.ts";
import { grownSession, holdingsIn, holdingsNeeded, liveSession } from "./factor-enrolment.ts";
import { factorEntry } from "./factor-entry.ts";
import { longestCoolDownHours } from "./factor-rules.ts";
import type { Prover } from "./factor-throttle.ts";
import { NO_CHANGE } from "./no-change.ts";

/** Of the passkeys and authenticators that one person may have at a time. */
const FACTORS_MAX = 20;

/** What is particular to its type; the rest is the same for every factor. */
export type NewFactor = Pick<FactorRecord, "type" | "name"> &
  Partial<Omit<FactorRecord, "id" | "personId" | "createdAt" | "usableAt">>;

export interface Enrolment {
  readonly who: Prover;
  readonly factorId: string;
  readonly factor: NewFactor;
  /** What the entry says besides. */
  readonly told: EntryData;
  /** WebAuthn's name for the person, given with their first passkey. */
  readonly handle: string | null;
  /** In a session for enrolling, people become active with it: others must not decide on who they were. */
  readonly inEnrolment: boolean;
}

export interface Enrolled {
  readonly factor: FactorRecord;
  /** The new secret of a session that became a full one. */
  readonly renewed: { readonly token: string; readonly session: SessionRecord } | null;
}

export async function enrolFactor(app: Application, enrolment: Enrolment): Promise<Enrolled | Refusal> {
  const { who, factor, inEnrolment } = enrolment;
  const coolDownHours = await longestCoolDownHours(app, who.personId);
  const credential = factor.credentialId ?? null;
  return app.store.submit<Enrolled | Refusal>({
    name: "enrol_factor",
    needs: {
      personIds: [who.personId],
      records: [
        ...holdingsNeeded(who),
        recordsBy("oneTimeLink", "personId", [who.personId]),
        recordsBy("factor", "credentialId", credential === null ? [] : [credential]),
      ],
    },
    ...(inEnrolment ? { alone: true } : {}),
    carryOut(world) {
      const person = world.personRecord(who.personId);
      const refused = person === undefined ? NOBODY : refusalOf(world, enrolment, person);
      if (person === undefined || refused !== null) return { answer: refused ?? NOBODY, changes: NO_CHANGE };
      const history = historyOf(person, world.records("oneTimeLink", "personId", who.personId));
      const usableAt = usableFrom({ createdAt: world.now, ...history, coolDownHours });
      const record = recordOf(enrolment, { createdAt: world.now, usableAt });
      const before = holdingsIn(world, who.personId);
      const holdings = { ...before, factors: [...before.factors, record] };
      const grown = grownSession(app, world, { who, holdings, confirmed: record });
      const entry = factorEntry(app, {
        ...{ kind: "factor.enrolled", id: record.id, type: record.type, ...who },
        data: { ...enrolment.told, usable_at: ledgerTime(usableAt) },
      });
      return {
        answer: { factor: record, renewed: grown.renewed },
        changes: {
          entries: [entry, ...grown.entries],
          records: {
            factor: [record],
            session: grown.sessions,
            person: withHandle(grown.people[0] ?? person, enrolment.handle, grown.people.length > 0),
            ...accountMail(app, world, {
              message: "factor_added",
              personId: who.personId,
              data: { factor_type: record.type },
            }),
          },
        },
      };
    },
  });
}

const NOBODY = refuse("not_found", "Only people have factors");

function refusalOf(world: World, { who, factor, handle }: Enrolment, person: PersonRecord): Refusal | null {
  if (liveSession(world, who) === undefined) return refuse("session_expired", "Your session has ended: sign in again");
  const own = world.records("factor", "personId", who.personId).filter(({ removedAt }) => removedAt === null);
  if (own.length >= FACTORS_MAX) {
    return refuse("wrong_state", `You have ${String(FACTORS_MAX)} factors: remove one that you no longer use`);
  }
  const { credentialId = null } = factor;
  const isKnown = credentialId !== null && world.records("factor", "credentialId", credentialId).length > 0;
  if (isKnown) return refuse("already_exists", "This passkey is enrolled already");
  const isForAnother = handle !== null && person.handle !== null && person.handle !== handle;
  return isForAnother ? refuse("wrong_state", "Another passkey was enrolled meanwhile: begin again") : null;
}

function recordOf(
  { who, factorId, factor }: Enrolment,
  times: Pick<FactorRecord, "createdAt" | "usableAt">,
): FactorRecord {
  return {
    ...{ credentialId: null, publicKey: null, algorithm: null, signCount: null, transports: null, aaguid: null },
    ...{ backupEligible: null, backedUp: null, rpId: null, attestation: null, secret: null, lastUsedAt: null },
    ...{ signingDisabledAt: null, disabledAt: null, removedAt: null },
    ...factor,
    ...{ id: factorId, personId: who.personId, ...times },
  };
}

function withHandle(person: PersonRecord, handle: string | null, isChanged: boolean): readonly PersonRecord[] {
  if (handle !== null && person.handle === null) return [{ ...person, handle }];
  return isChanged ? [person] : [];
}
