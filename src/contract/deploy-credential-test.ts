/** What came of trying a provider's credential (docs/spec/deploy.md R-CI-6, R-UI-8). */
import { z } from "zod";

export const credentialTestSchema = z.object({
  ok: z.boolean(),
  /** A sentence; it never holds the credential. */
  detail: z.string(),
});
