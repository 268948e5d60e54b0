/** The rack behind the gateway, as racks are spoken to: forms in, JSON out (docs/spec/deploy.md R-RACKSIM-1). */
import { textIn } from "../../client/api-client.ts";
import type { DeployCall, DeployMethod } from "../../client/deploy-client.ts";
import { CliFault } from "./cli-outcome.ts";
import type { Asking, Gateway } from "./open-gateway.ts";

/** A path from its literals and its parameters, which cannot leave their place. */
export function rackPath(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((path, part, at) => `${path}${encodeURIComponent(values[at - 1] ?? "")}${part}`);
}

export function rackCall(
  gateway: Gateway,
  method: DeployMethod,
  path: string,
  { asking = {}, ...parts }: Omit<DeployCall, "method" | "path"> & { readonly asking?: Asking } = {},
): Promise<unknown> {
  return gateway.call({ method, path: `/rack-proxy${path}`, ...parts }, asking);
}

export async function rackList(gateway: Gateway, path: string): Promise<readonly unknown[]> {
  const answer = await rackCall(gateway, "GET", path);
  if (!Array.isArray(answer)) throw new CliFault("the rack answered something else than a list");
  return answer.map((item: unknown) => item);
}

/** A member that the command cannot go on without. */
export function neededText(value: unknown, name: string): string {
  const text = textIn(value, name);
  if (text === null || text === "") throw new CliFault(`the rack answered without ${name}`);
  return text;
}
