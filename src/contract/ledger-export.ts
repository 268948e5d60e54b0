/** How the ledger is asked for. Implements docs/spec/api.md section 6.8. */
import { z } from "zod";

export const ledgerExportQuerySchema = z.object({ format: z.literal("ndjson").default("ndjson") });
