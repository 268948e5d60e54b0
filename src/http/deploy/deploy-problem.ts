/**
 * A refusal in the words of the deploy gate's API, which are those of the clients that people have (docs/spec/deploy.md section
 * 2): `{"error", "code", "hint"?, "request_id"}`, and for a missing factor `{"error": code, "message"}`.
 */
import { errorMeanings, type ErrorCode } from "../../contract/error-codes.ts";
import type { JsonObject } from "../../core/json.ts";
import { mountPrefixes } from "../authorization.ts";
import { statusOf, type Problem } from "../problem.ts";

const DEFAULT_RACK = new RegExp(`^${mountPrefixes.deploy}(?:[/?]|$)`);
const NAMED_RACK = /^\/racks\/[^/?]+\/api\/v1(?:[/?]|$)/;

export function isDeployPath(url: string): boolean {
  return DEFAULT_RACK.test(url) || NAMED_RACK.test(url) || url.startsWith(mountPrefixes.deployOfRack);
}

/** Texts that the original's clients look for (deploy R-WIRE-1, R-MFA-4, R-PERM-5). */
const TEXTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  csrf_invalid: "invalid CSRF token",
  host_not_allowed: "invalid host",
  permission_denied: "insufficient permissions",
  forbidden: "insufficient permissions",
  route_not_found: "not found",
  method_not_allowed: "method not allowed",
  machine: "API tokens cannot decide deploy approval requests",
};

/** Where the first line says what somebody wanted to do (deploy R-REQ-2). */
const PERMISSION_TEXTS: Readonly<Record<string, string>> = {
  "gateway:deploy_approval_request:create": "you do not have permission to request a deploy approval",
};

/** A factor is missing or was wrong: these clients read the code in `error`. */
const FACTOR_CODES: ReadonlySet<ErrorCode> = new Set([
  "mfa_enrollment_required",
  "mfa_step_up_required",
  "mfa_required",
  "mfa_verification_failed",
  "invalid_mfa_type",
]);

/** Why exactly a factor proved nothing: to these clients one and the same (R-MFA-3). */
const UNPROVEN: ReadonlySet<ErrorCode> = new Set([
  "assertion_invalid",
  "factor_counter_regressed",
  "factor_unknown",
  "user_not_verified",
]);

export interface DeployProblem {
  readonly status: number;
  readonly body: JsonObject;
}

export function deployProblem(given: Problem, trace: string): DeployProblem {
  const status = deployStatus(given);
  if (FACTOR_CODES.has(given.code) || UNPROVEN.has(given.code)) {
    const error = UNPROVEN.has(given.code) ? "mfa_verification_failed" : given.code;
    return { status, body: { error, message: given.message, code: given.code, request_id: trace } };
  }
  const { meaning, remedy } = errorMeanings[given.code];
  return {
    status,
    body: {
      error: errorText(given),
      code: CODES[given.code] ?? given.code,
      ...(given.permission === undefined ? {} : { permission: given.permission }),
      hint: given.faults === undefined ? `${meaning} ${remedy}` : faultsText(given),
      request_id: trace,
    },
  };
}

/** What cannot be read is 400 here, where the other families say 422. */
function deployStatus(given: Problem): number {
  return STATUSES[given.code] ?? statusOf(given);
}

const STATUSES: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_input: 400,
  machine_cannot_decide: 400,
  scope_exceeds_creator: 403,
  self_role_change: 409,
};

/** Codes that this wire has its own word for. */
const CODES: Partial<Readonly<Record<ErrorCode, string>>> = {
  machine: "token_cannot_decide",
  last_holder: "last_admin",
  self_role_change: "last_admin",
};

/** Whatever is wrong with the credential, these clients look for the same beginning. */
const UNAUTHENTICATED = 401;

function errorText(given: Problem): string {
  // With the time, which is another one each time (R-MFA-5).
  if (given.code === "factor_throttled") return `${given.message.charAt(0).toLowerCase()}${given.message.slice(1)}`;
  if (statusOf(given) === UNAUTHENTICATED) {
    return given.message === "Missing bearer token"
      ? "missing authentication"
      : `authentication failed: ${given.message}`;
  }
  if (given.code === "invalid_input" && given.faults !== undefined) return "invalid payload";
  return PERMISSION_TEXTS[given.permission ?? ""] ?? TEXTS[given.code] ?? given.message;
}

function faultsText({ faults = [] }: Problem): string {
  return faults
    .map(({ loc, msg }) => `${loc.slice(1).join(".")} ${msg}`.trim())
    .join("; ")
    .slice(0, 1_000);
}
