/**
 * May this call have a query string, and what does the rack get of it? Its values count as form values there, so only reads
 * have one, in our own encoding. Implements docs/spec/deploy.md R-ROUTE-3.
 */
import { queryNotAllowed } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { RackRoute } from "./rack-routes.ts";
import { encodeForm, parseForm } from "./url-encoded-form.ts";

/** `rawQuery` is what stands after the `?`; the result is what to send after one, or "" for none. */
export function rackQuery(route: RackRoute, rawQuery: string): string | DeployRefusal {
  if (rawQuery === "") return "";
  if (route.method !== "GET" || route.gated === "process_exec") return queryNotAllowed();
  const pairs = parseForm(rawQuery);
  return pairs === null ? queryNotAllowed() : encodeForm(pairs);
}

export function isQuery(value: string | DeployRefusal): value is string {
  return typeof value === "string";
}
