/** Is an address in a range? IPv4 that came in its IPv6 form counts as IPv4. Implements the addresses of docs/spec/identity.md R-TOK-7. */
import ipaddr from "ipaddr.js";

/** `range` is `192.0.2.0/24`, `2001:db8::/32` or a single address; false for everything that is not an address or a range. */
export function isInRange(address: string, range: string): boolean {
  const whole = wholeRange(range);
  if (whole === null || !ipaddr.isValid(address)) return false;
  const [base, bits] = whole;
  const asked = ipaddr.process(address);
  return asked.kind() === base.kind() && asked.match(base, bits);
}

function wholeRange(range: string): ReturnType<typeof ipaddr.parseCIDR> | null {
  if (ipaddr.isValidCIDR(range)) return ipaddr.parseCIDR(range);
  if (!ipaddr.isValid(range)) return null;
  const address = ipaddr.process(range);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
