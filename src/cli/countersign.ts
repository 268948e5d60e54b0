#!/usr/bin/env node
/** The command `countersign`. Each command says what it does with `--help`. */
import { Command, Option } from "commander";
import { ConfigFault } from "../main/config.ts";
import { productVersion } from "../main/product-version.ts";
import { checkConfig } from "./check-config.ts";
import { runServer, type ServerFlags } from "./run-server.ts";
import { runVerify, type VerifyFlags } from "./run-verify.ts";

const program = new Command("countersign")
  .description("Approvals: nothing risky ships until the right people have countersigned it.")
  .version(productVersion(), "-V, --version", "print the version")
  .showHelpAfterError()
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });

addServerOptions(
  program
    .command("dev")
    .description("try Countersign on this machine: everybody is believed, so it listens to this machine only")
    .option("--no-demo", "start a new ledger without the demonstration"),
).action(async (flags: ServerFlags) => {
  await runServer(flags, true);
});

addServerOptions(program.command("serve").description("run the server")).action(async (flags: ServerFlags) => {
  await runServer(flags, false);
});

program
  .command("verify")
  .description(
    "check that no entry of a ledger was changed, removed, added or moved (exit status 0 sound, 1 finding, 2 could not check)",
  )
  .option("--data <directory>", "the data directory of a server; its database is used where it runs, else started")
  .option(
    "--database <url>",
    "a database (postgres://…); with --data, the key and checkpoints of that directory are used",
  )
  .option("--server <url>", "a running server, by what it exports")
  .option("--token <jwt>", "with --server: the token of somebody who may read the ledger")
  .option("--key <vkey>", "the key that checkpoints must be signed with")
  .option("--full", "also compare the private values kept beside the entries")
  .option("--json", "print the report as JSON")
  .action(async (flags: VerifyFlags) => {
    process.exitCode = await runVerify(flags);
  });

program
  .command("config")
  .description("look at the configuration")
  .command("check")
  .description("print each setting and where it comes from; exit status 2 when it cannot be used")
  .option("--json", "print as JSON")
  .action((flags: { readonly json?: true }) => {
    process.exitCode = checkConfig(flags.json === true);
  });

program
  .command("version")
  .description("print the version")
  .action(() => {
    console.log(productVersion());
  });

function addServerOptions(command: Command): Command {
  return command
    .option("--port <number>", "port to listen on; 0 takes a free one", portNumber)
    .option("--host <address>", "address to listen on")
    .option("--data <directory>", "where keys, checkpoints and the database that comes with Countersign lie")
    .option("--database <url>", "an external Postgres instead (postgres://…)")
    .option("--exit-on-tamper", "end with status 3 when the ledger was changed, instead of becoming read-only")
    .addOption(
      new Option("--verify <extent>", "how much of the ledger is checked at the start")
        .choices(["new", "full"])
        .default("new"),
    );
}

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new ConfigFault([`--port must be a number from 0 to 65535, not ${text}.`]);
  return Number(text);
}

try {
  await program.parseAsync();
} catch (error) {
  // Whatever is not expected here is a bug: its trace helps whoever reports it.
  console.error(error instanceof ConfigFault ? error.message : error);
  process.exitCode = 2;
}
