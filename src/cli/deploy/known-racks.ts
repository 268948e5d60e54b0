/** `rack-gateway racks`, `switch`, `rack`, `gateway`, `web`, `test-auth`: where this terminal is signed in (docs/spec/deploy.md R-CLI-10). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { openBrowser } from "../open-browser.ts";
import { table } from "../table.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { plain, printJson, wantsJson } from "./cli-output.ts";
import { chooseGateway, configDirectory, openGatewayConfig } from "./gateway-config.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, openGateways, serverUrl } from "./open-gateway.ts";

/** The exit status, here as below. */
export function listRacks(flags: GatewayFlags): Promise<number> {
  const config = openGatewayConfig(configDirectory(flags.config));
  const racks = config.racks.map((name) => {
    const { url = "", email = null, expiresAt = null, isSignedIn = false } = config.entry(name) ?? {};
    return { name, url, current: name === config.current, email, expires_at: expiresAt, signed_in: isSignedIn };
  });
  if (wantsJson(flags)) printJson({ racks });
  else if (racks.length === 0) console.log("No racks configured. Run: rack-gateway login <rack> <gateway-url>");
  else {
    const rows = racks.map(({ name, url, current, email }) => [current ? "*" : "", name, url, email ?? ""]);
    console.log(table(["", "RACK", "GATEWAY", "LOGGED IN AS"], rows));
  }
  return Promise.resolve(EXIT.done);
}

export function switchRack(rack: string, flags: GatewayFlags): Promise<number> {
  const directory = configDirectory(flags.config);
  if (openGatewayConfig(directory).entry(rack) === null) throw new CliFault(`No rack found with name "${rack}"`);
  chooseGateway(directory, rack);
  console.log(`Switched to rack: ${rack}`);
  return Promise.resolve(EXIT.done);
}

export function currentRack(flags: GatewayFlags): Promise<number> {
  const gateways = openGateways(flags).map(({ rack, url }) => ({ rack, url }));
  if (wantsJson(flags)) printJson(gateways.length === 1 ? gateways[0] : gateways);
  else for (const { rack, url } of gateways) console.log(`Current rack: ${rack}\nGateway URL: ${url}`);
  return Promise.resolve(EXIT.done);
}

export function showGateway(flags: GatewayFlags): Promise<number> {
  console.log(openGateway(flags).url);
  return Promise.resolve(EXIT.done);
}

export function openWeb(flags: GatewayFlags): Promise<number> {
  const address = `${serverUrl(openGateway(flags).url)}/app`;
  console.log(address);
  openBrowser(address);
  return Promise.resolve(EXIT.done);
}

export async function testAuth(flags: GatewayFlags): Promise<number> {
  const gateway = openGateway(flags);
  const info = await gateway.call({ method: "GET", path: "/info" });
  if (wantsJson(flags)) {
    printJson(info);
    return EXIT.done;
  }
  const user = memberOf(info, "user");
  const who = textIn(user, "email") ?? textIn(user, "name") ?? "a credential without a name";
  console.log(`✓ Authenticated to ${gateway.rack} as ${plain(who)}`);
  return EXIT.done;
}
