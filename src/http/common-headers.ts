/** What every answer carries, and the first questions every call must pass: is it meant for this server, and has its path one reading? */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { problem } from "./problem.ts";
import { pathFault } from "./raw-path.ts";
import { Refused } from "./refused.ts";
import type { ServerOptions } from "./server-options.ts";

const WRONG_HOST = problem("host_not_allowed", "This server does not answer under that name");

/** Scripts of ours may ask for passkeys; nothing that is embedded may, and nothing is (docs/spec/identity.md R-SESS-8). */
const PERMISSIONS = "publickey-credentials-get=(self), publickey-credentials-create=(self)";

export function setCommonHeaders(server: FastifyInstance, options: ServerOptions): void {
  const ownHost = new URL(options.browser.origin).host;
  server.addHook("onRequest", async (request, reply) => {
    reply.header("X-Request-Id", request.id);
    reply.header("Cache-Control", "no-store");
    reply.header("Permissions-Policy", PERMISSIONS);
    if (options.development) reply.header("X-Countersign-Mode", "development");
    // Another site's name that leads here would let its pages read what is meant for ours.
    if (!isOwnHost(request, ownHost, options.development)) throw new Refused(WRONG_HOST);
    const fault = pathFault(request.url);
    if (fault !== null) throw new Refused(problem("path_invalid", fault));
    await Promise.resolve();
  });
}

/** The public name; and this machine's own names, by which probes and people at its terminal call. */
function isOwnHost({ headers }: FastifyRequest, ownHost: string, development: boolean): boolean {
  const host = (headers.host ?? "").toLowerCase();
  if (host === ownHost && !development) return true;
  const name = host.replace(/:\d+$/, "");
  if (development && name === ownHost.replace(/:\d+$/, "")) return true;
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
