/**
 * Values in a query are text; these schemas read them strictly: a number is the whole text, nothing is guessed (R-API-8).
 */
import { z } from "zod";
import { textFault } from "./policy-json.ts";
import { text } from "./policy-fields.ts";

/** Text of a query: bounded, and well-formed without U+0000 (R-API-9). */
export function queryText(max: number): z.ZodType<string, string> {
  return text(0, max).superRefine((value, context) => {
    const fault = textFault(value);
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  });
}

export function queryNumber(min: number, max: number): z.ZodType<number, string> {
  const message = `must be a whole number between ${min} and ${max}`;
  return z
    .string()
    .regex(/^-?(0|[1-9][0-9]{0,15})$/, { error: message, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: message })
    .meta({ type: "integer", minimum: min, maximum: max });
}

export const queryFlag = z
  .enum(["true", "false"], { error: "must be true or false" })
  .transform((word) => word === "true")
  .meta({ type: "boolean" });

export const cursorText = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,1024}$/, { error: "is not a cursor of this server" })
  .meta({ description: "From the Link header of the page before" });
