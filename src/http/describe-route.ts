/** What the API description says about a route: made from the schemas that the route reads with. */
import type { FastifySchema } from "fastify";
import { z } from "zod";
import { aweErrorSchema, deployErrorSchema, problemSchema } from "../contract/error-bodies.ts";
import { isOpenRow } from "./authorized.ts";
import type { Row } from "./authorization.ts";
import { isPage, type Endpoint, type PageEndpoint } from "./endpoint.ts";
import type { ErrorFamily } from "./problem.ts";

const idempotencyHeaders = z.object({
  "idempotency-key": z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "The same key with the same body acts once" }),
});

const errorAnswers = {
  awe: { description: "Refused", content: { "application/json": { schema: aweErrorSchema } } },
  problem: { description: "Refused", content: { "application/problem+json": { schema: problemSchema } } },
  deploy: { description: "Refused", content: { "application/json": { schema: deployErrorSchema } } },
} as const;

export function describeRoute(given: Endpoint | PageEndpoint, family: ErrorFamily, row: Row): FastifySchema {
  if (isPage(given)) return describePage(given, family, row);
  const { summary, tag, query, body, answers, method } = given;
  return {
    summary,
    tags: [tag],
    security: securityOf(row),
    ...(query === null ? {} : { querystring: query }),
    ...(body === null ? {} : { body }),
    ...(method === "POST" && !isOpenRow(row) ? { headers: idempotencyHeaders } : {}),
    response: { ...answers, default: errorAnswers[family] },
  };
}

function describePage({ described }: PageEndpoint, family: ErrorFamily, row: Row): FastifySchema {
  if (described === null) return { hide: true };
  const { summary, tag, query, type } = described;
  return {
    summary,
    tags: [tag],
    security: securityOf(row),
    querystring: query,
    response: {
      200: { description: summary, content: { [type]: { schema: z.string() } } },
      default: errorAnswers[family],
    },
  };
}

function securityOf(row: Row): Record<string, string[]>[] {
  return isOpenRow(row) ? [] : [{ bearer: [] }, { session: [] }];
}
