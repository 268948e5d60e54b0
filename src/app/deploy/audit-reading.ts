/**
 * What does an entry of the ledger say, in the words of the deploy gate? Its action and how it went, read once and in one way for the
 * audit list and for a request's history. Implements docs/spec/deploy.md R-AUDIT-1 and R-AUDIT-2; the entry decides, and what was
 * erased is missing here too.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";

export type AuditStatus = "success" | "denied" | "failed" | "error";

export interface AuditReading {
  /** ISO text. */
  readonly at: string;
  readonly kind: string;
  readonly actor: string | null;
  readonly credential: string | null;
  /** `req_…`; null where it is about no request. */
  readonly request: string | null;
  /** The original's name; kinds that it does not know go by their own. */
  readonly action: string;
  readonly status: AuditStatus;
  /** Of the rack's answer. */
  readonly httpStatus: number | null;
  /** Everything that the entry says, opened where it is still known. */
  readonly data: JsonObject;
  /** Where and how it was done. */
  readonly about: JsonObject;
}

/** Null for what is no entry. `openings` by path. */
export function auditReading(text: string, openings: Readonly<Record<string, JsonValue>>): AuditReading | null {
  const entry: unknown = JSON.parse(text);
  if (!isJsonObject(entry)) return null;
  const { at, kind, resource } = entry;
  if (typeof at !== "string" || typeof kind !== "string" || !isJsonObject(entry["data"])) return null;
  const data = opened(entry["data"], openings);
  const about = isJsonObject(data["ctx"]) ? data["ctx"] : {};
  const httpStatus = numberIn(data, "status");
  const isOfGate = isJsonObject(resource) && resource["gate"] === "deploy";
  return {
    ...{ at, kind, actor: textIn(entry, "actor"), credential: textIn(entry, "credential"), data, about },
    request: textIn(entry, "request"),
    ...{ action: actionOf({ kind, data, about, isOfGate }), status: statusOf(kind, httpStatus), httpStatus },
  };
}

/** Commitments in their place: the value where it is known, nothing where it was erased. */
function opened(data: JsonObject, openings: Readonly<Record<string, JsonValue>>): JsonObject {
  const shown = Object.entries(data).flatMap(([member, value]): [string, JsonValue][] => {
    const opening = openings[`/${member}`];
    if (opening !== undefined) return [[member, opening]];
    return typeof value === "string" && COMMITMENT.test(value) ? [] : [[member, value]];
  });
  return Object.fromEntries(shown);
}

const COMMITMENT = /^c1:[0-9a-f]{64}$/;

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
  "deploy.rack_params_set": "rack.params.set",
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
};

/** Of requests of this gate; those of other gates are none of its approvals. */
const OF_REQUESTS: Readonly<Record<string, string>> = {
  "request.created": "deploy_approval_request.create",
  "decision.recorded": "deploy_approval_request.decide",
  "request.approved": "deploy_approval_request.approve",
  "request.rejected": "deploy_approval_request.reject",
  "request.cancelled": "deploy_approval_request.cancel",
  "request.expired": "deploy_approval_request.expire",
  "request.superseded": "deploy_approval_request.supersede",
  "grant.extended": "deploy_approval_request.extend",
  "grant.revoked": "deploy_approval_request.cancel",
  "grant.expired": "deploy_approval_request.expire",
  "grant.used": "deploy_approval_request.deploy",
  "access.refused": "deploy_approval_request.refuse",
  "gate.denied": "deploy_approval_request.refuse",
};

/** These are about a call, which says itself what it was to do. */
const OF_CALLS: ReadonlySet<string> = new Set([
  ...["access.refused", "deploy.call_ended", "deploy.call_read", "deploy.rack_changed"],
]);

interface Meant extends Pick<AuditReading, "kind" | "data" | "about"> {
  readonly isOfGate: boolean;
}

function actionOf({ kind, data, about, isOfGate }: Meant): string {
  if (kind === "setting.changed") return (data["new"] ?? null) === null ? "setting.delete" : "setting.update";
  const called = OF_CALLS.has(kind) ? textIn(about, "action") : null;
  if (called !== null) return called;
  if (isOfGate && isRejection(kind, data)) return "deploy_approval_request.reject";
  return (
    (isOfGate ? OF_REQUESTS[kind] : undefined) ??
    ACTIONS[kind] ??
    (kind.startsWith("deploy.call_") ? "rack.call" : kind)
  );
}

/** What was ended because somebody said no is a rejection, whatever the engine calls it (R-STATE-1). */
function isRejection(kind: string, data: JsonObject): boolean {
  const isEnd = kind === "request.cancelled" || kind === "grant.revoked";
  return isEnd && data["reason_code"] === "rejected";
}

const DENIED: ReadonlySet<string> = new Set(["access.refused", "gate.denied"]);
const FAILED: ReadonlySet<string> = new Set(["login.refused", "factor.counter_regressed", "effect.exhausted"]);
const ERROR_LEAST = 400;

function statusOf(kind: string, httpStatus: number | null): AuditStatus {
  if (DENIED.has(kind)) return "denied";
  if (FAILED.has(kind)) return "failed";
  const isError = kind.startsWith("deploy.") && httpStatus !== null && httpStatus >= ERROR_LEAST;
  return isError ? "error" : "success";
}

function textIn(value: JsonObject, member: string): string | null {
  const text = value[member];
  return typeof text === "string" ? text : null;
}

function numberIn(value: JsonObject, member: string): number | null {
  const number = value[member];
  return typeof number === "number" ? number : null;
}
