/**
 * Mail about deploy requests: to everybody who can approve, to those who are no longer needed, and to whose request it is. One message
 * per event and person, whatever becomes of an attempt halfway (docs/spec/deploy.md R-MAIL-1).
 */
import type { PersonId } from "../../../core/ids.ts";
import { hasLeft } from "../../../core/person-status.ts";
import type { EffectHandler, EffectOutcome, EffectRecord } from "../../../ports/effects.ts";
import type { Mailer } from "../../../ports/mailer.ts";
import { recordsBy } from "../../../ports/records.ts";
import { isOpenTask } from "../../../core/request.ts";
import type { Application } from "../../application.ts";
import { deploySubject, eventOf, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { deployMailText, type DeployMail } from "./deploy-mail-text.ts";
import { notConfigured, withdrawn } from "./effect-outcome.ts";

export interface DeployMailParts {
  readonly app: Application;
  /** Null while no mail is sent. */
  readonly mail: { readonly mailer: Mailer; readonly baseUrl: string } | null;
}

export function sendDeployMail({ app: installation, mail }: DeployMailParts): EffectHandler {
  return async (effect, signal) => {
    if (mail === null) return notConfigured("No mail is sent by this server");
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const letters = lettersOf(subject, eventOf(effect));
    if (letters.length === 0) return withdrawn("nobody_to_tell", "Nobody is to be told of this by mail");
    const sending: Sending = { ...mail, subject, effect, signal };
    const outcomes: (EffectOutcome | null)[] = [];
    for (const letter of letters) outcomes.push(await sendOnce(sending, letter));
    // Whoever could not be reached is tried again; the others have their message.
    const missing = outcomes.find((outcome) => outcome !== null);
    return missing ?? { kind: "done", result: { people: letters.length } };
  };
}

interface Letter {
  readonly mail: DeployMail;
  readonly person: PersonId;
}

function lettersOf(subject: DeploySubject, event: string): readonly Letter[] {
  const { status } = subject;
  const isPending = status === "pending";
  switch (event) {
    case "created":
    case "stage":
      return isPending ? to("needed", approversOf(subject)) : [];
    case "reminder":
      return isPending ? to("reminder", approversOf(subject)) : [];
    case "approved":
      return [...to("outcome", ownersOf(subject)), ...to("moot", mootOf(subject))];
    case "deployed":
      return to("outcome", ownersOf(subject));
    default:
      return isPending || status === "approved"
        ? []
        : [...to("outcome", ownersOf(subject)), ...to("moot", mootOf(subject))];
  }
}

/** Each person once. */
function to(mail: DeployMail, people: readonly PersonId[]): readonly Letter[] {
  return [...new Set(people)].map((person) => ({ mail, person }));
}

function approversOf({ view }: DeploySubject): readonly PersonId[] {
  const tasks = view.request.stages.flatMap((run) => (run.state === "open" ? run.tasks : []));
  return tasks.filter((task) => isOpenTask(task) && task.kind === "approver").map(({ personId }) => personId);
}

/** Those who were asked in the stage that ended last, and neither decided nor are asked now. */
function mootOf({ view }: DeploySubject): readonly PersonId[] {
  const run = view.request.stages.findLast(({ startedAt }) => startedAt !== null);
  if (view.request.grant !== null && view.request.grant.state !== "active") return [];
  const tasks = run?.tasks.filter((task) => task.kind === "approver" && !isOpenTask(task)) ?? [];
  return tasks.filter(({ decisionId }) => decisionId === null).map(({ personId }) => personId);
}

/** The person who asked, or the people behind the token; whoever ended it knows. */
function ownersOf({ view }: DeploySubject): readonly PersonId[] {
  const { createdByPersonId, createdByTokenId } = view.record;
  const token = view.tokens.find(({ id }) => id === createdByTokenId);
  const person = view.people.find(({ id }) => id === createdByPersonId);
  const asked = person === undefined ? [] : [person.id];
  const ending = view.people.find(({ assignee }) => assignee === view.end?.actorId)?.id;
  return [...asked, ...(token?.owners ?? [])].filter((id) => id !== ending);
}

interface Sending {
  readonly mailer: Mailer;
  readonly baseUrl: string;
  readonly subject: DeploySubject;
  readonly effect: EffectRecord;
  readonly signal: AbortSignal;
}

const SENT = "deploy_mail";
const SENT_MS = 7 * 24 * 60 * 60_000;
/** A plain address and nothing else: no second one, no name, no header. */
const ADDRESS = /^[^\s<>(),;:"@[\]\\\p{C}]{1,64}@[^\s<>(),;:"@[\]\\\p{C}]{1,255}$/u;

/** Null once it is sent, now or before, or cannot be sent to this person at all. */
async function sendOnce(sending: Sending, { mail, person }: Letter): Promise<EffectOutcome | null> {
  const { subject, effect, mailer, baseUrl, signal } = sending;
  const { app } = subject;
  const value = `${effect.id}.${person}`;
  const sent = await app.reader.records(recordsBy("spentProof", "value", [value]));
  if (sent.some(({ scope }) => scope === SENT)) return null;
  const record = (await app.reader.person(person))?.record;
  if (record === undefined || hasLeft(record.status) || record.email === null || !ADDRESS.test(record.email))
    return null;
  const messageId = `<${effect.id}.${person}@${new URL(baseUrl).hostname}>`;
  const text = deployMailText(subject, mail, baseUrl);
  const answer = await mailer.send({ ...text, messageId, to: record.email }, signal);
  if (!answer.accepted) {
    return { kind: "retry", error: { code: answer.code, message: answer.message }, afterMs: null };
  }
  const now = app.clock();
  await app.scratch.add("spentProof", { scope: SENT, value, answer: null, spentAt: now, expiresAt: now + SENT_MS });
  return null;
}
