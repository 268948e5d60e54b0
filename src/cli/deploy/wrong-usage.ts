/** Wrong usage says so as every other error does, and ends with 20 (docs/spec/deploy.md R-CLI-4). */
import type { Command } from "commander";
import { EXIT } from "./cli-outcome.ts";

/** To be called before commands are added: they inherit it. */
export function withWrongUsage(command: Command): Command {
  return command
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, "Error: "));
      },
    })
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? EXIT.done : EXIT.failed);
    });
}
