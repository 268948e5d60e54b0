/** `countersign machine`: what is not a person, and who answers for it (docs/spec/identity.md R-ID-8). */
import { memberOf, textIn, type ApiClient } from "../client/api-client.ts";
import { exitStatusOf, signedInClient, type ApiFlags } from "./signed-in-client.ts";
import { personNamed } from "./person-named.ts";
import { table, textsIn } from "./table.ts";

export interface MachineFlags extends ApiFlags {
  readonly json?: true;
}

export interface MachineListFlags extends MachineFlags {
  readonly retired?: true;
}

export interface MachineAddFlags extends MachineFlags {
  readonly kind: string;
  readonly owner?: readonly string[];
  readonly contact?: string;
  readonly actsFor?: string;
}

export interface MachineChangeFlags extends MachineFlags {
  readonly name?: string;
  readonly owner?: readonly string[];
  readonly contact?: string;
  readonly actsFor?: string;
}

/** Each answers the exit status. */
export function listMachines(flags: MachineListFlags): Promise<number> {
  return exitStatusOf(async () => {
    const retired = String(flags.retired === true);
    const machines = await signedInClient(flags).list(`/machines?retired=${retired}&limit=500`);
    if (flags.json === true) console.log(JSON.stringify(machines, null, 2));
    else console.log(table(["id", "kind", "name", "people", "tokens"], machines.map(machineRow)));
  });
}

export function addMachine(name: string, flags: MachineAddFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const owners = await Promise.all((flags.owner ?? []).map((owner) => personNamed(client, owner)));
    const body = { kind: flags.kind, name, owners, ...(await others(client, flags)) };
    tell(flags, await client.call({ method: "POST", path: "/machines", body }));
  });
}

export function changeMachine(machine: string, flags: MachineChangeFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const { name, owner } = flags;
    const owners = owner === undefined ? null : await Promise.all(owner.map((each) => personNamed(client, each)));
    const body = {
      ...(name === undefined ? {} : { name }),
      ...(owners === null ? {} : { owners }),
      ...(await others(client, flags)),
    };
    const path = `/machines/${await machineNamed(client, machine)}`;
    tell(flags, await client.call({ method: "PATCH", path, body }));
  });
}

export function retireMachine(machine: string, flags: MachineFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    await client.call({ method: "DELETE", path: `/machines/${await machineNamed(client, machine)}` });
    if (flags.json !== true) console.log(`${machine} is retired; its tokens ended with it.`);
  });
}

/** The id of the machine that is called so, or has this id. */
export async function machineNamed(client: ApiClient, nameOrId: string): Promise<string> {
  const query = new URLSearchParams({ q: nameOrId, retired: "false", limit: "500" });
  const machines = /^[0-9a-f-]{36}$/i.test(nameOrId) ? [] : await client.list(`/machines?${query.toString()}`);
  const found = machines.find((machine) => textIn(machine, "name")?.toLowerCase() === nameOrId.toLowerCase());
  return encodeURIComponent(textIn(found, "id") ?? nameOrId);
}

async function others(
  client: ApiClient,
  { contact, actsFor }: { readonly contact?: string; readonly actsFor?: string },
): Promise<object> {
  return {
    ...(contact === undefined ? {} : { contact_id: await personNamed(client, contact) }),
    ...(actsFor === undefined ? {} : { acts_for_id: await personNamed(client, actsFor) }),
  };
}

function tell({ json }: MachineFlags, machine: unknown): void {
  if (json === true) console.log(JSON.stringify(machine, null, 2));
  else console.log(`${textIn(machine, "name") ?? ""}  ${textIn(machine, "id") ?? ""}`);
}

function machineRow(machine: unknown): readonly string[] {
  const people = memberOf(machine, "people");
  const names = (Array.isArray(people) ? people : []).map((person: unknown) => textIn(person, "assignee") ?? "");
  const tokens = memberOf(machine, "live_tokens");
  const inactive = memberOf(machine, "owner_active") === false ? " (no active owner)" : "";
  return [
    ...textsIn(machine, ["id", "kind", "name"]),
    `${names.join(", ")}${inactive}`,
    typeof tokens === "number" ? String(tokens) : "",
  ];
}
