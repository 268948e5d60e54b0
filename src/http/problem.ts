/**
 * Errors on the wire: one refusal, two bodies. `/v1/awe` speaks AWE's merged envelope (R-API-4), everything else RFC 9457
 * (R-API-5). Nothing of the inside is ever shown; `trace` finds the log line (R-API-6).
 */
import type { RefusalCode, RefusalDetail } from "../core/refusal.ts";
import { errorMeanings, type ErrorCode } from "../contract/error-codes.ts";
import type { AweError, FaultDetail, ProblemBody } from "../contract/error-bodies.ts";
import type { Unavailable } from "../ports/unavailable.ts";
import type { ServiceInfo } from "./service-info.ts";

export type ErrorFamily = "awe" | "problem" | "deploy";

/** A no, ready to be written in either body. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly faults?: readonly FaultDetail[];
  /** Faults of a policy that cannot be activated (400 AWE-010). */
  readonly policyFaults?: readonly RefusalDetail[];
  /** Where the number differs from that of the code: the health check (AWE-006). */
  readonly awe?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a program needs besides the code, as `step_up`. */
  readonly members?: ProblemMembers;
  /** The permission that is missing. */
  readonly permission?: string;
}

export type ProblemMembers = Pick<ProblemBody, "step_up" | "changed">;

export function isProblem(value: object): value is Problem {
  return "code" in value && "message" in value;
}

export function problem(code: ErrorCode, message: string, more: Omit<Problem, "code" | "message"> = {}): Problem {
  return { code, message, ...more };
}

export function problemOfRefusal(refusal: {
  readonly refusal: RefusalCode;
  readonly message: string;
  readonly details?: readonly RefusalDetail[];
  readonly members?: ProblemMembers;
}): Problem {
  const { refusal: code, message, details, members } = refusal;
  if (code === "policy_invalid") return { code, message, policyFaults: details ?? [] };
  if (errorMeanings[code].status !== 422) return { code, message, ...(members === undefined ? {} : { members }) };
  const faults = (details ?? [{ path: ["body"], message, code }]).map((detail) => ({
    type: detail.code ?? code,
    loc: [...detail.path],
    msg: detail.message,
  }));
  return { code, message, faults };
}

export function problemOfUnavailable(fault: Unavailable): Problem {
  return { code: fault.code, message: fault.message, headers: { "Retry-After": "1" } };
}

export const BUG: Problem = {
  code: "bug",
  message: "Something went wrong on our side. Report it with the trace.",
};

export function statusOf(given: Problem): number {
  return errorMeanings[given.code].status;
}

interface Circumstances {
  readonly service: ServiceInfo;
  readonly trace: string;
  readonly now: number;
}

export function aweBody(given: Problem, { service, trace, now }: Circumstances): AweError {
  const errorCode = given.awe ?? errorMeanings[given.code].awe;
  const each = given.policyFaults?.map((fault) => fault.message) ?? [given.message];
  return {
    id: service.serviceId,
    version: service.apiVersion,
    responsetime: new Date(now).toISOString(),
    response: null,
    errors: (each.length === 0 ? [given.message] : each).map((message) => ({ errorCode, message })),
    errorCode,
    message: given.message,
    detail: given.faults === undefined ? given.message : [...given.faults],
    code: given.code,
    trace,
    ...problemsOf(given),
    ...given.members,
  };
}

export function problemBody(given: Problem, { trace }: Circumstances): ProblemBody {
  const { status, title } = errorMeanings[given.code];
  return {
    type: `urn:countersign:error:${given.code}`,
    title,
    status,
    detail: given.message,
    code: given.code,
    ...(given.faults === undefined
      ? {}
      : { errors: given.faults.map((fault) => ({ path: pathText(fault.loc), message: fault.msg })) }),
    ...problemsOf(given),
    ...given.members,
    trace,
  };
}

function problemsOf(given: Problem): Pick<AweError, "problems"> {
  if (given.policyFaults === undefined) return {};
  return {
    problems: given.policyFaults.map((fault) => ({
      code: fault.code ?? given.code,
      severity: "error",
      path: pathText(fault.path),
      message: fault.message,
    })),
  };
}

/** `["body", "stages", 0, "name"]` is `stages[0].name`; what is not in the body says where it is. */
export function pathText(path: readonly (string | number)[]): string {
  const inside = path[0] === "body" ? path.slice(1) : path;
  return inside.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${String(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}
