/** How an error looks on the wire: AWE's merged envelope (R-API-4) and RFC 9457 problem details (R-API-5). */
import { z } from "zod";
import { jsonValue } from "./policy-fields.ts";
import { policyProblemSchema } from "./policy.ts";

/** One fault of the input in the form that AWE's clients read; `loc` starts in body, query, path or header. */
export const faultDetailSchema = z.object({
  type: z.string(),
  loc: z.array(z.union([z.string(), z.int()])),
  msg: z.string(),
  input: jsonValue.exactOptional(),
});
export type FaultDetail = z.output<typeof faultDetailSchema>;

/** Members that some codes bring along. */
const members = {
  /** With `step_up_required` and `signature_required`: what the decision needs, and what the caller can use for it. */
  step_up: z.object({ needed: z.string(), methods: z.array(z.string()) }).exactOptional(),
  /** With `view_stale`: what is no longer as it was shown. */
  changed: z.array(z.string()).exactOptional(),
};

export const aweErrorSchema = z
  .object({
    id: z.string(),
    version: z.string(),
    responsetime: z.string(),
    response: z.null(),
    errors: z.array(z.object({ errorCode: z.string(), message: z.string() })),
    errorCode: z.string(),
    message: z.string(),
    detail: z.union([z.string(), z.array(faultDetailSchema)]),
    code: z.string(),
    trace: z.string(),
    problems: z.array(policyProblemSchema).exactOptional(),
    ...members,
  })
  .meta({ description: "An error: envelope, `errorCode` and `message`, and `detail` at once" });
export type AweError = z.output<typeof aweErrorSchema>;

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
    problems: z.array(policyProblemSchema).exactOptional(),
    ...members,
    trace: z.string(),
  })
  .meta({ description: "RFC 9457 problem details" });
export type ProblemBody = z.output<typeof problemSchema>;

export const deployErrorSchema = z
  .object({
    error: z.string(),
    code: z.string(),
    message: z.string().exactOptional(),
    permission: z.string().exactOptional(),
    hint: z.string().exactOptional(),
    request_id: z.string(),
  })
  .meta({ description: "An error of the deploy gate's API" });
