/** What `rack-gateway` takes besides approvals and racks: login, which racks there are, completion (docs/spec/deploy.md R-CLI-10). */
import type { Command } from "commander";
import { productVersion } from "../../main/product-version.ts";
import { exitStatusOf } from "./cli-outcome.ts";
import { completionScript } from "./completion-script.ts";
import { durationFrom } from "./duration.ts";
import { flagsOf, withGatewayFlags, withOutput, type GatewayFlags } from "./gateway-flags.ts";
import { gatewayLogin, gatewayLogout, type GatewayLoginFlags } from "./gateway-login.ts";
import { listRacks, openWeb, showGateway, switchRack, testAuth } from "./known-racks.ts";

export function addAccountCommands(program: Command): void {
  withGatewayFlags(
    program.command("login").description("sign this terminal in to a rack's gateway, through your browser"),
  )
    .argument("[rack]", "what to call the rack; without it, the current one")
    .argument("[url]", "address of its gateway; without it, the one known")
    .option("--no-open", "open the address yourself")
    .option("--auth-file <file>", "write the address to this file, and wait until it was opened anywhere")
    .option("--timeout <span>", "how long to wait", durationFrom, 120_000)
    .action(async (rack: string | undefined, url: string | undefined, flags: GatewayLoginFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => gatewayLogin(rack, url, flagsOf(command, flags)));
    });
  withGatewayFlags(program.command("logout").description("end the session, on the server and here"))
    .argument("[rack]", "another than the current one, or all")
    .action(async (rack: string | undefined, flags: GatewayFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => gatewayLogout(rack, flagsOf(command, flags)));
    });
  withGatewayFlags(program.command("switch").description("make a rack the current one"))
    .argument("<rack>")
    .action(async (rack: string, flags: GatewayFlags, command: Command) => {
      process.exitCode = await exitStatusOf(async () => switchRack(rack, flagsOf(command, flags)));
    });
  const simple = [
    ["racks", "list the racks this terminal knows", listRacks],
    ["gateway", "print the address of the current rack's gateway", showGateway],
    ["web", "open the console of the current rack's gateway", openWeb],
    ["test-auth", "check that the gateway knows you", testAuth],
  ] as const;
  for (const [name, description, work] of simple) {
    withOutput(withGatewayFlags(program.command(name).description(description))).action(
      async (flags: GatewayFlags, command: Command) => {
        process.exitCode = await exitStatusOf(async () => work(flagsOf(command, flags)));
      },
    );
  }
  program
    .command("version")
    .description("print the version")
    .action(() => {
      console.log(`${program.name()} ${productVersion()}`);
    });
  program
    .command("completion")
    .description("print a script that completes commands in your shell")
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell: string) => {
      process.exitCode = await exitStatusOf(() => {
        console.log(completionScript(shell, program));
        return Promise.resolve(0);
      });
    });
}
