/** One approval for whoever checks it without trusting this server (docs/spec/evidence.md section 5). */
import { z } from "zod";
import { evidenceFile } from "../../app/evidence-parts.ts";
import { requestNotFound } from "../answers.ts";
import type { PageEndpoint } from "../endpoint.ts";
import { tooManyExports } from "../outbound-tests.ts";
import { pathText, requestIdIn } from "../path-values.ts";
import { problem, problemOfRefusal } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";

const MEDIA_TYPE = "application/vnd.countersign.bundle+json";

export function evidenceRoutes({ evidence, ledger }: ServerOptions): readonly PageEndpoint[] {
  return [
    {
      method: "GET",
      url: "/requests/:id/bundle",
      described: {
        summary: "The evidence of a request as one file, for `countersign verify`",
        tag: "requests",
        query: z.object({}),
        type: MEDIA_TYPE,
      },
      async open({ params, caller }, reply) {
        const tooMany = await tooManyExports(caller, ledger);
        if (tooMany !== null) return tooMany;
        const id = requestIdIn(params);
        const file = id === null ? undefined : await evidenceFile(caller.app, evidence, id, caller);
        if (file === undefined) return problemOfRefusal(requestNotFound(pathText(params, "id")));
        const { requestName, text } = file;
        if (text === null) return problem("too_large", "The evidence of this request is larger than 5 MiB");
        await reply
          .type(`${MEDIA_TYPE}; charset=utf-8`)
          .header("Content-Disposition", `attachment; filename="${requestName}.bundle.json"`)
          .send(text);
        return undefined;
      },
    },
  ];
}
