/**
 * The commands of a rack that are not about deploying: its certificates, registries, instances and resources, changes of apps and
 * of the rack, and those that the gateway never carries (docs/spec/deploy.md R-CLI-9, R-ROUTE-1).
 */
import type { Command } from "commander";
import { chosenApp } from "./chosen-app.ts";
import { CliFault } from "./cli-outcome.ts";
import { flagsOf, type GatewayFlags } from "./gateway-flags.ts";
import * as changes from "./rack-changes.ts";
import { ended, groupOf, leaf } from "./rack-command.ts";
import * as files from "./rack-files.ts";
import * as inventory from "./rack-inventory.ts";
import * as readers from "./rack-readers.ts";
import { rackPath } from "./rack-wire.ts";

export function addInventoryCommands(program: Command): void {
  addCertificates(program);
  addRegistries(program);
  const instances = addInstances(program);
  const resources = addResources(program);
  addNotCarried(program, ["cp"], "copy files from and to processes");
  addNotCarried(program, ["proxy"], "reach a port inside the rack");
  addNotCarried(instances, ["instances", "ssh"], "run a shell on an instance");
  addNotCarried(resources, ["resources", "proxy"], "reach a resource from here");
  addNotCarried(resources, ["resources", "console"], "run a console of a resource");
  addNotCarried(resources, ["resources", "import"], "write data into a resource");
}

/** The list of what is there: the group itself, and `list` in it. */
function lists(group: Command, path: (flags: GatewayFlags) => string, columns: readers.Columns): void {
  for (const command of [group, leaf(group, "list", "list them")]) {
    command.action((own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        return readers.showList(path(flags), columns, flags);
      }),
    );
  }
}

function addCertificates(program: Command): void {
  const certs = groupOf(program, "certs", "certificates of the rack");
  lists(certs, () => "/certificates", inventory.CERTIFICATES);
  leaf(certs, "generate", "have a certificate made")
    .argument("<domain...>")
    .action((domains: readonly string[], flags: inventory.CertificateFlags, called: Command) =>
      ended(() => inventory.generateCertificate(domains, flagsOf(called, flags))),
    );
  leaf(certs, "import", "bring a certificate along")
    .argument("<pub>", "file of the certificate")
    .argument("<key>", "file of its private key")
    .option("--chain <file>", "certificates between it and its root")
    .action((pub: string, key: string, flags: inventory.CertificateFlags, called: Command) =>
      ended(() => inventory.importCertificate(pub, key, flagsOf(called, flags))),
    );
  leaf(certs, "delete", "delete a certificate")
    .argument("<certificate>")
    .action((id: string, flags: GatewayFlags, called: Command) =>
      ended(() => inventory.deleteCertificate(id, flagsOf(called, flags))),
    );
  const ssl = groupOf(program, "ssl", "which certificate serves which port of an app");
  ssl.action((flags: GatewayFlags, called: Command) => ended(() => inventory.listServed(flagsOf(called, flags))));
  addNotCarried(ssl, ["ssl", "update"], "choose the certificate of a port");
}

type AddedRegistry = [username: string | undefined, password: string | undefined, flags: GatewayFlags, called: Command];

function addRegistries(program: Command): void {
  const registries = groupOf(program, "registries", "registries that the rack may pull from");
  lists(registries, () => "/registries", inventory.REGISTRIES);
  leaf(registries, "add", "let the rack pull from a registry")
    .argument("<server>")
    .argument("[username]", "asked for where it is missing")
    .argument("[password]", "asked for where it is missing, which keeps it out of the list of processes")
    .action((server: string, ...[username, password, flags, called]: AddedRegistry) =>
      ended(() => inventory.addRegistry(server, [username, password], flagsOf(called, flags))),
    );
  leaf(registries, "remove", "no longer")
    .argument("<server>")
    .action((server: string, flags: GatewayFlags, called: Command) =>
      ended(() => inventory.removeRegistry(server, flagsOf(called, flags))),
    );
}

function addInstances(program: Command): Command {
  const instances = groupOf(program, "instances", "machines of the rack");
  lists(instances, () => "/instances", inventory.INSTANCES);
  leaf(instances, "keyroll", "replace the key by which instances are reached").action(
    (flags: GatewayFlags, called: Command) => ended(() => inventory.rollInstanceKey(flagsOf(called, flags))),
  );
  leaf(instances, "terminate", "end an instance")
    .argument("<instance>")
    .action((id: string, flags: GatewayFlags, called: Command) =>
      ended(() => inventory.terminateInstance(id, flagsOf(called, flags))),
    );
  return instances;
}

function addResources(program: Command): Command {
  const resources = groupOf(program, "resources", "resources of an app");
  lists(resources, (flags) => rackPath`/apps/${chosenApp(flags.app)}/resources`, inventory.RESOURCES);
  leaf(resources, "info", "show one")
    .argument("<resource>")
    .action((name: string, own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        const path = rackPath`/apps/${chosenApp(flags.app)}/resources/${name}`;
        return readers.showOne(path, inventory.RESOURCE, flags);
      }),
    );
  leaf(resources, "url", "print its address")
    .argument("<resource>")
    .action((name: string, flags: GatewayFlags, called: Command) =>
      ended(() => inventory.showResourceUrl(name, flagsOf(called, flags))),
    );
  leaf(resources, "export", "write its data to a file")
    .argument("<resource>")
    .option("-f, --file <file>", "which; else standard output")
    .action((name: string, flags: files.FileFlags, called: Command) =>
      ended(() => files.exportResource(name, flagsOf(called, flags))),
    );
  return resources;
}

/** In the group `apps`. */
export function addAppChanges(apps: Command): void {
  const named = [
    ["create", "create an app"],
    ["delete", "delete an app, with everything it has"],
  ] as const;
  for (const [name, description] of named) {
    leaf(apps, name, description)
      .argument("<app>")
      .action((app: string, flags: GatewayFlags, called: Command) =>
        ended(() => changes.changeApp(changes.APP_ACTS[name], app, flagsOf(called, flags))),
      );
  }
  const chosen = [
    ["lock", "let nobody delete an app"],
    ["unlock", "let it be deleted again"],
    ["cancel", "end an update that goes on"],
  ] as const;
  for (const [name, description] of chosen) {
    leaf(apps, name, description)
      .argument("[app]")
      .action((app: string | undefined, own: GatewayFlags, called: Command) =>
        ended(async () => {
          const flags = flagsOf(called, own);
          return changes.changeApp(changes.APP_ACTS[name], app ?? chosenApp(flags.app), flags);
        }),
      );
  }
  const params = groupOf(apps, "params", "list the parameters of an app").argument("[app]");
  params.action((app: string | undefined, own: GatewayFlags, called: Command) =>
    ended(async () => {
      const flags = flagsOf(called, own);
      return readers.showParameters(rackPath`/apps/${app ?? chosenApp(flags.app)}`, flags);
    }),
  );
  addSetParameters(params, changes.setAppParameters);
}

function addSetParameters(
  params: Command,
  work: (pairs: readonly string[], flags: GatewayFlags) => Promise<number>,
): void {
  leaf(params, "set", "change parameters")
    .argument("<NAME=VALUE...>")
    .action((pairs: readonly string[], flags: GatewayFlags, called: Command) =>
      ended(() => work(pairs, flagsOf(called, flags))),
    );
}

/** In the group `builds`. */
export function addBuildFiles(builds: Command): void {
  leaf(builds, "export", "write a build to a file")
    .argument("<build>")
    .option("-f, --file <file>", "which; else standard output")
    .action((id: string, flags: files.FileFlags, called: Command) =>
      ended(() => files.exportBuild(id, flagsOf(called, flags))),
    );
  leaf(builds, "import", "make a release of a build that was exported")
    .option("-f, --file <file>", "which")
    .action((flags: files.FileFlags, called: Command) => ended(() => files.importBuild(flagsOf(called, flags))));
}

/** In the group `rack`. */
export function addRackChanges(rack: Command): void {
  const params = groupOf(rack, "params", "list the rack's parameters");
  params.action((flags: GatewayFlags, called: Command) =>
    ended(() => readers.showParameters("/system", flagsOf(called, flags))),
  );
  addSetParameters(params, changes.setRackParameters);
  leaf(rack, "scale", "change how many machines the rack has, and of which type")
    .option("--count <number>", "machines")
    .option("--type <type>", "of machines")
    .action((flags: changes.SystemFlags, called: Command) => ended(() => changes.scaleRack(flagsOf(called, flags))));
  leaf(rack, "update", "bring the rack to another version")
    .argument("<version>")
    .action((version: string, flags: GatewayFlags, called: Command) =>
      ended(() => changes.updateRack(version, flagsOf(called, flags))),
    );
}

/** Whoever knows the original's command, here by its words, learns why there is none. */
function addNotCarried(parent: Command, words: readonly string[], description: string): void {
  leaf(parent, words.at(-1) ?? "", `${description}: not through the gateway`)
    .argument("[words...]")
    .allowUnknownOption()
    .action(() =>
      ended(() => {
        const why = "no approval could be bound to it, and no entry could say what was done by it";
        return Promise.reject(new CliFault(`${words.join(" ")} does not go through the gateway: ${why}`));
      }),
    );
}
