/**
 * How the rack proxy says no: plain text with the compatible first line, or JSON for clients that name it (docs/spec/deploy.md R-PROXY-4,
 * R-REFUSE-1, R-MFA-4).
 */
import type { ServerResponse } from "node:http";
import { errorMeanings } from "../../contract/error-codes.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  ledgerUnavailable,
  quarantined,
  rackCertificate,
  rackTimeout,
  rackUnreachable,
} from "../../gates/deploy/call-refusals.ts";
import { refusalJson, refusalText, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { statusOf, type Problem } from "../problem.ts";
import { Refused } from "../refused.ts";

export interface ProxyRefusal extends Omit<DeployRefusal, "code" | "details"> {
  readonly code: string;
  readonly details?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Carries a refusal through code that can only throw: bodies that stream. */
export class ProxyRefused extends Error {
  override readonly name = "ProxyRefused";
  readonly refusal: ProxyRefusal;

  constructor(refusal: ProxyRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function proxyRefusal(
  status: number,
  code: string,
  message: string,
  more: Partial<Pick<ProxyRefusal, "hint" | "headers">> = {},
): ProxyRefusal {
  return { status, code, message, hint: [], ...more };
}

/** R-PROXY-1: every 401 says why in a header besides. */
export function notAuthenticated(message: string, code = "unauthenticated"): ProxyRefusal {
  return proxyRefusal(401, code, message, { headers: { "WWW-Authenticate": "Bearer", "X-Error-Reason": message } });
}

const FACTOR_LEVELS: Readonly<Record<string, "step_up" | "always">> = {
  mfa_step_up_required: "step_up",
  mfa_required: "always",
};
/** Wrong, unknown or spent: all the same to this wire's clients. */
const WRONG_FACTOR: ReadonlySet<string> = new Set([
  ...[
    "mfa_verification_failed",
    "factor_unknown",
    "assertion_invalid",
    "user_not_verified",
    "factor_counter_regressed",
  ],
]);

/** What the other families refuse with, in this one's words. */
export function refusalOfProblem(given: Problem): ProxyRefusal {
  const level = FACTOR_LEVELS[given.code];
  if (level !== undefined) {
    const headers = { "X-MFA-Required": "true", "X-MFA-Level": level, "X-Error-Reason": given.code };
    return proxyRefusal(401, given.code, "Multi-factor authentication is required for this action", { headers });
  }
  if (WRONG_FACTOR.has(given.code)) {
    const headers = { "X-Error-Reason": "mfa_verification_failed" };
    return proxyRefusal(401, "mfa_verification_failed", "MFA verification failed", { headers, hint: [given.message] });
  }
  const { remedy } = errorMeanings[given.code];
  const status = statusOf(given);
  const reason = status === 401 ? { "X-Error-Reason": given.message } : {};
  const message = given.code === "csrf_invalid" ? "invalid CSRF token" : given.message;
  return proxyRefusal(status, given.code, message, { hint: [remedy], headers: { ...given.headers, ...reason } });
}

/** Null for what nobody expected. */
export function refusalOfError(error: unknown): ProxyRefusal | null {
  if (error instanceof ProxyRefused) return error.refusal;
  if (error instanceof Refused) return refusalOfProblem(error.problem);
  if (error instanceof RackFault) return refusalOfFault(error);
  if (!(error instanceof Unavailable)) return null;
  const refusal = error.code === "quarantined" ? quarantined() : ledgerUnavailable();
  return { ...refusal, headers: { "Retry-After": "1" } };
}

function refusalOfFault({ code }: RackFault): ProxyRefusal {
  switch (code) {
    case "rack_unreachable":
      return rackUnreachable();
    case "rack_timeout":
      return rackTimeout();
    case "rack_certificate":
      return rackCertificate();
    case "rack_answer_too_large":
      return proxyRefusal(502, code, "rack answer is too large");
  }
}

export interface RefusedAnswer {
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Of the call; null where it had none. */
  readonly accept: string | null;
  /** Nothing more is read of this connection. */
  readonly close: boolean;
}

export function sendRefusal(refusal: ProxyRefusal, { response, requestId, accept, close }: RefusedAnswer): void {
  const isJson = accept?.toLowerCase().includes("application/json") ?? false;
  const body = isJson ? JSON.stringify(refusalJson(refusal, requestId)) : refusalText(refusal);
  response.writeHead(refusal.status, {
    ...refusal.headers,
    "Content-Type": `${isJson ? "application/json" : "text/plain"}; charset=utf-8`,
    "Content-Length": String(Buffer.byteLength(body)),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Countersign-Code": refusal.code,
    "X-Request-Id": requestId,
    ...(close && { Connection: "close" }),
  });
  response.end(body);
}
