/**
 * An entry of the ledger as an event of the deploy gate's audit list: who did what to what, from where, and how it went. Implements
 * docs/spec/deploy.md R-AUDIT-1 and R-AUDIT-2.
 */
import type { JsonObject } from "../../core/json.ts";
import type { LedgerLine } from "../../ports/ledger-line-reader.ts";
import { auditReading, type AuditStatus } from "./audit-reading.ts";

export interface AuditEvent {
  readonly seq: number;
  /** ISO text. */
  readonly at: string;
  /** The ledger's name: `usr_…`, `mch_…`, `sys_server`; null where nobody acted. */
  readonly actor: string | null;
  readonly credential: string | null;
  /** `req_…` */
  readonly request: string | null;
  /** Name of the rack; null where it happened on none, or the entry does not say. */
  readonly scope: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resource: string;
  readonly status: AuditStatus;
  readonly httpStatus: number | null;
  readonly durationMs: number | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly approvalId: string | null;
  /** Everything that the entry says, opened where it is still known. */
  readonly details: JsonObject;
  readonly hash: string;
  readonly previousHash: string;
}

/** Null for what is no event of its own: what is about to be sent to a rack is told by what came of it. */
export function auditEvent(line: LedgerLine): AuditEvent | null {
  const read = auditReading(line.text, line.openings);
  if (read === null || read.kind === "deploy.call_intended") return null;
  const { at, kind, actor, credential, action, status, httpStatus, data, about, request } = read;
  return {
    ...{ seq: line.seq, at, actor, credential, request, action, scope: named(textIn(about, "scope")) },
    ...{ resourceType: resourceTypeOf(action), resource: resourceOf(kind, data, about) },
    ...{ status, httpStatus, durationMs: numberIn(data, "duration_ms") },
    ...{ address: textIn(about, "address") ?? textIn(data, "address"), userAgent: textIn(about, "user_agent") },
    approvalId: textIn(about, "deploy_approval_request_id"),
    ...{ details: data, hash: line.hash, previousHash: line.previousHash },
  };
}

/** Calls to a rack that is not there are on none. */
function named(scope: string | null): string | null {
  return scope === "" ? null : scope;
}

function resourceTypeOf(action: string): string {
  return action.split(".", 1)[0] ?? action;
}

/** What it was done to, in the order in which clients look for it. */
function resourceOf(kind: string, data: JsonObject, about: JsonObject): string {
  const app = textIn(data, "app") ?? textIn(about, "app");
  const within = textIn(data, "release") ?? textIn(data, "build");
  if (app !== null) return within === null ? app : `${app}/${within}`;
  const named = ["key", "email", "token", "person", "machine", "session", "factor", "grant", "route"];
  return named.map((member) => textIn(data, member)).find((text) => text !== null) ?? kind;
}

function textIn(value: JsonObject, member: string): string | null {
  const text = value[member];
  return typeof text === "string" ? text : null;
}

function numberIn(value: JsonObject, member: string): number | null {
  const number = value[member];
  return typeof number === "number" ? number : null;
}
