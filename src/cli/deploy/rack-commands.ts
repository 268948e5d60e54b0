/** The commands of a Convox rack: the same verbs under `rack-gateway` and `countersign rack` (docs/spec/deploy.md R-CLI-9). */
import type { Command } from "commander";
import {
  editEnvironment,
  getEnvironment,
  listEnvironment,
  setEnvironment,
  unsetEnvironment,
  type EnvFlags,
} from "./app-environment.ts";
import { chosenApp } from "./chosen-app.ts";
import { buildCommand, deployCommand, promoteCommand, type BuildFlags, type DeployFlags } from "./deploy-source.ts";
import { flagsOf, type GatewayFlags } from "./gateway-flags.ts";
import { addAppChanges, addBuildFiles, addInventoryCommands, addRackChanges } from "./inventory-commands.ts";
import { currentRack } from "./known-racks.ts";
import { collected, ended, groupOf, leaf } from "./rack-command.ts";
import * as readers from "./rack-readers.ts";
import { rackPath } from "./rack-wire.ts";
import { execCommand, runCommand, type ExecFlags, type RunFlags } from "./run-command.ts";
import { testCommand, type TestFlags } from "./test-source.ts";

export function addRackCommands(program: Command): void {
  addApps(program);
  addBuilding(program);
  addReleases(program);
  addProcesses(program);
  addEnvironment(program);
  addServices(program);
  addRack(program);
  addInventoryCommands(program);
}

function addApps(program: Command): void {
  const apps = groupOf(program, "apps", "apps of the rack");
  for (const command of [apps, leaf(apps, "list", "list apps")]) {
    command.action((flags: GatewayFlags, called: Command) =>
      ended(() => readers.showList("/apps", readers.APPS, flagsOf(called, flags))),
    );
  }
  leaf(apps, "info", "show an app")
    .argument("[app]")
    .action((app: string | undefined, own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        return readers.showOne(rackPath`/apps/${chosenApp(app ?? flags.app)}`, readers.APP, flags);
      }),
    );
  addAppChanges(apps);
}

function withSource(command: Command): Command {
  return command
    .argument("[directory]", "what is packed")
    .option("--description <text>", "what to say of the build")
    .option("-m, --manifest <file>", "another manifest than convox.yml")
    .option("-f, --file <file>", "the same as --manifest")
    .option("--no-cache", "build without the cache")
    .option("--build-args <pair>", "NAME=value, for the build; may be repeated", collected)
    .option("--git-sha <commit>", "the commit, where git cannot tell")
    .option("--id", "print the release's id alone; the log goes to standard error");
}

function withPromoting(command: Command): Command {
  return command
    .option("--wait", "until it runs, or was rolled back")
    .option("--force", "promote although the app is being updated");
}

function addBuilding(program: Command): void {
  withSource(leaf(program, "build", "build a release")).action(
    (directory: string | undefined, flags: BuildFlags, called: Command) =>
      ended(() => buildCommand(directory, flagsOf(called, flags))),
  );
  withPromoting(withSource(leaf(program, "deploy", "build a release and promote it"))).action(
    (directory: string | undefined, flags: DeployFlags, called: Command) =>
      ended(() => deployCommand(directory, flagsOf(called, flags))),
  );
  withSource(leaf(program, "test", "build a directory and run the tests that its manifest names"))
    .option("--release <release>", "test this one instead")
    .option("-t, --timeout <seconds>", "how long a test may take", "3600")
    .action((directory: string | undefined, flags: TestFlags, called: Command) =>
      ended(() => testCommand(directory, flagsOf(called, flags))),
    );
  const builds = groupOf(program, "builds", "builds of an app");
  addList(builds, "builds", readers.BUILDS);
  addInfo(builds, { kind: "builds", argument: "<build>", columns: readers.BUILD });
  leaf(builds, "logs", "print the log of a build")
    .argument("<build>")
    .action((id: string, own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        return readers.streamLogs(rackPath`/apps/${chosenApp(flags.app)}/builds/${id}/logs`, flags);
      }),
    );
  addBuildFiles(builds);
}

type Kind = "builds" | "releases" | "processes";

/** `builds` and `builds list` are the same. */
function addList(group: Command, kind: Kind, columns: readers.Columns): void {
  for (const command of [group, leaf(group, "list", `list ${kind}`)]) {
    command.action((own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        return readers.showList(rackPath`/apps/${chosenApp(flags.app)}/${kind}`, columns, flags);
      }),
    );
  }
}

interface Info {
  readonly kind: Kind;
  readonly argument: string;
  readonly columns: readers.Columns;
}

function addInfo(group: Command, { kind, argument, columns }: Info): void {
  leaf(group, "info", "show one")
    .argument(argument)
    .action((id: string, own: GatewayFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        return readers.showOne(rackPath`/apps/${chosenApp(flags.app)}/${kind}/${id}`, columns, flags);
      }),
    );
}

function addReleases(program: Command): void {
  const releases = groupOf(program, "releases", "releases of an app");
  addList(releases, "releases", readers.RELEASES);
  addInfo(releases, { kind: "releases", argument: "<release>", columns: readers.RELEASE });
  withPromoting(leaf(releases, "promote", "make a release the active one; without one, the newest"))
    .argument("[release]")
    .action((id: string | undefined, flags: DeployFlags, called: Command) =>
      ended(() => promoteCommand(id, flagsOf(called, flags))),
    );
}

function addProcesses(program: Command): void {
  const ps = groupOf(program, "ps", "processes of an app");
  addList(ps, "processes", readers.PROCESSES);
  addInfo(ps, { kind: "processes", argument: "<pid>", columns: readers.PROCESS });
  leaf(ps, "stop", "stop processes")
    .argument("<pid...>")
    .action((pids: readonly string[], flags: GatewayFlags, called: Command) =>
      ended(() => readers.stopProcesses(pids, flagsOf(called, flags))),
    );
  leaf(program, "exec", "run a command in a process; its exit code is ours")
    .argument("<pid>")
    .argument("<command...>", "quoted, or behind -- where it has flags")
    .option("--entrypoint", "through the image's entrypoint")
    .action((pid: string, words: readonly string[], flags: ExecFlags, called: Command) =>
      ended(() => execCommand(pid, words, flagsOf(called, flags))),
    );
  leaf(program, "run", "run a command in a new process; its exit code is ours")
    .argument("<service>")
    .argument("<command...>", "quoted, or behind -- where it has flags")
    .option("-d, --detach", "print the process and do not wait for it")
    .option("--release <release>", "another than the active one")
    .option("--cpu <units>", "of the process")
    .option("--memory <megabytes>", "of the process")
    .option("-e, --env <pair>", "NAME=value, for the process; may be repeated", collected)
    .option("--entrypoint", "through the image's entrypoint")
    .option("-t, --timeout <seconds>", "how long the process lives at most", "3600")
    .action((service: string, words: readonly string[], flags: RunFlags, called: Command) =>
      ended(() => runCommand(service, words, flagsOf(called, flags))),
    );
}

function addEnvironment(program: Command): void {
  const env = groupOf(program, "env", "environment of an app").option("--secrets", "with the values of secrets");
  for (const command of [
    env,
    leaf(env, "list", "print the environment").option("--secrets", "with those of secrets"),
  ]) {
    command.action((flags: EnvFlags, called: Command) => ended(() => listEnvironment(flagsOf(called, flags))));
  }
  leaf(env, "get", "print a variable")
    .argument("<name>")
    .option("--secrets", "although it is a secret")
    .action((name: string, flags: EnvFlags, called: Command) =>
      ended(() => getEnvironment(name, flagsOf(called, flags))),
    );
  const writers = [
    ["set", "set variables, in a new release", "<NAME=VALUE...>", setEnvironment],
    ["unset", "remove variables, in a new release", "<NAME...>", unsetEnvironment],
  ] as const;
  for (const [name, description, argument, work] of writers) {
    withNewRelease(leaf(env, name, description))
      .argument(argument)
      .action((words: readonly string[], flags: EnvFlags, called: Command) =>
        ended(() => work(words, flagsOf(called, flags))),
      );
  }
  withNewRelease(leaf(env, "edit", "change the environment in $EDITOR"))
    .option("--secrets", "with the values of secrets")
    .action((flags: EnvFlags, called: Command) => ended(() => editEnvironment(flagsOf(called, flags))));
}

function withNewRelease(command: Command): Command {
  return command.option("--promote", "promote the new release").option("--wait", "with --promote: until it runs");
}

function withLogFlags(command: Command): Command {
  return command
    .option("--filter <text>", "only lines with this")
    .option("--since <span>", "from so long ago, such as 2m")
    .option("--tail <number>", "so many lines of the end")
    .option("--no-follow", "end where the log ends now");
}

function addServices(program: Command): void {
  withLogFlags(leaf(program, "logs", "print the log of an app"))
    .option("-s, --service <service>", "of this one alone")
    .action((own: readers.LogFlags, called: Command) =>
      ended(async () => {
        const flags = flagsOf(called, own);
        const [app, { service }] = [chosenApp(flags.app), flags];
        const path =
          service === undefined ? rackPath`/apps/${app}/logs` : rackPath`/apps/${app}/services/${service}/logs`;
        return readers.streamLogs(path, flags);
      }),
    );
  leaf(program, "restart", "restart services; without one, the app")
    .argument("[service...]")
    .action((services: readonly string[], flags: GatewayFlags, called: Command) =>
      ended(() => readers.restart(services, flagsOf(called, flags))),
    );
  leaf(program, "scale", "show or change how services run")
    .argument("[service]")
    .option("--count <number>", "processes")
    .option("--cpu <units>", "of each")
    .option("--memory <megabytes>", "of each")
    .action((service: string | undefined, flags: readers.ScaleFlags, called: Command) =>
      ended(() => readers.scale(service, flagsOf(called, flags))),
    );
}

function addRack(program: Command): void {
  const rack = groupOf(program, "rack", "the rack itself; without a command, which one is meant");
  const simple = [
    [rack, currentRack],
    [leaf(rack, "info", "show the rack"), readers.showSystem],
    [leaf(rack, "ps", "list the rack's own processes"), readers.listSystemProcesses],
    [leaf(rack, "releases", "list the rack's versions"), readers.listSystemReleases],
  ] as const;
  for (const [command, work] of simple) {
    command.action((flags: GatewayFlags, called: Command) => ended(async () => work(flagsOf(called, flags))));
  }
  withLogFlags(leaf(rack, "logs", "print the log of the rack")).action((flags: readers.LogFlags, called: Command) =>
    ended(() => readers.streamLogs("/system/logs", flagsOf(called, flags))),
  );
  addRackChanges(rack);
}
