/**
 * Sends one message of the outbox: who it goes to, what it tells and whether it may go there are looked up now. Implements
 * docs/spec/engine.md R-MAIL-1 to R-MAIL-3.
 */
import { isId, type PersonId, type RequestId, type TaskId } from "../../core/ids.ts";
import { hasLeft } from "../../core/person-status.ts";
import type { Request } from "../../core/request.ts";
import type { EffectHandler, EffectOutcome, EffectRecord } from "../../ports/effects.ts";
import type { PersonRecord } from "../../ports/identity-records.ts";
import type { Mailer } from "../../ports/mailer.ts";
import type { TaskView, Viewer } from "../../ports/reader.ts";
import type { Application } from "../application.ts";
import { hex, utf8 } from "../ledger-names.ts";
import { requestPage } from "../request-page.ts";
import type { MailName } from "./mail-effect.ts";
import { objectOf, textOf, type MailRequest, type MailTask } from "./mail-facts.ts";
import { isMailName, mailText } from "./mail-text.ts";

export interface SendMailParts {
  readonly app: Application;
  readonly mailer: Mailer;
  /** Where links lead, without a slash at the end. */
  readonly baseUrl: string;
}

interface Asked {
  readonly message: MailName;
  readonly event: string;
  readonly to: { readonly key: string; readonly address: string; readonly person: PersonRecord | null };
  readonly taskId: TaskId | null;
  readonly data: EffectRecord["payload"];
}

export function sendMail({ app, mailer, baseUrl }: SendMailParts): EffectHandler {
  return async (effect, signal) => {
    const own = app.forOrganization(effect.orgId);
    const asked = await askedOf(own, effect);
    if ("kind" in asked) return asked;
    const about = await subjectOf(own, effect.requestId, asked);
    if ("kind" in about) return about;
    const link = linkOf(baseUrl, about.of, asked.message);
    const { request, task } = about;
    const mail = mailText({ message: asked.message, data: asked.data, link, at: effect.createdAt, request, task });
    const messageId = `<${asked.event}.${idPart(app, asked.to.key)}@${new URL(baseUrl).hostname}>`;
    const answer = await mailer.send({ ...mail, messageId, to: asked.to.address }, signal);
    if (answer.accepted) return { kind: "done", result: { message_id: messageId, response: answer.response } };
    return { kind: "retry", error: { code: answer.code, message: answer.message }, afterMs: null };
  };
}

async function askedOf(app: Application, { payload }: EffectRecord): Promise<Asked | EffectOutcome> {
  const message = textOf(payload, ["message"]);
  const event = textOf(payload, ["event"]);
  if (message === null || event === null || !isMailName(message)) {
    return { kind: "failed", error: { code: "unknown_message", message: "This version knows no such message" } };
  }
  const to = await recipientOf(app, objectOf(payload["to"]));
  if ("kind" in to) return to;
  const task = textOf(payload, ["task"]);
  const data = await dataOf(app, objectOf(payload["data"]));
  return { message, event, to, taskId: task !== null && isTaskId(task) ? task : null, data };
}

/** The two people of a delegation, and whoever did something, are looked up: the outbox names them by their ids. */
async function dataOf(app: Application, data: EffectRecord["payload"]): Promise<EffectRecord["payload"]> {
  const [from, to, by] = await Promise.all(["from", "to", "by"].map((member) => nameOf(app, textOf(data, [member]))));
  return { ...data, ...(from == null ? {} : { from }), ...(to == null ? {} : { to }), ...(by == null ? {} : { by }) };
}

async function nameOf(app: Application, id: string | null): Promise<string | null> {
  if (id === null || !isPersonId(id)) return null;
  const record = (await app.reader.person(id))?.record;
  return record === undefined ? "somebody" : (record.displayName ?? record.assignee);
}

/** A plain address and nothing else: no second one, no name, no header. */
const ADDRESS = /^[^\s<>(),;:"@[\]\\\p{C}]{1,64}@[^\s<>(),;:"@[\]\\\p{C}]{1,255}$/u;

/** The directory's address; nobody who left hears of anything (R-MAIL-2). */
async function recipientOf(app: Application, to: EffectRecord["payload"]): Promise<Asked["to"] | EffectOutcome> {
  const given = textOf(to, ["address"]);
  if (given !== null) return ADDRESS.test(given) ? { key: given, address: given, person: null } : noAddress();
  const person = await personOf(app, to);
  if (person === undefined) return noAddress();
  if (hasLeft(person.status)) return withdrawn("person_left", "Whoever it is for is no longer here");
  const { id, email } = person;
  return email !== null && ADDRESS.test(email) ? { key: id, address: email, person } : noAddress();
}

async function personOf(app: Application, to: EffectRecord["payload"]): Promise<PersonRecord | undefined> {
  const id = textOf(to, ["person"]);
  if (id !== null) return isPersonId(id) ? (await app.reader.person(id))?.record : undefined;
  const requestId = textOf(to, ["requesterOf"]);
  const request =
    requestId === null || !isRequestId(requestId) ? undefined : await app.reader.request(requestId, viewerOf(null));
  if (request === undefined) return undefined;
  const assignee = request.requester;
  const { byName } = await app.reader.identify({ issuer: "", subject: "", assignee });
  return byName?.record;
}

/** Counted and shown, and no error (R-MAIL-2). */
function noAddress(): EffectOutcome {
  return withdrawn("no_address", "No e-mail address is known");
}

function withdrawn(code: string, message: string): EffectOutcome {
  return { kind: "withdrawn", error: { code, message } };
}

interface About {
  readonly of: Pick<Request, "id" | "gate"> | null;
  readonly request: MailRequest | null;
  readonly task: MailTask | null;
}

/** What the message is about, as whoever gets it may see it: nobody gets a mail about a page they may not open (R-MAIL-2). */
async function subjectOf(app: Application, requestId: RequestId | null, asked: Asked): Promise<About | EffectOutcome> {
  if (requestId === null) return { of: null, request: null, task: null };
  const viewer = viewerOf(asked.to.person);
  const request = await app.reader.request(requestId, viewer);
  if (request === undefined) return withdrawn("not_readable", "Whoever it is for may not see the request");
  const view = asked.taskId === null ? undefined : await app.reader.task(asked.taskId, viewer);
  return { of: request, request: requestFacts(request), task: view === undefined ? null : taskFacts(view) };
}

/** Addresses of the configuration are administrators'. */
function viewerOf(person: PersonRecord | null): Viewer {
  return {
    ...{ personId: person?.id ?? null, assignee: person?.assignee ?? "", issuer: "", subject: "", clientId: null },
    ...{ machine: false, readsAll: person === null },
  };
}

function requestFacts({ context, artifactType, artifactId, requester, status, outcome }: Request): MailRequest {
  const artifact = `${artifactType} ${artifactId}`;
  return {
    ...{ artifact, requester, status },
    title: textOf(context, ["title", "record_name", "name"]) ?? artifact,
    reason: textOf(context, ["reason", "justification"]),
    endedBy: outcome?.actor ?? null,
    comment: outcome?.comment ?? outcome?.reason ?? null,
  };
}

function taskFacts({ task, stageName, approved, needed, decision }: TaskView): MailTask {
  return {
    ...{ stage: stageName, approved, needed, dueAt: task.dueAt, delegatedFrom: task.delegatedFrom },
    assignee: task.assigneeName ?? task.assignee,
    decidedBy: decision?.actor ?? null,
    decision: decision?.action ?? null,
  };
}

const PAGES: Readonly<Partial<Record<MailName, string>>> = {
  effect_exhausted: "/app/settings",
  rack_params_set: "/app/deploy/racks",
  token_expiring: "/app/tokens",
  ...{ delegation_created: "/app/inbox", delegation_ended: "/app/inbox" },
};

function linkOf(baseUrl: string, request: About["of"], message: MailName): string {
  return request === null ? `${baseUrl}${PAGES[message] ?? "/app/security"}` : requestPage(baseUrl, request);
}

/** Ids as they are; anything else by its digest, so that no address stands in a header. */
function idPart(app: Application, key: string): string {
  return /^[0-9a-f-]{36}$/.test(key) ? key : hex(app.sha256(utf8(key))).slice(0, 32);
}

const isPersonId = (text: string): text is PersonId => isId<"person">(text);
const isRequestId = (text: string): text is RequestId => isId<"request">(text);
const isTaskId = (text: string): text is TaskId => isId<"task">(text);
