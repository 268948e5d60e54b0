/**
 * Mail about deploy requests: to everybody who can approve, to those who are no longer needed, and to whose request it is. One message
 * per event and person, whatever becomes of an attempt halfway; what comes soon after another goes with the next (docs/spec/deploy.md R-MAIL-1).
 */
import type { PersonId } from "../../../core/ids.ts";
import { hasLeft } from "../../../core/person-status.ts";
import type { EffectHandler, EffectOutcome, EffectRecord } from "../../../ports/effects.ts";
import type { Mailer } from "../../../ports/mailer.ts";
import { recordsBy } from "../../../ports/records.ts";
import { isOpenTask } from "../../../core/request.ts";
import type { Application } from "../../application.ts";
import { whoLooksAfter } from "../../who-looks-after.ts";
import { deploySubject, eventOf, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { deployMailText, type DeployMail } from "./deploy-mail-text.ts";
import { notConfigured, withdrawn } from "./effect-outcome.ts";
import { mailWait, waitingWith, type LetterPlace } from "./mail-window.ts";

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
    const missing = outcomes.filter((outcome) => outcome !== null);
    // What failed is tried again before what only waits.
    const [first = null] = [...missing.filter((outcome) => !isMerged(outcome)), ...missing];
    return first ?? { kind: "done", result: { people: letters.length } };
  };
}

function isMerged(outcome: EffectOutcome): boolean {
  return outcome.kind === "retry" && outcome.error === MERGED;
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

/** The person who asked, or the people behind the token, of a service account its contact; whoever ended it knows. */
function ownersOf({ view }: DeploySubject): readonly PersonId[] {
  const { createdByPersonId, createdByTokenId } = view.record;
  const token = view.tokens.find(({ id }) => id === createdByTokenId);
  const person = view.people.find(({ id }) => id === createdByPersonId);
  const asked = person === undefined ? [] : [person.id];
  const ending = view.people.find(({ assignee }) => assignee === view.end?.actorId)?.id;
  const behind = token === undefined ? [] : whoLooksAfter(token);
  return [...asked, ...behind].filter((id) => id !== ending);
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
  const { app, view } = subject;
  const place = { effectId: effect.id, requestId: view.request.id, event: eventOf(effect), mail, person };
  if ((await unsent(app, [place])).length === 0) return null;
  const to = await addressOf(app, person);
  if (to === null) return null;
  const wait = await mailWait(app, place);
  if (wait !== null) return { kind: "retry", error: MERGED, afterMs: wait };
  const others = await othersOf(app, place);
  const messageId = `<${effect.id}.${person}@${new URL(baseUrl).hostname}>`;
  const subjects = [subject, ...others.map((other) => other.subject)];
  const answer = await mailer.send({ ...deployMailText(subjects, mail, baseUrl), messageId, to }, signal);
  if (!answer.accepted) {
    return { kind: "retry", error: { code: answer.code, message: answer.message }, afterMs: null };
  }
  for (const sent of [place, ...others.map((other) => other.place)]) await markSent(app, sent);
  return null;
}

const MERGED = { code: "merged", message: "It goes out with the next message to the same person, within 15 minutes" };

async function addressOf(app: Application, person: PersonId): Promise<string | null> {
  const record = (await app.reader.person(person))?.record;
  if (record === undefined || hasLeft(record.status) || record.email === null) return null;
  return ADDRESS.test(record.email) ? record.email : null;
}

/** As many as one message tells; the rest have a turn of their own. */
const TOGETHER_MAX = 20;

interface OtherLetter {
  readonly place: LetterPlace;
  readonly subject: DeploySubject;
}

/** What else waits for the person and still has something to say. */
async function othersOf(app: Application, place: LetterPlace): Promise<readonly OtherLetter[]> {
  const waiting = await unsent(app, await waitingWith(app, place));
  const others: OtherLetter[] = [];
  for (const other of waiting.slice(0, TOGETHER_MAX)) {
    const subject = await deploySubject(app, { orgId: app.orgId, requestId: other.requestId });
    if (!isSubject(subject)) continue;
    const isWanted = lettersOf(subject, other.event).some(
      ({ mail, person }) => mail === other.mail && person === other.person,
    );
    if (isWanted) others.push({ place: other, subject });
  }
  return others;
}

const sentValue = ({ effectId, person }: LetterPlace): string => `${effectId}.${person}`;

async function unsent(app: Application, places: readonly LetterPlace[]): Promise<readonly LetterPlace[]> {
  if (places.length === 0) return [];
  const found = await app.reader.records(recordsBy("spentProof", "value", places.map(sentValue)));
  const sent = new Set(found.filter(({ scope }) => scope === SENT).map(({ value }) => value));
  return places.filter((place) => !sent.has(sentValue(place)));
}

async function markSent(app: Application, place: LetterPlace): Promise<void> {
  const now = app.clock();
  const proof = { scope: SENT, value: sentValue(place), answer: null, spentAt: now, expiresAt: now + SENT_MS };
  await app.scratch.add("spentProof", proof);
}
