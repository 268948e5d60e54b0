/** What a message tells, already looked up: nothing in it depends on how it is sent (docs/spec/engine.md R-MAIL-3). */
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { RequestStatus } from "../../core/request.ts";
import type { MailName } from "./mail-effect.ts";

export interface MailRequest {
  readonly title: string;
  readonly artifact: string;
  readonly requester: string;
  readonly reason: string | null;
  readonly status: RequestStatus;
  /** Of whoever ended it. */
  readonly endedBy: string | null;
  readonly comment: string | null;
}

export interface MailTask {
  readonly stage: string;
  readonly assignee: string;
  readonly delegatedFrom: string | null;
  readonly approved: number;
  readonly needed: number | null;
  readonly dueAt: Instant | null;
  /** Of whoever decided it, where somebody did. */
  readonly decidedBy: string | null;
  readonly decision: string | null;
}

export interface MailFacts {
  readonly message: MailName;
  /** The only link; it opens a page and changes nothing. */
  readonly link: string;
  readonly at: Instant;
  readonly request: MailRequest | null;
  readonly task: MailTask | null;
  readonly data: JsonObject;
}

/** The first of these members that is text and not blank. */
export function textOf(object: JsonObject, names: readonly string[]): string | null {
  for (const name of names) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return null;
}

export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
