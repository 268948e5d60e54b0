/** Instants on the wire: UTC with six digits, as AWE writes them. Implements docs/spec/api.md R-API-3. */
import { z } from "zod";

export const wireTimeSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  .meta({ format: "date-time", examples: ["2026-11-20T08:54:40.257123Z"] });

/** `milliseconds` since 1970-01-01T00:00:00Z. */
export function wireTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000Z");
}

export function wireTimeOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : wireTime(milliseconds);
}

/** RFC 3339 with an offset; the years that a database and ISO text can both hold. */
export const instantInput = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-11-20T08:54:40Z" })
  .transform((text, context): number => {
    const at = Date.parse(text);
    if (Number.isNaN(at) || at < Date.UTC(1970, 0, 1) || at >= Date.UTC(10_000, 0, 1)) {
      context.issues.push({ code: "custom", input: text, message: "must lie between the years 1970 and 9999" });
      return z.NEVER;
    }
    return at;
  });
