/** Commands that show what a rack knows: apps, builds, releases, processes, the rack itself (docs/spec/deploy.md R-CLI-9). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { numberIn } from "../../client/deploy-client.ts";
import { table } from "../table.ts";
import { chosenApp } from "./chosen-app.ts";
import { EXIT } from "./cli-outcome.ts";
import { plain, printJson, step, wantsJson } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { streamFromRack } from "./rack-socket.ts";
import { rackCall, rackList, rackPath } from "./rack-wire.ts";

/** A column: its head, and the member it shows. */
export type Columns = readonly (readonly [string, string])[];

/** The exit status, here as below. */
export async function showList(path: string, columns: Columns, flags: GatewayFlags): Promise<number> {
  const items = await rackList(openGateway(flags), path);
  if (wantsJson(flags)) printJson(items);
  else {
    const rows = items.map((item) => columns.map(([, member]) => shown(memberOf(item, member))));
    console.log(
      table(
        columns.map(([head]) => head),
        rows,
      ),
    );
  }
  return EXIT.done;
}

export async function showOne(path: string, columns: Columns, flags: GatewayFlags): Promise<number> {
  const item = await rackCall(openGateway(flags), "GET", path);
  if (wantsJson(flags)) printJson(item);
  else
    console.log(
      columns.map(([head, member]) => `${head.padEnd(12)} ${shown(memberOf(item, member))}`.trimEnd()).join("\n"),
    );
  return EXIT.done;
}

function shown(value: unknown): string {
  if (typeof value === "string") return plain(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

export const APPS: Columns = [
  ["APP", "name"],
  ["STATUS", "status"],
  ["RELEASE", "release"],
];
export const APP: Columns = [
  ...([
    ["Name", "name"],
    ["Status", "status"],
    ["Generation", "generation"],
  ] as const),
  ...([
    ["Locked", "locked"],
    ["Release", "release"],
    ["Router", "router"],
  ] as const),
];
export const BUILDS: Columns = [
  ...([
    ["ID", "id"],
    ["STATUS", "status"],
    ["RELEASE", "release"],
  ] as const),
  ...([
    ["STARTED", "started"],
    ["ENDED", "ended"],
    ["DESCRIPTION", "description"],
  ] as const),
];
export const BUILD: Columns = [
  ...([
    ["Id", "id"],
    ["Status", "status"],
    ["Release", "release"],
    ["Git-Sha", "git-sha"],
  ] as const),
  ...([
    ["Description", "description"],
    ["Started", "started"],
    ["Ended", "ended"],
    ["Reason", "reason"],
  ] as const),
];
export const RELEASES: Columns = [
  ...([
    ["ID", "id"],
    ["BUILD", "build"],
    ["CREATED", "created"],
    ["DESCRIPTION", "description"],
  ] as const),
];
export const RELEASE: Columns = [
  ...([
    ["Id", "id"],
    ["Build", "build"],
    ["Created", "created"],
    ["Description", "description"],
    ["Env", "env"],
  ] as const),
];
export const PROCESSES: Columns = [
  ...([
    ["ID", "id"],
    ["SERVICE", "name"],
    ["STATUS", "status"],
    ["RELEASE", "release"],
  ] as const),
  ...([
    ["STARTED", "started"],
    ["COMMAND", "command"],
  ] as const),
];
export const PROCESS: Columns = [
  ...([
    ["Id", "id"],
    ["App", "app"],
    ["Service", "name"],
    ["Command", "command"],
    ["Instance", "instance"],
  ] as const),
  ...([
    ["Release", "release"],
    ["Started", "started"],
    ["Status", "status"],
  ] as const),
];
const SYSTEM: Columns = [
  ...([
    ["Name", "name"],
    ["Provider", "provider"],
    ["Region", "region"],
    ["Router", "rack-domain"],
  ] as const),
  ...([
    ["Status", "status"],
    ["Version", "version"],
  ] as const),
];
const SYSTEM_PROCESSES: Columns = [
  ...([
    ["ID", "id"],
    ["APP", "app"],
    ["SERVICE", "name"],
    ["STATUS", "status"],
    ["RELEASE", "release"],
  ] as const),
];
const SYSTEM_RELEASES: Columns = [
  ["VERSION", "id"],
  ["CREATED", "created"],
];

export async function stopProcesses(pids: readonly string[], flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const app = chosenApp(flags.app);
  for (const pid of pids) {
    await step(flags, `Stopping ${pid}`, () => rackCall(gateway, "DELETE", rackPath`/apps/${app}/processes/${pid}`));
  }
  return EXIT.done;
}

/** Services that were named, else the whole app. */
export async function restart(services: readonly string[], flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const app = chosenApp(flags.app);
  if (services.length === 0) {
    await step(flags, `Restarting ${app}`, () =>
      rackCall(gateway, "POST", rackPath`/apps/${app}/restart`, { form: {} }),
    );
  }
  for (const service of services) {
    const path = rackPath`/apps/${app}/services/${service}/restart`;
    await step(flags, `Restarting ${service}`, () => rackCall(gateway, "POST", path, { form: {} }));
  }
  return EXIT.done;
}

export interface ScaleFlags extends GatewayFlags {
  readonly count?: string;
  readonly cpu?: string;
  readonly memory?: string;
}

export async function scale(service: string | undefined, flags: ScaleFlags): Promise<number> {
  const app = chosenApp(flags.app);
  const { count, cpu, memory } = flags;
  const form = Object.fromEntries(
    Object.entries({ count, cpu, memory }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const gateway = openGateway(flags);
  if (service !== undefined && Object.keys(form).length > 0) {
    const path = rackPath`/apps/${app}/services/${service}`;
    await step(flags, `Scaling ${service}`, () => rackCall(gateway, "PUT", path, { form }));
    return EXIT.done;
  }
  return showScale(gateway, app, flags);
}

async function showScale(gateway: Gateway, app: string, flags: GatewayFlags): Promise<number> {
  const services = await rackList(gateway, rackPath`/apps/${app}/services`);
  if (wantsJson(flags)) {
    printJson(services);
    return EXIT.done;
  }
  const processes = await rackList(gateway, rackPath`/apps/${app}/processes`);
  const rows = services.map((service) => {
    const name = textIn(service, "name") ?? "";
    const running = processes.filter(
      (one) => textIn(one, "name") === name && textIn(one, "status") === "running",
    ).length;
    const [desired, cpu, memory] = ["count", "cpu", "memory"].map((member) => String(numberIn(service, member) ?? ""));
    return [name, desired ?? "", String(running), cpu ?? "", memory ?? ""];
  });
  console.log(table(["SERVICE", "DESIRED", "RUNNING", "CPU", "MEMORY"], rows));
  return EXIT.done;
}

export interface LogFlags extends GatewayFlags {
  readonly filter?: string;
  readonly since?: string;
  readonly tail?: string;
  readonly service?: string;
  /** False with `--no-follow`. */
  readonly follow?: boolean;
}

/** Until the log ends, or the person ends it. */
export async function streamLogs(path: string, flags: LogFlags): Promise<number> {
  process.once("SIGINT", () => process.exit(EXIT.interrupted));
  const { filter, since, tail, follow } = flags;
  await streamFromRack(openGateway(flags), {
    path,
    headers: {
      ...(filter === undefined ? {} : { Filter: filter }),
      ...(since === undefined ? {} : { Since: since }),
      ...(tail === undefined ? {} : { Tail: tail }),
      ...(follow === false ? { Follow: "false" } : {}),
    },
    onOutput: (bytes) => process.stdout.write(bytes),
  });
  return EXIT.done;
}

/** Of the rack, or of an app. */
export async function showParameters(path: string, flags: GatewayFlags): Promise<number> {
  const parameters = memberOf(await rackCall(openGateway(flags), "GET", path), "parameters");
  if (wantsJson(flags)) printJson(parameters);
  else {
    const pairs = typeof parameters === "object" && parameters !== null ? Object.entries(parameters) : [];
    console.log(table(["PARAMETER", "VALUE"], pairs.map(([name, value]) => [name, shown(value)]).sort()));
  }
  return EXIT.done;
}

export function showSystem(flags: GatewayFlags): Promise<number> {
  return showOne("/system", SYSTEM, flags);
}

export function listSystemProcesses(flags: GatewayFlags): Promise<number> {
  return showList("/system/processes", SYSTEM_PROCESSES, flags);
}

export function listSystemReleases(flags: GatewayFlags): Promise<number> {
  return showList("/system/releases", SYSTEM_RELEASES, flags);
}
