/**
 * A message as people read it, in text and HTML: who asks, what, why, how many more are needed, until when, and one link.
 * Implements docs/spec/engine.md R-MAIL-3 and docs/spec/identity.md R-FACT-8; pure, so that every message has a golden text.
 */
import type { Instant } from "../../core/person.ts";
import { type MailFacts, textOf } from "./mail-facts.ts";
import type { MailName } from "./mail-effect.ts";

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const SUBJECT_MAX = 120;
const VALUE_MAX = 1_000;

export function mailText(facts: MailFacts): MailText {
  const { subject, lead } = WORDS[facts.message](facts);
  return composedMail({
    ...{ subject, lead, link: facts.link },
    ...{ rows: rowsOf(facts), closing: CLOSING[facts.message] ?? [] },
  });
}

/** A message of whatever gate, in the one form that all have; values are made one line each. */
export function composedMail({ subject, lead, rows: given, closing, link }: ComposedMail): MailText {
  const rows = given.map(([name, value]): Row => [name, oneLine(value, VALUE_MAX)]);
  const ways = ["Open it in Countersign; nothing changes by opening it:", link];
  const text = [lead, "", ...rows.map(([name, value]) => `${name}: ${value}`), ...(rows.length > 0 ? [""] : [])];
  return {
    subject: subjectOf(subject),
    text: [...text, ...closing.flatMap((line) => [line, ""]), ...ways, ""].join("\n"),
    html: htmlOf({ lead, rows, closing, link }),
  };
}

interface Words {
  readonly subject: string;
  readonly lead: string;
}

type Row = readonly [string, string];

const WORDS: Readonly<Record<MailName, (facts: MailFacts) => Words>> = {
  task_assigned: (facts) => ({ subject: `Approval needed: ${titleOf(facts)}`, lead: "Your decision is needed." }),
  task_escalated: (facts) => ({
    subject: `Approval needed, overdue elsewhere: ${titleOf(facts)}`,
    lead: "Nobody decided in time. Your decision is needed instead.",
  }),
  task_reassigned: (facts) => ({
    subject: `Approval passed to you: ${titleOf(facts)}`,
    lead: "A task was passed to you. Your decision is needed.",
  }),
  task_expired: (facts) => ({
    subject: `Overdue: ${titleOf(facts)}`,
    lead: "The time for your decision has passed, and it is still needed.",
  }),
  override: (facts) => ({
    subject: `An administrator decided in your place: ${titleOf(facts)}`,
    lead: `${facts.task?.decidedBy ?? "An administrator"} decided your task in your place: ${facts.task?.decision ?? "decided"}.`,
  }),
  delegated_for_you: (facts) => ({
    subject: `Asked in your place: ${titleOf(facts)}`,
    lead: `While you are away ${facts.task?.assignee ?? "your delegate"} was asked in your place.`,
  }),
  task_not_needed: (facts) => ({
    subject: `No longer needed: ${titleOf(facts)}`,
    lead: "Your decision is no longer needed.",
  }),
  request_approved: (facts) => ({ subject: `Approved: ${titleOf(facts)}`, lead: "Your request was approved." }),
  request_rejected: (facts) => ({ subject: `Rejected: ${titleOf(facts)}`, lead: "Your request was rejected." }),
  request_cancelled: (facts) => ({ subject: `Cancelled: ${titleOf(facts)}`, lead: "Your request was cancelled." }),
  request_expired: (facts) => ({
    subject: `Expired: ${titleOf(facts)}`,
    lead: "Your request expired before it was decided.",
  }),
  resolution_failed: (facts) => ({
    subject: `Approvers cannot be looked up: ${titleOf(facts)}`,
    lead: "The approvers of a stage could not be looked up five times in a row. It is tried again.",
  }),
  effect_exhausted: ({ data }) => ({
    subject: `Given up: ${dataText(data, "kind")}`,
    lead: "Something that was to be done outside did not succeed and will not be tried again by itself.",
  }),
  rack_params_set: ({ data }) => ({
    subject: `Parameters of a rack changed: ${dataText(data, "rack")}`,
    lead: "Somebody changed what a rack is set to.",
  }),
  delegation_created: ({ data }) => ({
    subject: `Delegation: ${dataText(data, "from")} to ${dataText(data, "to")}`,
    lead: `${dataText(data, "to")} decides for ${dataText(data, "from")} during the time below.`,
  }),
  delegation_ended: ({ data }) => ({
    subject: `Delegation ended: ${dataText(data, "from")} to ${dataText(data, "to")}`,
    lead: `${dataText(data, "to")} no longer decides for ${dataText(data, "from")}.`,
  }),
  token_expiring: ({ data }) => ({
    subject: `An API token ends soon: ${dataText(data, "name")}`,
    lead: `An API token that you look after ends within ${dataText(data, "days") === "1" ? "1 day" : `${dataText(data, "days")} days`}. Rotate it before then.`,
  }),
  factor_added: account("A factor was added to your account", "Somebody signed in as you enrolled a new factor."),
  factor_removed: account("A factor was removed from your account", "Somebody signed in as you removed a factor."),
  factor_renamed: account("A factor of your account was renamed", "Somebody signed in as you renamed a factor."),
  factor_vouched: account(
    "Somebody vouched for a factor of yours",
    "Your new factor may decide at once: another person vouched for it.",
  ),
  password_set: account("Your password was set", "Somebody signed in as you set your password."),
  backup_codes_made: account(
    "New backup codes were made for your account",
    "Somebody signed in as you made new backup codes. Those before no longer count.",
  ),
  factor_throttled: account(
    "Wrong proofs on your account",
    "Somebody signed in as you gave several wrong proofs in a row. No proof of yours is taken for a while.",
  ),
  factor_switched_off: account(
    "A factor of your account was switched off",
    "There were so many wrong proofs in a row that your factor was switched off until you recover your account.",
  ),
  counter_regressed: account(
    "One of your passkeys may have been copied",
    "The counter of a passkey went back. It no longer signs decisions.",
  ),
  recovery_link_made: account(
    "A recovery link was made for your account",
    "An administrator made a link by which your account can be recovered within 24 hours.",
  ),
  account_recovered: account(
    "Your account was recovered",
    "A recovery link was used. Your sessions and trusted devices were ended, and backup codes no longer count.",
  ),
};

/** Every message that there is. */
export const MAIL_NAMES: readonly MailName[] = Object.keys(WORDS).filter(isMailName);

export function isMailName(name: string): name is MailName {
  return Object.hasOwn(WORDS, name);
}

function account(subject: string, lead: string): () => Words {
  return () => ({ subject, lead });
}

const NOT_YOU = ["If this was not you, tell an administrator at once."] as const;

const CLOSING: Readonly<Partial<Record<MailName, readonly string[]>>> = {
  ...{ factor_added: NOT_YOU, factor_removed: NOT_YOU, factor_renamed: NOT_YOU, factor_vouched: NOT_YOU },
  ...{ password_set: NOT_YOU, backup_codes_made: NOT_YOU, factor_throttled: NOT_YOU, factor_switched_off: NOT_YOU },
  ...{ counter_regressed: NOT_YOU, recovery_link_made: NOT_YOU, account_recovered: NOT_YOU },
};

function rowsOf({ request, task, data, at, message }: MailFacts): readonly Row[] {
  const rows: Row[] = [];
  const add = (name: string, value: string | null): void => {
    if (value !== null) rows.push([name, oneLine(value, VALUE_MAX)]);
  };
  if (request !== null) {
    add("Requested by", request.requester);
    add("What", `${request.title} (${request.artifact})`);
    add("Why", request.reason);
    add("State", request.status.replace("_", " "));
    add("By", request.endedBy);
    add("Comment", request.comment);
  }
  if (task !== null) {
    add("Stage", task.stage);
    add("In place of", task.delegatedFrom);
    add("Approvals", task.needed === null ? null : approvals(task.approved, task.needed));
    add("Due", task.dueAt === null ? null : shownTime(task.dueAt));
  }
  for (const [member, name] of DATA_ROWS) add(name, textOf(data, [member]));
  if (request === null && CLOSING[message] !== undefined) add("When", shownTime(at));
  return rows;
}

const DATA_ROWS = [
  ["factor_type", "Factor"],
  ["factor_name", "Name"],
  ["rack", "Rack"],
  ["by", "By"],
  ["parameters", "Parameters"],
  ["starts_at", "From"],
  ["ends_at", "Until"],
  ["attempts", "Attempts"],
  ["last_error", "Last error"],
] as const;

function approvals(approved: number, needed: number): string {
  const left = Math.max(0, needed - approved);
  return `${String(approved)} of ${String(needed)}, ${String(left)} more needed`;
}

function titleOf({ request }: MailFacts): string {
  return request?.title ?? "a request";
}

function dataText(data: MailFacts["data"], member: string): string {
  return oneLine(textOf(data, [member]) ?? "", VALUE_MAX);
}

/** `2026-11-20 09:00 UTC`. */
export function shownTime(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** One line: no control character of what people wrote reaches a header, and nobody forges a further row. */
function oneLine(text: string, most: number): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  const letters = Array.from(line);
  return letters.length <= most ? line : `${letters.slice(0, most - 1).join("")}…`;
}

function subjectOf(text: string): string {
  return oneLine(text, SUBJECT_MAX);
}

export interface ComposedMail extends HtmlParts {
  readonly subject: string;
}

interface HtmlParts {
  readonly lead: string;
  readonly rows: readonly Row[];
  readonly closing: readonly string[];
  readonly link: string;
}

function htmlOf({ lead, rows, closing, link }: HtmlParts): string {
  const cells = rows.map(
    ([name, value]) => `<tr><th align="left">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body>',
    `<p>${escaped(oneLine(lead, VALUE_MAX))}</p>`,
    ...(cells.length === 0 ? [] : [`<table>${cells.join("")}</table>`]),
    ...closing.map((line) => `<p>${escaped(line)}</p>`),
    `<p><a href="${escaped(link)}">Open it in Countersign</a>: nothing changes by opening it.</p>`,
    "</body></html>",
    "",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? "");
}
