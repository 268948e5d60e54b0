/**
 * Which rack's gateway a command speaks to, with which credential, and how it proves a factor where one is missing
 * (docs/spec/deploy.md R-CLI-2, R-CLI-11).
 */
import { createDeployClient, type DeployCall, type DeployClient, type Factor } from "../../client/deploy-client.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { knownServer } from "../cli-config.ts";
import { openBrowser } from "../open-browser.ts";
import { userAgent } from "../signed-in-client.ts";
import { askPerson, canAsk } from "./ask-person.ts";
import { CliFault } from "./cli-outcome.ts";
import { configDirectory, openGatewayConfig, type GatewayConfig } from "./gateway-config.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { oidcCredential } from "./oidc-credential.ts";

export interface Gateway {
  readonly rack: string;
  /** Without a slash at the end. */
  readonly url: string;
  /** A token or a CI job: nobody who could prove a factor. */
  readonly isMachine: boolean;
  /** With the credential of the moment. */
  client(): Promise<DeployClient>;
  /** Asks for a factor where one is missing, and then once more (R-CLI-11). */
  call(call: DeployCall, asking?: Asking): Promise<unknown>;
  /** Runs what may be refused for want of a factor, and once more with one. */
  withFactor<Value>(work: (factor: Factor | null) => Promise<Value>, asking?: Asking): Promise<Value>;
}

export interface Asking {
  /** The call needs a factor of its own: it is asked for before. */
  readonly first?: boolean;
  /** Where a passkey can be used instead. */
  readonly page?: string;
  /** Standard input belongs to the command. */
  readonly inputTaken?: boolean;
}

interface Place {
  readonly rack: string;
  readonly url: string;
  /** Null where there is none. */
  readonly token: () => string | null;
}

export function openGateway(flags: GatewayFlags): Gateway {
  const [gateway, ...more] = openGateways(flags);
  if (gateway === undefined || more.length > 0)
    throw new CliFault("this command works on one rack: name it with --rack");
  return gateway;
}

/** One for each rack that was named; there is at least one. */
export function openGateways(flags: GatewayFlags): readonly Gateway[] {
  return placesOf(flags).map((place) => gatewayAt(place, flags));
}

const FROM_ENVIRONMENT = "(from environment)";

function placesOf(flags: GatewayFlags): readonly Place[] {
  const config = openGatewayConfig(configDirectory(flags.config));
  const environmentUrl = process.env["RACK_GATEWAY_URL"] ?? "";
  if (flags.rack !== undefined) return namesOf(flags.rack, config).map((name) => known(name, config, flags));
  const environmentRack = process.env["RACK_GATEWAY_RACK"] ?? "";
  if (environmentUrl !== "") {
    const rack = environmentRack === "" ? FROM_ENVIRONMENT : environmentRack;
    return [{ rack, url: fullUrl(environmentUrl), token: () => null }];
  }
  if (environmentRack !== "") return namesOf(environmentRack, config).map((name) => known(name, config, flags));
  if (config.current !== null) return [known(config.current, config, flags)];
  const server = flags.program === "countersign" ? knownServer() : null;
  if (server !== null) return [{ rack: "default", url: server.url, token: () => server.token() }];
  throw new CliFault("no rack selected. Run: rack-gateway login <rack> <gateway-url> or use --rack flag");
}

function namesOf(text: string, { racks, excluded }: GatewayConfig): readonly string[] {
  const names =
    text === "all"
      ? racks.filter((name) => !excluded.includes(name))
      : text.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
  if (names.length === 0)
    throw new CliFault("no rack selected. Run: rack-gateway login <rack> <gateway-url> or use --rack flag");
  return [...new Set(names)];
}

function known(rack: string, config: GatewayConfig, flags: GatewayFlags): Place {
  const entry = config.entry(rack);
  if (entry !== null) return { rack, url: fullUrl(entry.url), token: () => entry.token() };
  // One sign-in with `countersign login` serves every rack of that server (R-RACK-2).
  const server = flags.program === "countersign" ? knownServer() : null;
  if (server === null) throw new CliFault(`No rack found with name "${rack}"`);
  return { rack, url: `${server.url}/racks/${encodeURIComponent(rack)}`, token: () => server.token() };
}

export function fullUrl(text: string): string {
  const full = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(full)) throw new CliFault(`${text} is no address of a gateway`);
  return full.replace(/\/+$/, "");
}

/** The installation's own address, without the rack's part. */
export function serverUrl(url: string): string {
  return url.replace(/\/racks\/[^/]+$/, "");
}

function gatewayAt({ rack, url, token }: Place, flags: GatewayFlags): Gateway {
  const given = flags.apiToken ?? process.env["RACK_GATEWAY_API_TOKEN"] ?? "";
  const own = given === "" ? token() : given;
  const isOidc = own === null && (flags.oidc === true || process.env["COUNTERSIGN_OIDC"] === "1");
  const oidc = isOidc ? oidcCredential(url) : null;
  const isMachine = isOidc || (own?.startsWith("rgw_") ?? false);
  const client = async (): Promise<DeployClient> => {
    const credential = oidc === null ? own : await oidc();
    if (credential === null)
      throw new CliFault(`not logged in to rack ${rack}. Run: rack-gateway login ${rack} ${url}`);
    return createDeployClient({ url, credential, userAgent: userAgent() });
  };
  const withFactor: Gateway["withFactor"] = (work, asking = {}) =>
    isMachine ? work(null) : provenTo(work, flags, asking);
  return {
    ...{ rack, url, isMachine, client, withFactor },
    call: (call, asking) =>
      withFactor(async (factor) => (await client()).call(factor === null ? call : { ...call, factor }), asking),
  };
}

async function provenTo<Value>(
  work: (factor: Factor | null) => Promise<Value>,
  flags: GatewayFlags,
  asking: Asking,
): Promise<Value> {
  const given = flags.mfaCode === undefined ? null : { method: "totp" as const, value: flags.mfaCode };
  if (given !== null) return work(given);
  const asks = asking.inputTaken === true ? process.stdin.isTTY : canAsk();
  if (asking.first === true && asks) return work(await askedFactor(flags, asking));
  try {
    return await work(null);
  } catch (error) {
    if (!(error instanceof DeployRefusal) || error.parts.factor === null || !asks) throw error;
    return await work(await askedFactor(flags, asking));
  }
}

async function askedFactor({ mfaMethod }: GatewayFlags, { page }: Asking): Promise<Factor> {
  if (mfaMethod === "webauthn" && page !== undefined) {
    openBrowser(page);
    throw new CliFault(`a passkey is used in the browser: go on at ${page}`);
  }
  const value = await askPerson("Enter MFA code (TOTP or backup code): ");
  if (value === "") throw new CliFault("no MFA code was given");
  return { method: "totp", value };
}
