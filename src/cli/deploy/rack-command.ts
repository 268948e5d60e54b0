/** How a command of a rack is made: its flags, before it or behind it, and its exit status (docs/spec/deploy.md R-CLI-1, R-CLI-4). */
import type { Command } from "commander";
import { exitStatusOf } from "./cli-outcome.ts";
import { withApp, withGatewayFlags, withOutput } from "./gateway-flags.ts";

/** Positional, so that a flag behind a command is that command's. */
export function groupOf(parent: Command, name: string, description: string): Command {
  return leaf(parent, name, description).enablePositionalOptions();
}

export function leaf(parent: Command, name: string, description: string): Command {
  return withOutput(withApp(withGatewayFlags(parent.command(name).description(description))));
}

export async function ended(work: () => Promise<number>): Promise<void> {
  process.exitCode = await exitStatusOf(work);
}

/** Of an option that may be repeated. */
export function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
