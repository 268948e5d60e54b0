/** For whoever runs the server: is the process alive, can it work. */
import { aliveSchema, readySchema } from "../../contract/service.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import type { ServerOptions } from "../server-options.ts";

const tag = "service";

export function probeRoutes({ app, ledger, secrets }: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/healthz",
      summary: "Whether the process is alive",
      tag,
      answers: { 200: aliveSchema },
      handle: () => Promise.resolve(ok({ status: "UP" })),
    }),
    endpoint({
      method: "GET",
      url: "/readyz",
      summary: "Whether the server can answer; in quarantine it still reads",
      tag,
      answers: { 200: readySchema },
      async handle() {
        await app.reader.position();
        const checks = { secrets: (await secrets.areReadable()) ? "ok" : "unreadable" } as const;
        return ok({ status: "READY", quarantined: ledger.quarantined, checks });
      },
    }),
  ];
}
