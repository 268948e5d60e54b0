/**
 * Which addresses may be called at all, by what is written in them? Checked when an address is given and again before each
 * call; where the name leads is checked at the connection. Implements docs/spec/engine.md R-HOOK-20.
 */
import { addressClass, isAddress, isInNetworks, isNetwork } from "./address-class.ts";

export interface OutboundSettings {
  /** Host globs (`*.svc.cluster.local`) and networks (`10.0.0.0/8`) that may be reached although they are inside. */
  readonly allow: readonly string[];
  /** Plain HTTP, and then only to what `allow` names. */
  readonly allowHttp: boolean;
  /** This machine itself may be reached, by plain HTTP too. */
  readonly development: boolean;
}

const URL_LENGTH_MAX = 2048;

/** Why the address is not allowed, as it continues `… is not allowed: `; null when it is. */
export function outboundUrlFault(text: string, settings: OutboundSettings): string | null {
  if (text.length > URL_LENGTH_MAX) return `it is longer than ${String(URL_LENGTH_MAX)} characters`;
  if (!URL.canParse(text)) return "it is not an absolute address";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "it carries a user name or password";
  if (text.includes("#")) return "it has a fragment";
  if (!isPortAllowed(url)) return `port ${url.port} is not one that may be called`;
  const host = hostOf(url);
  const fault = schemeFault(url, host, settings);
  if (fault !== null) return fault;
  return isAddress(host) && !isReachable(host, host, settings) ? "the address is inside this network" : null;
}

/** The host as names and addresses are compared: lower case, without brackets and final dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** May a connection for this host go to this address? */
export function isReachable(host: string, address: string, { allow, development }: OutboundSettings): boolean {
  const networks = allow.filter(isNetwork);
  if (isInNetworks(address, networks)) return true;
  switch (addressClass(address)) {
    case "public":
      return true;
    case "loopback":
      return development || isNamed(host, allow);
    case "inside":
      return isNamed(host, allow);
    case "never":
      return false;
  }
}

function schemeFault(url: URL, host: string, settings: OutboundSettings): string | null {
  if (url.protocol === "https:") return null;
  if (url.protocol !== "http:") return "it is not an https address";
  if (settings.development && isLoopbackHost(host)) return null;
  const isAllowed = isNamed(host, settings.allow) || isInNetworks(host, settings.allow.filter(isNetwork));
  return settings.allowHttp && isAllowed ? null : "it is not an https address";
}

/** Names of this machine; other names may lead here too, but plain HTTP is for these alone. */
function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || addressClass(host) === "loopback";
}

function isPortAllowed(url: URL): boolean {
  const port = Number(url.port);
  return url.port === "" || port === 80 || port === 443 || port >= 1024;
}

/** A leading `*.` stands for any depth of subdomain, any other `*` for characters inside one label. */
function isNamed(host: string, allow: readonly string[]): boolean {
  return allow.some((entry) => !isNetwork(entry) && globOf(entry.toLowerCase()).test(host));
}

function globOf(entry: string): RegExp {
  const deep = entry.startsWith("*.");
  const rest = (deep ? entry.slice(2) : entry).split("*").map(escaped).join("[^.]*");
  return new RegExp(`^${deep ? "(?:[^.]+\\.)+" : ""}${rest}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
