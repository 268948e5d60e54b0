/** Certificates, registries, instances and resources of a rack: what they are, and how they change (docs/spec/deploy.md R-CLI-9). */
import { readFileSync } from "node:fs";
import { memberOf, textIn } from "../../client/api-client.ts";
import { itemsIn, numberIn } from "../../client/deploy-client.ts";
import { table } from "../table.ts";
import { askPerson, canAsk } from "./ask-person.ts";
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { plain, printJson, step, wantsJson } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { updateSystem } from "./rack-changes.ts";
import type { Columns } from "./rack-readers.ts";
import { neededText, rackCall, rackList, rackPath } from "./rack-wire.ts";

export const CERTIFICATES: Columns = [
  ["ID", "id"],
  ["DOMAIN", "domain"],
  ["EXPIRES", "expiration"],
  ["STATUS", "status"],
];
export const REGISTRIES: Columns = [
  ["SERVER", "server"],
  ["USERNAME", "username"],
];
export const INSTANCES: Columns = [
  ...([
    ["ID", "id"],
    ["STATUS", "status"],
    ["STARTED", "started"],
    ["PS", "processes"],
  ] as const),
  ...([
    ["CPU", "cpu"],
    ["MEM", "memory"],
    ["PUBLIC", "public-ip"],
    ["PRIVATE", "private-ip"],
  ] as const),
];
export const RESOURCES: Columns = [
  ["NAME", "name"],
  ["TYPE", "type"],
  ["URL", "url"],
];
export const RESOURCE: Columns = [
  ["Name", "name"],
  ["Type", "type"],
  ["Status", "status"],
  ["URL", "url"],
];

export interface CertificateFlags extends GatewayFlags {
  readonly chain?: string;
  readonly id?: true;
}

/** The exit status, here as below. */
export async function generateCertificate(domains: readonly string[], flags: CertificateFlags): Promise<number> {
  const form = { domains: domains.join(",") };
  return made(flags, "Generating certificate", (gateway) =>
    rackCall(gateway, "POST", "/certificates/generate", { form }),
  );
}

export async function importCertificate(pub: string, key: string, flags: CertificateFlags): Promise<number> {
  const form = {
    ...{ pub: textOf(pub), key: textOf(key) },
    ...(flags.chain === undefined ? {} : { chain: textOf(flags.chain) }),
  };
  return made(flags, "Importing certificate", (gateway) => rackCall(gateway, "POST", "/certificates", { form }));
}

async function made(
  flags: CertificateFlags,
  text: string,
  work: (gateway: Gateway) => Promise<unknown>,
): Promise<number> {
  const gateway = openGateway(flags);
  const certificate = await step(flags, text, () => work(gateway));
  if (wantsJson(flags)) printJson(certificate);
  else console.log(neededText(certificate, "id"));
  return EXIT.done;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new CliFault(`${file} cannot be read`);
  }
}

export async function deleteCertificate(id: string, flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  await step(flags, `Deleting certificate ${id}`, () => rackCall(gateway, "DELETE", rackPath`/certificates/${id}`));
  return EXIT.done;
}

/** Which certificate serves which port. */
export async function listServed(flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const services = await rackList(gateway, rackPath`/apps/${chosenApp(flags.app)}/services`);
  const certificates = await rackList(gateway, "/certificates");
  const served = services.flatMap((service) =>
    itemsIn(memberOf(service, "ports"), "").flatMap((port) => {
      const id = textIn(port, "certificate") ?? "";
      if (id === "") return [];
      const certificate = certificates.find((one) => textIn(one, "id") === id);
      const endpoint = `${textIn(service, "name") ?? ""}:${String(numberIn(port, "balancer") ?? "")}`;
      const [domain, expires] = ["domain", "expiration"].map((name) => textIn(certificate, name) ?? "");
      return [{ endpoint, certificate: id, domain: domain ?? "", expires: expires ?? "" }];
    }),
  );
  if (wantsJson(flags)) printJson(served);
  else console.log(table(["ENDPOINT", "CERTIFICATE", "DOMAIN", "EXPIRES"], served.map(Object.values)));
  return EXIT.done;
}

/** What is not given is asked for: a password on the command line is there for everybody on the machine to read. */
export async function addRegistry(
  server: string,
  given: readonly (string | undefined)[],
  flags: GatewayFlags,
): Promise<number> {
  const gateway = openGateway(flags);
  const [username, password] = [
    given[0] ?? (await asked("Username: ", "the registry's user name")),
    given[1] ?? (await asked("Password: ", "the registry's password")),
  ];
  const form = { server, username, password };
  await step(flags, "Adding registry", () => rackCall(gateway, "POST", "/registries", { form }));
  return EXIT.done;
}

async function asked(question: string, what: string): Promise<string> {
  const answer = canAsk() ? await askPerson(question) : "";
  if (answer === "") throw new CliFault(`${what} is missing`);
  return answer;
}

export async function removeRegistry(server: string, flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  await step(flags, "Removing registry", () => rackCall(gateway, "DELETE", rackPath`/registries/${server}`));
  return EXIT.done;
}

export async function terminateInstance(id: string, flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const asking = { first: true };
  await step(flags, "Terminating instance", () => rackCall(gateway, "DELETE", rackPath`/instances/${id}`, { asking }));
  return EXIT.done;
}

/** Racks that answer with a key leave it to the caller to have it used, and to keep it. */
export async function rollInstanceKey(flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const key = await step(flags, "Rolling instance key", () =>
    rackCall(gateway, "POST", "/instances/keyroll", { form: {}, asking: { first: true } }),
  );
  const name = textIn(key, "name") ?? "";
  if (name === "") return EXIT.done;
  // Before anything else may go wrong: nobody can ask for it again.
  if (wantsJson(flags)) printJson(key);
  else console.log(plain(textIn(key, "private-key") ?? ""));
  await updateSystem(gateway, "Updating parameters", { parameters: { key_pair_name: name } }, flags);
  return EXIT.done;
}

export async function showResourceUrl(name: string, flags: GatewayFlags): Promise<number> {
  const resource = await rackCall(openGateway(flags), "GET", rackPath`/apps/${chosenApp(flags.app)}/resources/${name}`);
  const url = textIn(resource, "url") ?? "";
  if (url === "") throw new CliFault(`no url for resource: ${name}`);
  console.log(plain(url));
  return EXIT.done;
}
