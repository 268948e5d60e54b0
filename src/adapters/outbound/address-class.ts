/**
 * May this server connect to that address? Public unicast addresses only: never itself, its network, or the addresses at
 * which clouds hand out credentials. Implements the address rules of docs/spec/engine.md R-HOOK-21.
 */
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** `inside` may be allowed by host name; `never` only by naming the network itself, so that no name can lead there. */
export type AddressClass = "public" | "loopback" | "inside" | "never";

/** Reachable at a public address, but answered by the cloud's own host (Azure's wire server). */
const HOSTS_OF_CLOUDS: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** Metadata services inside of networks that may otherwise be allowed by name. */
const METADATA: ReadonlySet<string> = new Set(["100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]);

const INSIDE: ReadonlySet<string> = new Set(["private", "carrierGradeNat", "uniqueLocal"]);

export function addressClass(text: string): AddressClass {
  const address = plainAddress(text);
  if (address === null) return "never";
  const written = address.toString();
  if (HOSTS_OF_CLOUDS.has(written) || METADATA.has(written)) return "never";
  const range = address.range();
  if (range === "unicast") return isOldEmbedding(address) ? "never" : "public";
  if (range === "loopback") return "loopback";
  return INSIDE.has(range) ? "inside" : "never";
}

/** Is the address in one of these networks (`10.0.0.0/8`), whatever form it is written in? */
export function isInNetworks(text: string, networks: readonly string[]): boolean {
  const address = plainAddress(text);
  if (address === null) return false;
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return address.kind() === base.kind() && address.match(base, bits);
  });
}

export function isNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

export function isAddress(text: string): boolean {
  return ipaddr.isValid(text);
}

/** An IPv4 address that hides in an IPv6 one is judged as what it is: mapped, 6to4 and NAT64 forms. */
function plainAddress(text: string): Address | null {
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.parse(text);
  if (!(address instanceof ipaddr.IPv6)) return address;
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === "ipv4Mapped") return address.toIPv4Address();
  if (range === "rfc6052") return new ipaddr.IPv4(bytes.slice(12, 16));
  return range === "6to4" ? new ipaddr.IPv4(bytes.slice(2, 6)) : address;
}

/** `::a.b.c.d`, deprecated site-local and local NAT64 prefixes: nobody answers there whom we want to ask. */
function isOldEmbedding(address: Address): boolean {
  if (!(address instanceof ipaddr.IPv6)) return false;
  return OLD_PREFIXES.some((prefix) => address.match(ipaddr.IPv6.parseCIDR(prefix)));
}

const OLD_PREFIXES = ["::/96", "fec0::/10", "64:ff9b:1::/48", "3fff::/20", "5f00::/16"] as const;
