import type { JsonObject } from "../../api/read.ts";
import type { RequestEvent } from "../../api/requests.ts";
import type { PersonNames } from "./person-names.ts";
import { nameOf } from "./person-names.ts";

export interface EventWords {
  readonly text: string;
  /** What a person wrote, quoted under the line. */
  readonly quote: string | null;
  readonly tone: "quiet" | "approve" | "reject";
}

type Line = (payload: JsonObject, who: Who) => string;

/** Reads names out of a payload; what is missing is "somebody", never "undefined". */
interface Who {
  readonly of: (member: string) => string;
  readonly list: (member: string) => string;
}

const lines: Readonly<Record<string, Line>> = {
  request_created: (payload) =>
    `Requested under ${text(payload, "policy_key")} version ${text(payload, "policy_version")}`,
  stage_started: (payload, who) => `${stage(payload)} started: ${who.list("approvers")} asked`,
  stage_skipped: (payload) =>
    `${stage(payload)} skipped: ${payload["reason"] === "skip_if" ? "its condition says it is not needed" : "nobody was eligible"}`,
  stage_quorum_skipped: (payload, who) =>
    `${stage(payload)}: enough signatures, ${who.list("skipped_assignees")} no longer asked`,
  stage_completed: (payload) => `${stage(payload)} ${payload["outcome"] === "rejected" ? "rejected" : "completed"}`,
  stage_escalated: (payload, who) => `${stage(payload)} escalated: ${who.list("added_approvers")} asked as well`,
  task_decided: (payload, who) => `${who.of("actor")} ${decided(payload)}`,
  task_claimed: (_payload, who) => `${who.of("actor")} is looking at it`,
  task_released: (_payload, who) => `${who.of("actor")} is no longer looking at it`,
  task_reassigned: (_payload, who) => `${who.of("actor")} handed the task of ${who.of("from")} to ${who.of("to")}`,
  task_delegated: (_payload, who) => `${who.of("to")} stands in for ${who.of("from")}`,
  task_expired: (_payload, who) => `The time of ${who.of("assignee")} ran out`,
  decision_withdrawn: (_payload, who) => `${who.of("actor")} withdrew the decision`,
  seat_freed: (payload, who) =>
    typeof payload["to"] === "string"
      ? `${who.of("assignee")} left; ${who.of("to")} is asked instead`
      : `${who.of("assignee")} left and is no longer asked`,
  person_merged: (_payload, who) => `Two accounts turned out to be one person: ${who.of("into")}`,
  decision_voided: (_payload, who) => `The decision of ${who.of("actor")} is void: the same person had decided already`,
  delegation_skipped: () => "A delegation was not applied",
  resolution_failed: () => "The approvers could not be looked up; trying again",
  request_approved: () => "Approved",
  request_rejected: () => "Rejected",
  request_cancelled: (_payload, who) => `Cancelled by ${who.of("actor")}`,
  request_expired: () => "Expired – nobody rejected it",
  grant_used: (_payload, who) => `${who.of("actor")} used the approval`,
  grant_extended: (_payload, who) => `${who.of("actor")} made the approval last longer`,
  grant_revoked: (_payload, who) => `${who.of("actor")} took the approval back`,
  grant_expired: () => "The approval ran out",
  request_held: () => "Approved, but held back by a change freeze",
  changes_requested: (_payload, who) => `${who.of("actor")} asked for changes`,
  request_resubmitted: (_payload, who) => `${who.of("actor")} sent a new revision`,
  comment_added: (_payload, who) => `${who.of("actor")} commented`,
};

const tones: Readonly<Record<string, EventWords["tone"]>> = {
  request_approved: "approve",
  request_rejected: "reject",
};

export function eventWords(event: RequestEvent, names: PersonNames): EventWords {
  const { payload } = event;
  const who: Who = {
    of: (member) => person(payload[member], names),
    list: (member) => people(payload[member], names),
  };
  const line = lines[event.event_type];
  return {
    text: line === undefined ? event.event_type.replaceAll("_", " ") : line(payload, who),
    quote: quoteOf(payload),
    tone: tones[event.event_type] ?? "quiet",
  };
}

function text(payload: JsonObject, member: string): string {
  const value = payload[member];
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}

function stage(payload: JsonObject): string {
  const name = payload["name"];
  return typeof name === "string" ? name : `Stage ${text(payload, "stage_order")}`;
}

function decided(payload: JsonObject): string {
  const verbs: Readonly<Record<string, string>> = { approve: "approved", reject: "rejected", abstain: "abstained" };
  const verb = verbs[text(payload, "action")] ?? "decided";
  return payload["override"] === true ? `${verb} in place of somebody else` : verb;
}

function person(value: unknown, names: PersonNames): string {
  return typeof value === "string" && value !== "" ? nameOf(names, value) : "somebody";
}

function people(value: unknown, names: PersonNames): string {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const named = list.map((each) => person(each, names));
  if (named.length === 0) return "nobody";
  if (named.length > 4) return `${String(named.length)} people`;
  return new Intl.ListFormat("en", { type: "conjunction" }).format(named);
}

function quoteOf(payload: JsonObject): string | null {
  for (const member of ["comment", "body"]) {
    const value = payload[member];
    if (typeof value === "string" && value !== "") return value;
  }
  const reason = payload["reason"];
  return typeof reason === "string" && /[\s]/.test(reason) ? reason : null;
}
