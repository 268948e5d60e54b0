/** What `countersign deploy` and `countersign rack` take: the commands of `rack-gateway` under our name (docs/spec/deploy.md R-CLI-12). */
import type { Command } from "commander";
import { addApprovalCommands } from "./approval-commands.ts";
import { withGatewayFlags } from "./gateway-flags.ts";
import { addRackCommands } from "./rack-commands.ts";
import { withWrongUsage } from "./wrong-usage.ts";

export function addDeployCommands(program: Command): void {
  const groups = [
    ["deploy", "approvals of deployments", addApprovalCommands],
    ["rack", "a Convox rack behind approvals", addRackCommands],
  ] as const;
  for (const [name, description, add] of groups) {
    const group = withGatewayFlags(withWrongUsage(program.command(name).description(description)));
    add(group.enablePositionalOptions());
  }
}
