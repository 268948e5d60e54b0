/**
 * From when on does a factor serve decisions? At once when it came with a setup or invitation link, or within a day of the
 * person's first sign-in; any other after the cool-down, and after a recovery every one (docs/spec/identity.md R-FACT-9).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import type { OneTimeLinkRecord, PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { longestCoolDownHours } from "./factor-rules.ts";

export interface FactorHistory {
  readonly createdAt: Instant;
  readonly firstSignedInAt: Instant | null;
  /** The newest recovery by link; null when there was none. */
  readonly recoveredAt: Instant | null;
  readonly coolDownHours: number;
}

const HOUR_MS = 3_600_000;
const FIRST_DAY_MS = 24 * HOUR_MS;

export function usableFrom({ createdAt, firstSignedInAt, recoveredAt, coolDownHours }: FactorHistory): Instant {
  const coolDown = coolDownHours * HOUR_MS;
  if (recoveredAt !== null) return Math.max(createdAt, recoveredAt) + coolDown;
  const isNewcomer = firstSignedInAt === null || createdAt <= firstSignedInAt + FIRST_DAY_MS;
  return isNewcomer ? createdAt : createdAt + coolDown;
}

/** When the person last came back by a recovery link. */
function recoveredAt(links: readonly OneTimeLinkRecord[]): Instant | null {
  const used = links.filter(({ kind }) => kind === "recovery").flatMap(({ usedAt }) => usedAt ?? []);
  return used.length === 0 ? null : Math.max(...used);
}

/** The same for a backup code, whose row does not say it. */
export async function backupCodeUsableFrom(app: Application, personId: PersonId, createdAt: Instant): Promise<Instant> {
  const [[person], links, coolDownHours] = await Promise.all([
    app.reader.records(recordsBy("person", "id", [personId])),
    app.reader.records(recordsBy("oneTimeLink", "personId", [personId])),
    longestCoolDownHours(app, personId),
  ]);
  return usableFrom({ createdAt, ...historyOf(person, links), coolDownHours });
}

export function historyOf(
  person: Pick<PersonRecord, "firstSignedInAt"> | undefined,
  links: readonly OneTimeLinkRecord[],
): Pick<FactorHistory, "firstSignedInAt" | "recoveredAt"> {
  return { firstSignedInAt: person?.firstSignedInAt ?? null, recoveredAt: recoveredAt(links) };
}
