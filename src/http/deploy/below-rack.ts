/** Below the name of a rack that is not there nothing answers, whatever the route is about (docs/spec/deploy.md R-RACK-2). */
import { isPage, type Endpoint, type PageEndpoint, type RawExchange } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";

export function belowRack(route: Endpoint | PageEndpoint): Endpoint | PageEndpoint {
  if (isPage(route)) {
    return { ...route, open: async (raw, reply) => rackFault(raw) ?? (await route.open(raw, reply)) };
  }
  return { ...route, answer: async (raw) => rackFault(raw) ?? (await route.answer(raw)) };
}

function rackFault({ caller, params }: RawExchange): Problem | null {
  const name = params["rack"];
  if (name === undefined || caller.app.deploy.racks.find(name) !== undefined) return null;
  return problem("not_found", "rack not found");
}
