/** Changes of apps and of the rack itself (docs/spec/deploy.md R-CLI-9, R-RACK-5). */
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { step } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { rackCall, rackPath } from "./rack-wire.ts";

type Values = Readonly<Record<string, string>>;

export interface SystemFlags extends GatewayFlags {
  readonly count?: string;
  readonly type?: string;
}

interface AppAct {
  readonly doing: string;
  readonly call: (gateway: Gateway, app: string) => Promise<unknown>;
}

/** What `apps create`, `delete`, `lock`, `unlock` and `cancel` do; the first two need an app that is named. */
export const APP_ACTS: Readonly<Record<"create" | "delete" | "lock" | "unlock" | "cancel", AppAct>> = {
  create: {
    doing: "Creating",
    call: (gateway, name) => rackCall(gateway, "POST", "/apps", { form: { name } }),
  },
  delete: {
    doing: "Deleting",
    call: (gateway, app) => rackCall(gateway, "DELETE", rackPath`/apps/${app}`, { asking: { first: true } }),
  },
  lock: {
    doing: "Locking",
    call: (gateway, app) => rackCall(gateway, "PUT", rackPath`/apps/${app}`, { form: { lock: "true" } }),
  },
  unlock: {
    doing: "Unlocking",
    call: (gateway, app) => rackCall(gateway, "PUT", rackPath`/apps/${app}`, { form: { lock: "false" } }),
  },
  cancel: {
    doing: "Cancelling deployment of",
    call: (gateway, app) => rackCall(gateway, "POST", rackPath`/apps/${app}/cancel`, { form: {} }),
  },
};

/** The exit status, here as below. */
export async function changeApp({ doing, call }: AppAct, app: string, flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  await step(flags, `${doing} ${app}`, () => call(gateway, app));
  return EXIT.done;
}

export async function setAppParameters(pairs: readonly string[], flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const form = { parameters: encoded(valuesIn(pairs)) };
  await step(flags, "Updating parameters", () =>
    rackCall(gateway, "PUT", rackPath`/apps/${chosenApp(flags.app)}`, { form }),
  );
  return EXIT.done;
}

export async function setRackParameters(pairs: readonly string[], flags: GatewayFlags): Promise<number> {
  return updateSystem(openGateway(flags), "Updating parameters", { parameters: valuesIn(pairs) }, flags);
}

export async function scaleRack(flags: SystemFlags): Promise<number> {
  const { count, type } = flags;
  if (count === undefined && type === undefined) throw new CliFault("say --count, --type, or both");
  return updateSystem(openGateway(flags), "Scaling rack", { count, type }, flags);
}

export async function updateRack(version: string, flags: GatewayFlags): Promise<number> {
  return updateSystem(openGateway(flags), `Updating rack to ${version}`, { version }, flags);
}

interface SystemChange {
  readonly count?: string | undefined;
  readonly type?: string | undefined;
  readonly version?: string;
  readonly parameters?: Values;
}

export async function updateSystem(
  gateway: Gateway,
  doing: string,
  { parameters, ...change }: SystemChange,
  flags: GatewayFlags,
): Promise<number> {
  const given = Object.entries(change).filter((member): member is [string, string] => member[1] !== undefined);
  const form: Values = {
    ...Object.fromEntries(given),
    ...(parameters === undefined ? {} : { parameters: encoded(parameters) }),
  };
  await step(flags, doing, () => rackCall(gateway, "PUT", "/system", { form }));
  return EXIT.done;
}

/** Racks read maps of a form as a form of their own. */
function encoded(values: Values): string {
  return new URLSearchParams(values).toString();
}

function valuesIn(pairs: readonly string[]): Values {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new CliFault(`NAME=VALUE expected: ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
