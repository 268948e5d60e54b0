/** Addresses and methods that do not exist: 404, or 405 with what does (AWE-021). */
import type { FastifyInstance } from "fastify";
import { addressesOf, type Row } from "./authorization.ts";
import { problem } from "./problem.ts";
import { sendProblem } from "./send-problem.ts";
import type { ServerOptions } from "./server-options.ts";

export function answerUnknownRoutes(server: FastifyInstance, table: readonly Row[], options: ServerOptions): void {
  const addresses = table.flatMap((row) =>
    addressesOf(row).map((address) => ({ method: row.method, pattern: patternOf(address) })),
  );
  server.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?", 1);
    const methods = new Set(addresses.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (methods.size === 0 || [...methods].some((method) => method === request.method)) {
      return sendProblem(problem("route_not_found", "There is nothing at this address"), request, reply, options);
    }
    const allowed = [...methods].sort().join(", ");
    const message = `${request.method} is not possible here; possible: ${allowed}`;
    return sendProblem(
      problem("method_not_allowed", message, { headers: { Allow: allowed } }),
      request,
      reply,
      options,
    );
  });
}

/** Parameters stand for one part of the path, the star for all that follows. */
function patternOf(address: string): RegExp {
  const source = address
    .split("/")
    .map((part) => (part === "*" ? ".*" : part.startsWith(":") ? "[^/]+" : part.replaceAll(".", "\\.")))
    .join("/");
  return new RegExp(`^${source}$`);
}
