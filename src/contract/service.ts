/** What the service says about itself: AWE's envelope, and the two probes. Implements docs/spec/api.md section 6.1. */
import { z } from "zod";

/** R-API-2: only these answers and errors wear the envelope. */
function envelope(response: z.ZodType): z.ZodType {
  return z.object({
    id: z.string(),
    version: z.string(),
    responsetime: z.string(),
    response,
    errors: z.array(z.object({ errorCode: z.string(), message: z.string() })),
  });
}

export const healthSchema = envelope(z.object({ status: z.literal("UP") }));

export const versionSchema = envelope(
  z.object({
    service_version: z.string(),
    build_time: z.string().nullable(),
    git_commit: z.string().nullable(),
  }),
);

export const configSchema = envelope(
  z.object({
    service_id: z.string(),
    api_version: z.string(),
    module: z.string(),
    webhook: z.object({ max_attempts: z.int(), backoff_seconds: z.array(z.int()), timeout_seconds: z.number() }),
    sla: z.object({ check_interval_seconds: z.number() }),
  }),
);

export const aliveSchema = z.object({ status: z.literal("UP") });
export const readySchema = z.object({
  status: z.literal("READY"),
  quarantined: z.boolean(),
  checks: z
    .object({ secrets: z.enum(["ok", "unreadable"]) })
    .describe("What to look after; the server answers, and what needs an unreadable secret is refused"),
});
