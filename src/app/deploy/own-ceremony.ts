/** Which enrolment does a client mean that knows it by a number? Only the caller's own, of this very session (docs/spec/deploy.md 11.2). */
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import type { Prover } from "../factor-throttle.ts";
import { numericId } from "./numeric-id.ts";

export type CeremonyPurpose = "enrol_totp" | "enrol_passkey" | "backup_codes";

/** The id of the newest open one, or of the one with this number; null where there is none. */
export async function newestCeremony(
  app: Application,
  { personId, sessionId }: Prover,
  purpose: CeremonyPurpose,
  number: number | null = null,
): Promise<string | null> {
  const now = app.clock();
  const open = (await app.reader.records(recordsBy("ceremony", "personId", [personId]))).filter(
    (ceremony) =>
      ceremony.purpose === purpose &&
      ceremony.sessionId === sessionId &&
      ceremony.usedAt === null &&
      ceremony.expiresAt > now,
  );
  const meant = number === null ? open : open.filter(({ id }) => numericId(id) === number);
  return meant.sort((left, right) => right.createdAt - left.createdAt)[0]?.id ?? null;
}
