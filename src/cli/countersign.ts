#!/usr/bin/env node
/** The command `countersign`. Each command says what it does with `--help`. */
import { Command, Option } from "commander";
import { ConfigFault } from "../main/config.ts";
import { productVersion } from "../main/product-version.ts";
import { checkConfig } from "./check-config.ts";
import { addDeployCommands } from "./deploy/deploy-commands.ts";
import { login, type LoginFlags } from "./login.ts";
import { logout } from "./logout.ts";
import { addMachineCommands } from "./machine-commands.ts";
import { addPeopleCommands } from "./people-commands.ts";
import type { RotateSecretsFlags } from "./rotate-secrets.ts";
import type { ServerFlags } from "./run-server.ts";
import { runVerify, type VerifyFlags } from "./run-verify.ts";
import { runVerifyBundle, type VerifyFileFlags } from "./run-verify-bundle.ts";
import { setConfig } from "./set-config.ts";
import type { SetupLinkFlags } from "./setup-link.ts";
import type { ApiFlags } from "./signed-in-client.ts";
import { whoami } from "./whoami.ts";

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
  // A server takes a second to load: only the commands that need one wait for it.
  const { runServer } = await import("./run-server.ts");
  await runServer(flags, true);
});

addServerOptions(program.command("serve").description("run the server")).action(async (flags: ServerFlags) => {
  const { runServer } = await import("./run-server.ts");
  await runServer(flags, false);
});

program
  .command("verify")
  .argument("[file]", "the evidence of one approval: a bundle or an attestation; without it, a whole ledger is checked")
  .description(
    "check that no entry of a ledger was changed, removed, added or moved, or that an approval is what its evidence says (exit status 0 sound, 1 finding, 2 could not check)",
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
  .option("--trust <file>", "with a file: the logs and witnesses that are believed (a tlog-policy file)")
  .option(
    "--keys <file>",
    "with a file: keys that are known to be somebody's (lines person <id> <key>, attestation <key>)",
  )
  .option("--expect-digest <digest>", "with a file: the payload that must have been approved")
  .option("--expect-commit <commit>", "with a file: the commit that must have been approved")
  .option("--at <time>", "with a file: the time at which the approval must have been in force")
  .option("--json", "print the report as JSON")
  .action(async (file: string | undefined, flags: VerifyFlags & VerifyFileFlags) => {
    process.exitCode = file === undefined ? await runVerify(flags) : runVerifyBundle(file, flags);
  });

program
  .command("setup-link")
  .description("make the link by which the first administrator comes in; it replaces the one before")
  .option("--data <directory>", "the data directory of the server")
  .option("--database <url>", "its database, where that is an external one (postgres://…)")
  .option("--json", "print as JSON")
  .action(async (flags: SetupLinkFlags) => {
    const { setupLink } = await import("./setup-link.ts");
    process.exitCode = await setupLink(flags);
  });

program
  .command("login")
  .description("sign this terminal in, through your browser")
  .argument("[url]", "where people reach the installation; without it, where you signed in last")
  .option("--no-browser", "open the address yourself, anywhere, and type the code that the page shows")
  .action(async (url: string | undefined, flags: LoginFlags) => {
    process.exitCode = await login(url, flags);
  });

program
  .command("logout")
  .description("end this terminal's session, on the server and here")
  .option("--server <url>", "another server than the one you signed in to last")
  .action(async (flags: { readonly server?: string }) => {
    process.exitCode = await logout(flags);
  });

program
  .command("whoami")
  .description("print as whom this terminal acts")
  .option("--server <url>", "another server than the one you signed in to last")
  .option("--json", "print as JSON")
  .action(async (flags: ApiFlags & { readonly json?: true }) => {
    process.exitCode = await whoami(flags);
  });

addMachineCommands(program);
addPeopleCommands(program);
addDeployCommands(program);

program
  .command("secrets")
  .description("look after the secrets that stand sealed in the database")
  .command("rotate")
  .description(
    "seal everything with the first key of the keyring, so that older keys can be dropped; may be ended and run again",
  )
  .option("--data <directory>", "the data directory of the server")
  .option("--database <url>", "its database, where that is an external one (postgres://…)")
  .option("--json", "print as JSON")
  .action(async (flags: RotateSecretsFlags) => {
    const { runRotateSecrets } = await import("./rotate-secrets.ts");
    process.exitCode = await runRotateSecrets(flags);
  });

const config = program.command("config").description("look at the configuration, and set what holds for this machine");

config
  .command("set")
  .argument("<name>", "keychain: whether tokens lie in the system keychain, and not in files")
  .argument("<value>", "on or off")
  .description("change what the command line does on this machine")
  .option("--config <directory>", "where the configuration of rack-gateway lies")
  .action(async (name: string, value: string, flags: { readonly config?: string }) => {
    process.exitCode = await setConfig(name, value, flags);
  });

config
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
    .option("--accept-rp-id-change", "start although people hold passkeys of another host name")
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
