/**
 * What an issuer says of itself: its discovery document, fetched through the guarded fetch, kept for ten minutes, and used for a
 * day while the issuer is down. The issuer it names must be the configured one, byte for byte (docs/spec/identity.md R-IDP-1).
 */
import type { JWTVerifyGetKey } from "jose";
import type { ServerMetadata } from "openid-client";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { ProviderFault } from "../../ports/identity-provider.ts";

/** The keys of an issuer, kept and refetched as R-IDP-5 says. */
export interface IssuerKeys {
  readonly find: JWTVerifyGetKey;
}

export interface IssuerWorld {
  /** The parsed JSON of a successful answer; rejects for everything else. */
  readonly fetchJson: (url: string) => Promise<unknown>;
  readonly keysAt: (issuer: string, jwksUrl: string) => IssuerKeys;
  readonly clock: () => number;
  /** Plain HTTP on loopback is accepted. */
  readonly development: boolean;
}

/** An issuer as it described itself. */
export interface KnownIssuer {
  readonly metadata: ServerMetadata;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly keys: IssuerKeys;
}

interface Kept {
  readonly known: KnownIssuer;
  readonly fetchedAt: number;
  readonly attemptedAt: number;
}

const FRESH_MS = 600_000;
const RETRY_PAUSE_MS = 30_000;
const STALE_MAX_MS = 24 * 3_600_000;
/** Signatures whose key can be public, and no others (R-IDP-4). */
export const TOKEN_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;
/** More issuers than any installation has; the oldest is asked again. */
const ISSUERS_MAX = 1_000;

export class IssuerDocuments {
  readonly #world: IssuerWorld;
  readonly #kept = new Map<string, Kept>();
  readonly #fetching = new Map<string, Promise<KnownIssuer | ProviderFault>>();

  constructor(world: IssuerWorld) {
    this.#world = world;
  }

  async get(issuer: string): Promise<KnownIssuer | ProviderFault> {
    const kept = this.#kept.get(issuer);
    const now = this.#world.clock();
    if (kept === undefined || now - kept.fetchedAt >= STALE_MAX_MS) return this.#fetch(issuer);
    if (now - kept.fetchedAt < FRESH_MS || now - kept.attemptedAt < RETRY_PAUSE_MS) return kept.known;
    this.#kept.set(issuer, { ...kept, attemptedAt: now });
    const fetched = await this.#fetch(issuer);
    // An issuer that is down keeps serving; one that says something else of itself does not.
    return "fault" in fetched && fetched.fault === "identity_provider_unreachable" ? kept.known : fetched;
  }

  /** Asks now, whatever is kept. */
  fetchNow(issuer: string): Promise<KnownIssuer | ProviderFault> {
    return this.#fetch(issuer);
  }

  #fetch(issuer: string): Promise<KnownIssuer | ProviderFault> {
    const running = this.#fetching.get(issuer);
    if (running !== undefined) return running;
    const started = this.#load(issuer).finally(() => this.#fetching.delete(issuer));
    this.#fetching.set(issuer, started);
    return started;
  }

  async #load(issuer: string): Promise<KnownIssuer | ProviderFault> {
    const { clock, fetchJson, development } = this.#world;
    let document: unknown;
    try {
      document = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
    } catch (cause) {
      return { fault: "identity_provider_unreachable", detail: `no discovery document: ${messageOf(cause)}` };
    }
    const fault = documentFault(document, issuer, development);
    if (fault !== null) {
      this.#kept.delete(issuer);
      return { fault: "identity_provider_misconfigured", detail: fault };
    }
    const known = this.#read(issuer, document);
    this.#keep(issuer, { known, fetchedAt: clock(), attemptedAt: clock() });
    return known;
  }

  #read(issuer: string, document: unknown): KnownIssuer {
    const members: JsonObject = isJsonObject(document) ? document : {};
    const jwksUri = textOf(members, "jwks_uri");
    const before = this.#kept.get(issuer)?.known;
    return {
      metadata: metadataOf(issuer, members),
      authorizationEndpoint: textOf(members, "authorization_endpoint"),
      tokenEndpoint: textOf(members, "token_endpoint"),
      jwksUri,
      keys: before?.jwksUri === jwksUri ? before.keys : this.#world.keysAt(issuer, jwksUri),
    };
  }

  #keep(issuer: string, kept: Kept): void {
    this.#kept.delete(issuer);
    this.#kept.set(issuer, kept);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > ISSUERS_MAX) this.#kept.delete(oldest);
  }
}

const ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const;

function documentFault(document: unknown, issuer: string, development: boolean): string | null {
  if (!isJsonObject(document)) return "the discovery document is no JSON object";
  if (document["issuer"] !== issuer) return "the discovery document names another issuer";
  for (const name of [...ENDPOINTS, "userinfo_endpoint"]) {
    const url = document[name];
    if (url === undefined && name === "userinfo_endpoint") continue;
    if (typeof url !== "string" || !isSecureUrl(url, development)) return `${name} is not an https address`;
  }
  return null;
}

/** https, or this machine in development mode (R-IDP-1). */
export function isSecureUrl(text: string, development: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  if (protocol === "https:") return true;
  return development && protocol === "http:" && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Only what the code flow reads: a document may say many more things. */
function metadataOf(issuer: string, document: JsonObject): ServerMetadata {
  const userinfo = document["userinfo_endpoint"];
  return {
    issuer,
    authorization_endpoint: textOf(document, "authorization_endpoint"),
    token_endpoint: textOf(document, "token_endpoint"),
    jwks_uri: textOf(document, "jwks_uri"),
    ...(typeof userinfo === "string" ? { userinfo_endpoint: userinfo } : {}),
    authorization_response_iss_parameter_supported: document["authorization_response_iss_parameter_supported"] === true,
    id_token_signing_alg_values_supported: [...TOKEN_ALGORITHMS],
    token_endpoint_auth_methods_supported: textsOf(document["token_endpoint_auth_methods_supported"], [
      "client_secret_basic",
    ]),
  };
}

function textOf(document: JsonObject, name: string): string {
  const value = document[name];
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown, otherwise: readonly string[]): string[] {
  if (!Array.isArray(value)) return [...otherwise];
  return value.filter((text): text is string => typeof text === "string");
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "unknown cause";
}
