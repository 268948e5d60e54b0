/** From whatever went wrong to the body of the family that was called; the only place that logs a bug of a call. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AweError, ProblemBody } from "../contract/error-bodies.ts";
import { scimMediaType } from "../contract/scim.ts";
import { InvalidCursor } from "../ports/invalid-cursor.ts";
import { Unavailable } from "../ports/unavailable.ts";
import { mountPrefixes } from "./authorization.ts";
import { deployProblem, isDeployPath } from "./deploy/deploy-problem.ts";
import { faulty } from "./input.ts";
import {
  aweBody,
  BUG,
  problem,
  problemBody,
  problemOfUnavailable,
  statusOf,
  type ErrorFamily,
  type Problem,
} from "./problem.ts";
import { Refused } from "./refused.ts";
import { isScim, scimProblem } from "./scim-problem.ts";
import type { ServerOptions } from "./server-options.ts";

export function sendProblem(
  given: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  options: Pick<ServerOptions, "service" | "app">,
): FastifyReply {
  if (isScim(request.url)) return sendScimProblem(given, request, reply);
  if (isDeployPath(request.url)) return sendDeployProblem(given, request, reply);
  const circumstances = { service: options.service, trace: request.id, now: options.app.clock() };
  const awe = familyOf(request.url) === "awe";
  const body: AweError | ProblemBody = awe ? aweBody(given, circumstances) : problemBody(given, circumstances);
  return (
    reply
      .code(statusOf(given))
      .headers(given.headers ?? {})
      // Fastify's own refusals come before the hook that sets it everywhere else.
      .header("X-Request-Id", request.id)
      .header("Cache-Control", "no-store")
      .type(`application/${awe ? "json" : "problem+json"}; charset=utf-8`)
      .send(JSON.stringify(body))
  );
}

/** A directory reads refusals in a form of its own (RFC 7644 section 3.12). */
function sendScimProblem(given: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = scimProblem(given, statusOf(given));
  return reply
    .code(status)
    .headers(given.headers ?? {})
    .header("X-Request-Id", request.id)
    .header("Cache-Control", "no-store")
    .type(scimMediaType)
    .send(JSON.stringify(body));
}

function sendDeployProblem(given: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = deployProblem(given, request.id);
  return reply
    .code(status)
    .headers(given.headers ?? {})
    .header("X-Request-Id", request.id)
    .header("Cache-Control", "no-store")
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(body));
}

export function familyOf(url: string): ErrorFamily {
  if (isDeployPath(url)) return "deploy";
  const rest = url.startsWith(mountPrefixes.awe) ? url.charAt(mountPrefixes.awe.length) : null;
  return rest === "" || rest === "/" || rest === "?" ? "awe" : "problem";
}

/** What Fastify itself refuses, by its own codes. */
const frameworkProblems: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: problem("too_large", "The body is larger than 1 MiB"),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: problem("unsupported_type", "The body must be JSON: Content-Type application/json"),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: faulty([
    { type: "value_error", loc: ["header", "Content-Length"], msg: "differs from the length of the body" },
  ]),
  FST_ERR_BAD_URL: problem("path_invalid", "The path holds an escape that is not UTF-8"),
  FST_ERR_MAX_PARAM_LENGTH: problem("route_not_found", "The address is too long"),
};

const NO_CURSOR = "is not a cursor of this list";

export function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof Unavailable) {
    request.log.warn({ err: error, trace: request.id }, "unavailable");
    return problemOfUnavailable(error);
  }
  if (error instanceof InvalidCursor)
    return faulty([{ type: "value_error", loc: ["query", "cursor"], msg: NO_CURSOR }]);
  const known = frameworkProblems[textMember(error, "code")];
  if (known !== undefined) return known;
  const status = numberMember(error, "statusCode");
  if (status !== null && status >= 400 && status < 500) return problem("invalid_input", "The call cannot be read");
  request.log.error({ err: error, trace: request.id }, "a call failed (this is a bug)");
  return BUG;
}

function textMember(error: unknown, name: string): string {
  const value = member(error, name);
  return typeof value === "string" ? value : "";
}

function numberMember(error: unknown, name: string): number | null {
  const value = member(error, name);
  return typeof value === "number" ? value : null;
}

function member(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}
