#!/usr/bin/env node
/** The command `rack-gateway`, which takes the place of the original's (docs/spec/deploy.md R-CLI-1). */
import { Command } from "commander";
import { productVersion } from "../main/product-version.ts";
import { addAccountCommands } from "./deploy/account-commands.ts";
import { addApiTokenCommands } from "./deploy/api-token-commands.ts";
import { addApprovalCommands } from "./deploy/approval-commands.ts";
import { EXIT } from "./deploy/cli-outcome.ts";
import { withGatewayFlags } from "./deploy/gateway-flags.ts";
import { addRackCommands } from "./deploy/rack-commands.ts";
import { withWrongUsage } from "./deploy/wrong-usage.ts";

const program = withGatewayFlags(withWrongUsage(new Command("rack-gateway")))
  .description("Convox racks behind approvals.")
  .version(productVersion(), "-V, --version", "print the version")
  .showHelpAfterError()
  // What stands after a command belongs to the command, so that `run` and `exec` can pass flags on.
  .enablePositionalOptions();

addAccountCommands(program);
addApprovalCommands(
  withGatewayFlags(
    program.command("deploy-approval").description("approvals of deployments"),
  ).enablePositionalOptions(),
);
addApiTokenCommands(program);
addRackCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  // Whatever is not expected here is a bug: its trace helps whoever reports it.
  console.error(error);
  process.exitCode = EXIT.failed;
}
