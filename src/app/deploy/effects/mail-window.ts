/**
 * Messages of one sort to one person within a quarter of an hour go out together: the first at once, what comes meanwhile with the next
 * one when the window is over. Windows and what waits in them are rows, so that processes agree and restarts forget nothing
 * (docs/spec/deploy.md R-MAIL-1).
 */
import type { PersonId, RequestId } from "../../../core/ids.ts";
import { isId } from "../../../core/ids.ts";
import { recordsBy } from "../../../ports/records.ts";
import type { Application } from "../../application.ts";
import { textOf, objectOf } from "../../effects/mail-facts.ts";
import type { DeployMail } from "./deploy-mail-text.ts";

const WINDOW_MS = 15 * 60_000;
/** A letter that nobody fetched for so long is its own effect's to send, or nobody's. */
const WAITING_MS = 24 * 60 * 60_000;

/** One effect's message to one person. */
export interface LetterPlace {
  readonly effectId: string;
  readonly requestId: RequestId;
  readonly event: string;
  readonly mail: DeployMail;
  readonly person: PersonId;
}

/** Null when it is this letter's turn, else for how long it waits. */
export async function mailWait(app: Application, letter: LetterPlace): Promise<number | null> {
  const scope = `deploy_mail_window.${letter.mail}.${letter.person}`;
  const now = app.clock();
  const windows = await app.reader.records(recordsBy("spentProof", "scope", [scope]));
  const last = windows.toSorted((one, other) => one.expiresAt - other.expiresAt).at(-1);
  if (last !== undefined && last.expiresAt > now) {
    // Whoever opened it and could not send tries again.
    if (textOf(objectOf(last.answer), ["by"]) === letter.effectId) return null;
    await waits(app, letter);
    return last.expiresAt - now;
  }
  // Of several who see the same last window one opens the next.
  const value = String(last?.expiresAt ?? 0);
  const answer = { by: letter.effectId };
  const isOurs = await app.scratch.add("spentProof", {
    ...{ scope, value, answer, spentAt: now, expiresAt: now + WINDOW_MS },
  });
  if (isOurs) return null;
  await waits(app, letter);
  return WINDOW_MS;
}

async function waits(app: Application, { effectId, requestId, event, mail, person }: LetterPlace): Promise<void> {
  const [spentAt, answer] = [app.clock(), { request: requestId, event }];
  const scope = waitingScope(mail, person);
  await app.scratch.add("spentProof", { scope, value: effectId, answer, spentAt, expiresAt: spentAt + WAITING_MS });
}

/** The others that wait for the same person, oldest first; some of them may have been sent since. */
export async function waitingWith(app: Application, letter: LetterPlace): Promise<readonly LetterPlace[]> {
  const { mail, person } = letter;
  const rows = await app.reader.records(recordsBy("spentProof", "scope", [waitingScope(mail, person)]));
  return rows
    .toSorted((one, other) => one.spentAt - other.spentAt)
    .flatMap(({ value: effectId, answer, expiresAt }) => {
      const [requestId, event] = [textOf(objectOf(answer), ["request"]), textOf(objectOf(answer), ["event"])];
      const isTold = requestId !== null && isId<"request">(requestId) && event !== null;
      if (!isTold || effectId === letter.effectId || expiresAt <= app.clock()) return [];
      return [{ effectId, requestId, event, mail, person }];
    });
}

function waitingScope(mail: DeployMail, person: PersonId): string {
  return `deploy_mail_waiting.${mail}.${person}`;
}
