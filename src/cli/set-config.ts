/** `countersign config set <name> <value>`: what the command line does on this machine (docs/spec/deploy.md R-CLI-3). */
import { useKeychainForServers } from "./cli-config.ts";
import { configDirectory, useKeychainForGateways } from "./deploy/gateway-config.ts";
import { CliFault, exitStatusOf } from "./deploy/cli-outcome.ts";
import { systemKeychain } from "./system-keychain.ts";

/** The exit status. */
export function setConfig(name: string, value: string, flags: { readonly config?: string }): Promise<number> {
  return exitStatusOf(() => {
    if (name !== "keychain") throw new CliFault(`there is no setting ${name}: keychain is the only one`);
    if (value !== "on" && value !== "off") throw new CliFault("keychain is on or off");
    const use = value === "on";
    // Whether there is one is known before the first sign-in needs it.
    if (use) systemKeychain().read({ file: "", name: "" });
    useKeychainForServers(use);
    useKeychainForGateways(configDirectory(flags.config), use);
    console.log(use ? "Tokens lie in the system keychain." : "Tokens lie in the configuration files.");
    return Promise.resolve(0);
  });
}
