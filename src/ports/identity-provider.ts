/**
 * What an OpenID Connect provider is asked, and what it may answer. An adapter speaks the protocol and verifies; what a verified
 * answer means here is decided by the use cases. Implements docs/spec/identity.md R-IDP-1 to R-IDP-5 and R-IDP-11.
 */
import type { JsonObject } from "../core/json.ts";

/** A configured provider with its secret in the clear; lives for one call. */
export interface ProviderConnection {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
}

/** One sign-in under way: what was sent with the browser and must come back (R-IDP-2). */
export interface LoginSecrets {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE verifier. */
  readonly verifier: string;
}

export interface ProviderFault {
  readonly fault:
    "identity_provider_unreachable" | "identity_provider_misconfigured" | "id_token_invalid" | "login_state_invalid";
  /** For the operator's log; says nothing secret. */
  readonly detail: string;
}

/** A verified ID token; e-mail and profile from the provider's userinfo where the token has none. */
export interface ProvedIdentity {
  readonly subject: string;
  readonly claims: JsonObject;
}

/** A verified logout token (R-IDP-11): at least one of subject and session is there. */
export interface LogoutNotice {
  readonly tokenId: string;
  readonly subject: string | null;
  readonly upstreamSession: string | null;
  /** When the token ends, in epoch milliseconds. */
  readonly expiresAt: number;
}

/** What a provider says of itself, for whoever sets it up. */
export interface ProviderInspection {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly keys: number;
  /** The provider names itself in its answers (RFC 9207). */
  readonly namesItself: boolean;
}

export interface IdentityProviders {
  /** Why this cannot be an issuer's address; null when it can (R-IDP-1). */
  issuerFault(issuer: string): string | null;
  /** Where the browser goes to sign in. */
  authorizationUrl(
    provider: ProviderConnection,
    login: LoginSecrets,
    scopes: readonly string[],
  ): Promise<string | ProviderFault>;
  /** Redeems the code of a callback's query and verifies what comes for it. */
  redeem(provider: ProviderConnection, login: LoginSecrets, query: string): Promise<ProvedIdentity | ProviderFault>;
  readLogoutToken(provider: ProviderConnection, token: string): Promise<LogoutNotice | ProviderFault>;
  inspect(provider: ProviderConnection): Promise<ProviderInspection | ProviderFault>;
}
