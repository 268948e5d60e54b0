/** A person's own factors: renaming and removing them (docs/spec/identity.md R-FACT-8, R-SESS-3). */
import type { PersonId } from "../core/ids.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { describe, hidden } from "./entry-writer.ts";
import { holdingsIn, holdingsNeeded, isEnrolled } from "./factor-enrolment.ts";
import { factorEntry } from "./factor-entry.ts";
import type { Prover } from "./factor-throttle.ts";
import { isLiveFactor } from "./factor-used.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { endedSession, sessionName } from "./session-record.ts";

/** Those that were not removed, newest first. */
export async function ownFactors(app: Application, personId: PersonId): Promise<readonly FactorRecord[]> {
  const factors = await app.reader.records(recordsBy("factor", "personId", [personId]));
  return factors.filter(({ removedAt }) => removedAt === null).sort((left, right) => right.createdAt - left.createdAt);
}

export async function renameFactor(
  app: Application,
  who: Prover,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<FactorRecord | Refusal> {
  return app.store.submit<FactorRecord | Refusal>({
    name: "rename_factor",
    needs: { records: [recordsBy("factor", "id", [id])] },
    carryOut(world) {
      const factor = ownFactor(world, who, id);
      if (factor === undefined) return { answer: noSuchFactor(), changes: NO_CHANGE };
      if (factor.name === name) return { answer: factor, changes: NO_CHANGE };
      const { personId, sessionId } = who;
      const called = (given: string): ReturnType<typeof hidden> => hidden({ factor: ledgerId("fac", id), name: given });
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: ledgerId("usr", personId) },
          ...{ credential: sessionId === null ? null : sessionName({ id: sessionId }), resource: null, request: null },
          data: { key: "factor.name", old: called(factor.name), new: called(name) },
        },
        app,
      );
      const renamed = { ...factor, name };
      const told = accountMail(app, world, { message: "factor_renamed", personId, data: { factor_type: factor.type } });
      return { answer: renamed, changes: { entries: [entry], records: { factor: [renamed], ...told } } };
    },
  });
}

/** Null when it is gone, with the other sessions that it opened. */
export async function removeFactor(app: Application, who: Prover, id: string): Promise<Refusal | null> {
  return app.store.submit<Refusal | null>({
    name: "remove_factor",
    needs: {
      records: [
        ...holdingsNeeded(who),
        recordsBy("factor", "id", [id]),
        recordsBy("session", "personId", [who.personId]),
      ],
    },
    carryOut: (world) => remove(app, world, { who, id }),
  });
}

function remove(
  app: Application,
  world: World,
  { who, id }: { readonly who: Prover; readonly id: string },
): Carried<Refusal | null> {
  const factor = ownFactor(world, who, id);
  if (factor === undefined) return { answer: noSuchFactor(), changes: NO_CHANGE };
  const before = holdingsIn(world, who.personId);
  const after = { ...before, factors: before.factors.filter((other) => other.id !== id) };
  const isLast = !after.factors.some(isLiveFactor) || (isEnrolled(before) && !isEnrolled(after));
  if (isLast) {
    const message = "You could not prove yourself without this factor: enrol another one first";
    return { answer: refuse("factor_last_one", message), changes: NO_CHANGE };
  }
  const removed: FactorRecord = { ...factor, removedAt: world.now };
  const ended = world
    .records("session", "personId", who.personId)
    .filter((session) => session.endedAt === null && session.factorId === id && session.id !== who.sessionId)
    .map((session) => endedSession(app, session, world.now, "factor_removed"));
  const entry = factorEntry(app, { kind: "factor.removed", id, type: factor.type, ...who });
  return {
    answer: null,
    changes: {
      entries: [entry, ...ended.map((each) => each.entry)],
      records: {
        ...{ factor: [removed], session: ended.map((each) => each.record) },
        ...accountMail(app, world, {
          message: "factor_removed",
          personId: who.personId,
          data: { factor_type: factor.type },
        }),
      },
    },
  };
}

function ownFactor(world: World, { personId }: Prover, id: string): FactorRecord | undefined {
  const [factor] = world.records("factor", "id", id);
  return factor?.personId === personId && factor.removedAt === null ? factor : undefined;
}

export function noSuchFactor(): Refusal {
  return refuse("not_found", "There is no such factor");
}
