/** The ledger for whoever verifies it without trusting this server (docs/spec/api.md section 6.8). */
import { Readable } from "node:stream";
import { z } from "zod";
import { ledgerExportQuerySchema } from "../../contract/ledger-export.ts";
import type { PageEndpoint } from "../endpoint.ts";
import { permits } from "../../core/permission.ts";
import type { Authorized } from "../authorized.ts";
import { readInput } from "../input.ts";
import { tooManyExports } from "../outbound-tests.ts";
import { problem, type Problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";

const tag = "ledger";
const NOT_GIVEN: Problem = problem("route_not_found", "This server does not give its ledger away");
const NO_CHECKPOINT: Problem = problem("route_not_found", "There is no checkpoint yet: try again in a minute");

const OF_SEVERAL = problem(
  "permission_denied",
  "This ledger holds the entries of several organizations: only the platform's administrators may have the whole of it",
);

/** Entries of other organizations are nobody's to see, and a part of the chain proves nothing without the rest (R-ORG-2). */
async function mayReadAll({ app, permissions }: Authorized): Promise<boolean> {
  if (permits(permissions, "platform:ledger:export")) return true;
  return (await app.reader.organizations()).length <= 1;
}

export function ledgerRoutes({ ledgerExport, ledger }: ServerOptions): readonly PageEndpoint[] {
  return [
    {
      method: "GET",
      url: "/ledger/export",
      described: {
        summary: "Every entry as a line of JSON, and at the end how many there were",
        tag,
        query: ledgerExportQuerySchema,
        type: "application/x-ndjson",
      },
      async open({ query, caller }, reply) {
        const asked = readInput(ledgerExportQuerySchema, query, "query");
        if (!asked.ok) return asked.problem;
        if (!(await mayReadAll(caller))) return OF_SEVERAL;
        if (ledgerExport === undefined) return NOT_GIVEN;
        const tooMany = await tooManyExports(caller, ledger);
        if (tooMany !== null) return tooMany;
        await reply.type("application/x-ndjson; charset=utf-8").send(Readable.from(ledgerExport.lines()));
        return undefined;
      },
    },
    {
      method: "GET",
      url: "/ledger/checkpoint",
      described: { summary: "The newest signed checkpoint", tag, query: z.object({}), type: "text/plain" },
      async open(_exchange, reply) {
        if (ledgerExport === undefined) return NOT_GIVEN;
        const note = await ledgerExport.newestCheckpoint();
        if (note === null) return NO_CHECKPOINT;
        await reply.type("text/plain; charset=utf-8").send(note);
        return undefined;
      },
    },
  ];
}
