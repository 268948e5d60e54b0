/**
 * Where may a passkey of this installation have signed? The ledger's origin is the public address without its scheme, so it
 * fixes the origin that client data must name and the RP ids that authenticator data may be made for. A ledger that was made
 * without a public address, in development mode too, knows the machine and not the port.
 * Implements docs/spec/evidence.md section 4.
 */

export interface WebSite {
  /** As client data spells them. */
  readonly origins: readonly string[];
  /** The host, and the domains above it that have at least two labels. */
  readonly rpIds: readonly string[];
  /** Any port behind these origins is as good. */
  readonly anyPort: boolean;
}

/** What a ledger that is named after an address ends in. */
const OF_AN_ADDRESS = "/v1/ledger";

export function webSiteOf(ledgerOrigin: string): WebSite {
  const [authority = ""] = ledgerOrigin.split("/");
  const host = authority.replace(/:\d+$/, "");
  const isThisMachine = host === "localhost" || host.endsWith(".localhost");
  const origins = isThisMachine ? [`https://${authority}`, `http://${authority}`] : [`https://${authority}`];
  const anyPort = authority === "localhost" && !ledgerOrigin.endsWith(OF_AN_ADDRESS);
  return { origins, rpIds: [host, ...domainsAbove(host)], anyPort };
}

function domainsAbove(host: string): readonly string[] {
  // Addresses are no domains: their parts are not labels.
  if (/^[\d.]+$|^\[/.test(host)) return [];
  const labels = host.split(".");
  return labels.slice(1, -1).map((_, index) => labels.slice(index + 1).join("."));
}
