/** Which e-mail address does a provider vouch for, and is its domain allowed? Implements docs/spec/identity.md R-IDP-6. */
import type { JsonObject } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { ProviderSettings } from "./identity-provider-settings.ts";
import { textClaim } from "./oidc-claims.ts";

const GOOGLE = "https://accounts.google.com";
const ADDRESS_MAX = 254;

/** The address, when the provider says that it is verified; every other one is as good as none. */
export function verifiedEmail(claims: JsonObject): string | null {
  if (claims["email_verified"] !== true) return null;
  const email = textClaim(claims, "email");
  return email !== null && email.length <= ADDRESS_MAX && domainOf(email) !== null ? email : null;
}

/** Null when the person's address is in an allowed domain, or every domain is allowed. */
export function domainRefusal(
  claims: JsonObject,
  { issuer, settings }: { readonly issuer: string; readonly settings: ProviderSettings },
): Refusal | null {
  const { domains, googleHostedDomain } = settings;
  if (googleHostedDomain !== null && hostedDomain(claims) !== googleHostedDomain) return notAllowed();
  if (domains.length === 0) return null;
  const email = verifiedEmail(claims);
  if (email === null)
    return refuse("email_not_verified", "Your identity provider does not vouch for your e-mail address");
  const domain = domainOf(email);
  if (domain === null || !domains.includes(domain)) return notAllowed();
  // Anybody can open a Google account under an address of another mail provider: the organization must be Google's as well.
  if (issuer === GOOGLE && !domains.includes(hostedDomain(claims) ?? "")) return notAllowed();
  return null;
}

/**
 * The part after the last `@`, as DNS compares it: lower case, A-labels. Null where that would change which letters stand there:
 * full-width and other compatibility forms, invisible characters (look-alikes of an allowed domain).
 */
export function domainOf(email: string): string | null {
  const at = email.lastIndexOf("@");
  return at < 1 ? null : asciiDomain(email.slice(at + 1));
}

export function asciiDomain(domain: string): string | null {
  if (!/^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+$/u.test(domain)) return null;
  if (domain.normalize("NFKC") !== domain || !URL.canParse(`https://${domain}`)) return null;
  const { hostname } = new URL(`https://${domain}`);
  return /[a-z]/.test(hostname) ? hostname : null;
}

function hostedDomain(claims: JsonObject): string | null {
  const hosted = textClaim(claims, "hd");
  return hosted === null ? null : asciiDomain(hosted);
}

function notAllowed(): Refusal {
  return refuse("domain_not_allowed", "Addresses of this domain may not sign in here");
}
