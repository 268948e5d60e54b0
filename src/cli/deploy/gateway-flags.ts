/** The flags that every command of the deploy gate takes, before the command or after it (docs/spec/deploy.md R-CLI-1). */
import { Option, type Command } from "commander";

export interface GatewayFlags {
  /** The name of the program that was called, which is not a flag. */
  readonly program?: string;
  readonly config?: string;
  readonly rack?: string;
  readonly apiToken?: string;
  readonly mfaMethod?: "totp" | "webauthn";
  readonly mfaCode?: string;
  readonly oidc?: true;
  readonly json?: true;
  readonly output?: string;
  readonly quiet?: true;
  readonly app?: string;
}

/** `withRack` false: the command has a `--rack` of its own. */
export function withGatewayFlags(command: Command, withRack = true): Command {
  if (withRack) command.option("-r, --rack <names>", "rack, several with commas, or all");
  return command
    .option("--config <directory>", "where the configuration lies")
    .option("--api-token <token>", "act with this API token")
    .addOption(new Option("--mfa-method <method>", "how to prove yourself").choices(["totp", "webauthn"]))
    .option("--mfa-code <code>", "a code of your authenticator or a backup code, where one is asked for")
    .option("--oidc", "without a token: exchange the identity of this CI job for one")
    .option("--json", "print JSON")
    .option("--no-color", "print without colours, as is always done")
    .option("--quiet", "print no progress");
}

export function withOutput(command: Command): Command {
  return command.addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json"]));
}

export function withApp(command: Command): Command {
  return command.option("-a, --app <app>", "app; without it CONVOX_APP, .convox/app, or the directory's name");
}

/** What was said nearest to the command counts. */
export function flagsOf<Flags extends GatewayFlags>(command: Command, own: Flags): Flags {
  return command.parent === null
    ? { program: command.name(), ...command.opts(), ...own }
    : flagsOf(command.parent, { ...command.parent.opts(), ...own });
}
