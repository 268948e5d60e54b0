/** What `countersign machine` and `countersign token` take. */
import { InvalidArgumentError, type Command } from "commander";
import {
  addMachine,
  changeMachine,
  listMachines,
  retireMachine,
  type MachineAddFlags,
  type MachineChangeFlags,
  type MachineFlags,
  type MachineListFlags,
} from "./machine.ts";
import {
  createToken,
  listTokens,
  revokeToken,
  rotateToken,
  type TokenCreateFlags,
  type TokenFlags,
  type TokenListFlags,
  type TokenRotateFlags,
} from "./token.ts";

export function addMachineCommands(program: Command): void {
  const machine = program.command("machine").description("what is not a person, and who answers for it");
  withApiOptions(machine.command("list").description("machines in use"))
    .option("--retired", "those that were retired instead")
    .action(async (flags: MachineListFlags) => {
      process.exitCode = await listMachines(flags);
    });
  withPeopleOptions(withApiOptions(machine.command("add").description("add a machine").argument("<name>")))
    .requiredOption("--kind <kind>", "ci, service, agent, device, connector or acme")
    .action(async (name: string, flags: MachineAddFlags) => {
      process.exitCode = await addMachine(name, flags);
    });
  withPeopleOptions(withApiOptions(machine.command("change").argument("<machine>", "its name or id")))
    .description("rename a machine, or give it other people")
    .option("--name <name>", "another name")
    .action(async (name: string, flags: MachineChangeFlags) => {
      process.exitCode = await changeMachine(name, flags);
    });
  withApiOptions(machine.command("retire").argument("<machine>", "its name or id"))
    .description("retire a machine; its tokens end with it")
    .action(async (name: string, flags: MachineFlags) => {
      process.exitCode = await retireMachine(name, flags);
    });
  addTokenCommands(program);
}

function addTokenCommands(program: Command): void {
  const token = program.command("token").description("the API tokens of machines");
  withApiOptions(token.command("list").description("tokens that can be used"))
    .option("--machine <machine>", "of this machine alone")
    .option("--all", "also those that were revoked or have expired")
    .action(async (flags: TokenListFlags) => {
      process.exitCode = await listTokens(flags);
    });
  withLimitOptions(withApiOptions(token.command("create").description("make a token; it is printed once")))
    .requiredOption("--machine <machine>", "its name or id")
    .requiredOption("--name <name>", "what the token is for")
    .requiredOption("--scope <permission...>", "what it may do, such as approval:request:create")
    .option("--family <family>", "generic, deploy, certificate or connector")
    .option("--days <number>", "ends after this many days", wholeNumber)
    .option("--never", "without an end, where you may make such a token")
    .action(async (flags: TokenCreateFlags) => {
      process.exitCode = await createToken(flags);
    });
  withApiOptions(token.command("rotate").description("make a second secret for a token").argument("<id>"))
    .option("--overlap-hours <number>", "how long the first works on, 0 to 168", wholeNumber)
    .action(async (id: string, flags: TokenRotateFlags) => {
      process.exitCode = await rotateToken(id, flags);
    });
  withApiOptions(token.command("revoke").description("end a token now").argument("<id>")).action(
    async (id: string, flags: TokenFlags) => {
      process.exitCode = await revokeToken(id, flags);
    },
  );
}

function withApiOptions(command: Command): Command {
  return command
    .option("--server <url>", "another server than the one you signed in to last")
    .option("--org <organization>", "another organization than your own, by id or slug")
    .option("--code <code>", "a code of your authenticator or a backup code, where one is asked for")
    .option("--json", "print as JSON");
}

function withPeopleOptions(command: Command): Command {
  return command
    .option("--owner <person...>", "who answers for it: me, a login, an e-mail address or an id")
    .option("--contact <person>", "of a service account, which has no owners")
    .option("--acts-for <person>", "of an agent: for whom it acts");
}

function withLimitOptions(command: Command): Command {
  return command
    .option("--cidr <range...>", "only from these addresses, such as 192.0.2.0/24")
    .option("--app <app...>", "only for these apps")
    .option("--rack <rack...>", "only for these racks")
    .option("--profile <profile...>", "only for these trust profiles")
    .option("--policy <key...>", "only for these policies");
}

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
