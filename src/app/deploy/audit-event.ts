/**
 * An entry of the ledger in the words of the deploy gate's audit list: who did what to what, from where, and how it went. Implements
 * docs/spec/deploy.md R-AUDIT-1 and R-AUDIT-2; the entry decides, and what was erased is missing here too.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { LedgerLine } from "../../ports/ledger-line-reader.ts";

export type AuditStatus = "success" | "denied" | "failed" | "error";

export interface AuditEvent {
  readonly seq: number;
  /** ISO text. */
  readonly at: string;
  /** The ledger's name: `usr_…`, `mch_…`, `sys_server`; null where nobody acted. */
  readonly actor: string | null;
  readonly credential: string | null;
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
  const entry = entryOf(line.text);
  if (entry === null || entry.kind === "deploy.call_intended") return null;
  const data = opened(entry.data, line.openings);
  const about = isJsonObject(data["ctx"]) ? data["ctx"] : {};
  const action = actionOf(entry.kind, data, about);
  const httpStatus = numberIn(data, "status");
  return {
    ...{ seq: line.seq, at: entry.at, actor: entry.actor, credential: entry.credential, action },
    ...{ resourceType: resourceTypeOf(action), resource: resourceOf(entry.kind, data, about) },
    ...{ status: statusOf(entry.kind, httpStatus), httpStatus, durationMs: numberIn(data, "duration_ms") },
    ...{ address: textIn(about, "address") ?? textIn(data, "address"), userAgent: textIn(about, "user_agent") },
    approvalId: textIn(about, "deploy_approval_request_id"),
    ...{ details: data, hash: line.hash, previousHash: line.previousHash },
  };
}

interface Entry {
  readonly at: string;
  readonly kind: string;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly data: JsonObject;
}

function entryOf(text: string): Entry | null {
  const entry: unknown = JSON.parse(text);
  if (!isJsonObject(entry)) return null;
  const { at, kind, data } = entry;
  if (typeof at !== "string" || typeof kind !== "string" || !isJsonObject(data)) return null;
  return { at, kind, data, actor: textIn(entry, "actor"), credential: textIn(entry, "credential") };
}

/** Commitments in their place: the value where it is known, nothing where it was erased. */
function opened(data: JsonObject, openings: LedgerLine["openings"]): JsonObject {
  const shown = Object.entries(data).flatMap(([member, value]): [string, JsonValue][] => {
    const opening = openings[`/${member}`];
    if (opening !== undefined) return [[member, opening]];
    return HIDDEN.has(member) && typeof value === "string" ? [] : [[member, value]];
  });
  return Object.fromEntries(shown);
}

/** Members that are commitments wherever they are text. */
const HIDDEN: ReadonlySet<string> = new Set([
  "ctx",
  "app",
  "build",
  "release",
  "old",
  "new",
  "name",
  "email",
  "address",
]);

/** The original's names (R-AUDIT-1); other kinds go by their own. */
const ACTIONS: Readonly<Record<string, string>> = {
  "deploy.object_uploaded": "object.create",
  "deploy.build_created": "build.create",
  "deploy.release_created": "release.create",
  "deploy.release_promoted": "release.promote",
  "deploy.process_started": "process.start",
  "deploy.process_exec_started": "process.exec.start",
  "deploy.process_exec_ended": "process.exec",
  "deploy.process_terminated": "process.terminate",
  "deploy.env_changed": "env.set",
  "deploy.app_changed": "app.update",
  "deploy.rack_changed": "rack.params.set",
  "token.created": "api_token.create",
  "token.rotated": "api_token.update",
  "token.revoked": "api_token.delete",
  "token.expired": "api_token.expire",
  "person.created": "user.create",
  "person.linked": "user.update",
  "person.roles_changed": "user.update",
  "person.locked": "user.lock",
  "person.unlocked": "user.unlock",
  "person.suspended": "user.delete",
  "person.reactivated": "user.create",
  "session.started": "login.success",
  "session.ended": "logout",
  "login.refused": "login.failed",
  "factor.enrolled": "mfa_method.create",
  "factor.removed": "mfa_method.delete",
  "factor.used": "mfa.verify",
  "factor.backup_codes_created": "mfa_backup_codes.generate",
  "request.created": "deploy_approval_request.create",
  "request.approved": "deploy_approval_request.approve",
  "request.rejected": "deploy_approval_request.reject",
  "request.cancelled": "deploy_approval_request.cancel",
  "request.expired": "deploy_approval_request.expire",
  "request.superseded": "deploy_approval_request.supersede",
  "grant.extended": "deploy_approval_request.extend",
  "grant.used": "deploy_approval_request.deploy",
  "gate.denied": "deploy_approval_request.refuse",
};

function actionOf(kind: string, data: JsonObject, about: JsonObject): string {
  if (kind === "setting.changed") return (data["new"] ?? null) === null ? "setting.delete" : "setting.update";
  if (kind === "access.refused" || kind.startsWith("deploy.call_")) {
    return textIn(about, "action") ?? (kind === "access.refused" ? "access.refused" : "rack.call");
  }
  return ACTIONS[kind] ?? kind;
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

const DENIED: ReadonlySet<string> = new Set(["access.refused", "gate.denied"]);
const FAILED: ReadonlySet<string> = new Set(["login.refused", "factor.counter_regressed", "effect.exhausted"]);

function statusOf(kind: string, httpStatus: number | null): AuditStatus {
  if (DENIED.has(kind)) return "denied";
  if (FAILED.has(kind)) return "failed";
  if (kind.startsWith("deploy.") && httpStatus !== null && httpStatus >= 400) return "error";
  return "success";
}

function textIn(value: JsonObject, member: string): string | null {
  const text = value[member];
  return typeof text === "string" ? text : null;
}

function numberIn(value: JsonObject, member: string): number | null {
  const number = value[member];
  return typeof number === "number" ? number : null;
}
