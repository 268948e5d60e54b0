/**
 * OpenID Connect with any issuer: authorization code flow with PKCE by openid-client, over the guarded fetch; tokens verified by
 * `read-tokens.ts` with our clock and our cache of keys. Implements docs/spec/identity.md R-IDP-1 to R-IDP-5 and R-IDP-11.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  Configuration,
  customFetch,
  fetchUserInfo,
  None,
  ResponseBodyError,
  type ClientAuth,
  type CustomFetchOptions,
} from "openid-client";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type {
  IdentityProviders,
  LoginSecrets,
  ProvedIdentity,
  ProviderConnection,
  ProviderFault,
} from "../../ports/identity-provider.ts";
import { IssuerDocuments, isSecureUrl, messageOf, type IssuerKeys, type KnownIssuer } from "./issuer-documents.ts";
import { invalid, readIdToken, readLogoutToken, SKEW_SECONDS, type Expected } from "./read-tokens.ts";

/** The standard `fetch` with the guards of every outbound call; it rejects when there was no answer. */
export type OutboundFetch = (
  url: string,
  init?: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | null;
    readonly signal?: AbortSignal;
  },
) => Promise<Response>;

export interface OpenIdWorld {
  readonly fetch: OutboundFetch;
  /** Why an address may not be called; null when it may. */
  readonly urlFault: (url: string) => string | null;
  readonly keysAt: (issuer: string, jwksUrl: string) => IssuerKeys;
  readonly clock: () => number;
  readonly development: boolean;
  /** What a person is not told, for the operator's log. */
  readonly tell: (issuer: string, fault: ProviderFault) => void;
}

/** There was no answer, or one that nobody may use. */
class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

export function createIdentityProviders(world: OpenIdWorld): IdentityProviders {
  const documents = new IssuerDocuments({ ...world, fetchJson: (url) => fetchJson(world.fetch, url) });
  const told = <Answer extends object>(issuer: string, answer: Answer | ProviderFault): Answer | ProviderFault => {
    if ("fault" in answer) world.tell(issuer, answer);
    return answer;
  };
  return {
    issuerFault: (issuer) => issuerFault(issuer, world),
    async authorizationUrl(provider, login, scopes) {
      const known = told(provider.issuer, await documents.get(provider.issuer));
      if ("fault" in known) return known;
      const url = buildAuthorizationUrl(configuration(provider, known, world), {
        redirect_uri: login.redirectUri,
        scope: [...new Set(["openid", ...scopes])].join(" "),
        state: login.state,
        nonce: login.nonce,
        code_challenge: await calculatePKCECodeChallenge(login.verifier),
        code_challenge_method: "S256",
      });
      return url.href;
    },
    async redeem(provider, login, query) {
      const known = await documents.get(provider.issuer);
      const answer = "fault" in known ? known : await redeem({ provider, login, query, known, world });
      return told(provider.issuer, answer);
    },
    async readLogoutToken(provider, token) {
      const known = await documents.get(provider.issuer);
      const answer = "fault" in known ? known : await readLogoutToken(token, expected(provider, known, world));
      return told(provider.issuer, answer);
    },
    async inspect(provider) {
      const known = await documents.fetchNow(provider.issuer);
      return "fault" in known ? known : inspection(known, world);
    },
  };
}

function issuerFault(issuer: string, { urlFault, development }: OpenIdWorld): string | null {
  const fault = urlFault(issuer);
  if (fault !== null) return fault;
  if (!isSecureUrl(issuer, development)) return "it is not an https address";
  return new URL(issuer).search === "" && !issuer.includes("?") ? null : "it has a query";
}

async function fetchJson(fetch: OutboundFetch, url: string): Promise<unknown> {
  const answer = await fetch(url, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url} answered ${String(answer.status)}`);
  return answer.json();
}

/** Ours is the time: the library is told by how much its own differs. */
function configuration(provider: ProviderConnection, known: KnownIssuer, world: OpenIdWorld): Configuration {
  const made = new Configuration(
    known.metadata,
    provider.clientId,
    {
      [clockSkew]: Math.round((world.clock() - Date.now()) / 1_000),
      [clockTolerance]: SKEW_SECONDS,
    },
    authentication(provider, known),
  );
  made[customFetch] = (url, options) => answerOf(world.fetch, url, options);
  // The guarded fetch decides about plain HTTP: loopback in development mode, nothing else.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out; development mode is what it is for (R-IDP-1)
  if (world.development) allowInsecureRequests(made);
  return made;
}

function authentication({ clientSecret }: ProviderConnection, { metadata }: KnownIssuer): ClientAuth {
  if (clientSecret === null) return None();
  const supported = metadata.token_endpoint_auth_methods_supported ?? [];
  const postOnly = supported.includes("client_secret_post") && !supported.includes("client_secret_basic");
  return postOnly ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);
}

async function answerOf(fetch: OutboundFetch, url: string, options: CustomFetchOptions): Promise<Response> {
  const { method, headers, body, signal } = options;
  try {
    const answer = await fetch(url, {
      ...{ method, headers, body: textOf(body) },
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.status >= 500) throw new NoAnswer(`${url} answered ${String(answer.status)}`);
    return answer;
  } catch (cause) {
    throw cause instanceof NoAnswer ? cause : new NoAnswer(messageOf(cause), { cause });
  }
}

function textOf(body: CustomFetchOptions["body"]): string | null {
  if (typeof body === "string") return body;
  return body instanceof URLSearchParams ? body.toString() : null;
}

function expected(provider: ProviderConnection, known: KnownIssuer, world: OpenIdWorld): Expected {
  return { issuer: provider.issuer, clientId: provider.clientId, keys: known.keys, now: world.clock() };
}

interface Redeeming {
  readonly provider: ProviderConnection;
  readonly login: LoginSecrets;
  readonly query: string;
  readonly known: KnownIssuer;
  readonly world: OpenIdWorld;
}

/** What came with the browser, before anything is redeemed: our state, and an issuer that is the one we asked (RFC 9207). */
function callbackFault({ login, query, known }: Redeeming): ProviderFault | null {
  const given = new URLSearchParams(query);
  const refused = (detail: string): ProviderFault => ({ fault: "login_state_invalid", detail });
  if ([...given.keys()].some((name) => given.getAll(name).length > 1)) return refused("a parameter came twice");
  if (given.get("state") !== login.state) return refused("the state is not the one of this sign-in");
  const issuer = given.get("iss");
  const isNamed = known.metadata.authorization_response_iss_parameter_supported === true;
  if (issuer === null ? isNamed : issuer !== known.metadata.issuer) return refused("another issuer answered");
  const error = given.get("error");
  if (error !== null) return refused(`the provider refused: ${error.slice(0, 64)}`);
  return given.has("code") ? null : refused("there is no code");
}

async function redeem(redeeming: Redeeming): Promise<ProvedIdentity | ProviderFault> {
  const { provider, login, query, known, world } = redeeming;
  const early = callbackFault(redeeming);
  if (early !== null) return early;
  const config = configuration(provider, known, world);
  const callback = new URL(login.redirectUri);
  callback.search = query;
  const { state, nonce, verifier } = login;
  try {
    const tokens = await authorizationCodeGrant(config, callback, {
      ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
    });
    const proved = await readIdToken(tokens.id_token ?? "", nonce, expected(provider, known, world));
    if ("fault" in proved || !needsUserinfo(proved.claims, known)) return proved;
    const more: unknown = await fetchUserInfo(config, tokens.access_token, proved.subject);
    return { ...proved, claims: together(proved.claims, more) };
  } catch (cause) {
    return faultOf(cause);
  }
}

function needsUserinfo(claims: JsonObject, known: KnownIssuer): boolean {
  return claims["email"] === undefined && known.metadata.userinfo_endpoint !== undefined;
}

/** The signed token comes first; an address and whether it is verified come from one and the same place. */
function together(claims: JsonObject, userinfo: unknown): JsonObject {
  if (!isJsonObject(userinfo)) return claims;
  const signed = Object.entries(claims).filter(([claim]) => claim !== "email_verified");
  return { ...userinfo, ...Object.fromEntries(signed) };
}

async function inspection(known: KnownIssuer, world: OpenIdWorld): ReturnType<IdentityProviders["inspect"]> {
  const { authorizationEndpoint, tokenEndpoint, jwksUri, metadata } = known;
  for (const url of [tokenEndpoint, jwksUri]) {
    const fault = world.urlFault(url);
    if (fault !== null) return { fault: "identity_provider_misconfigured", detail: `${url} is not allowed: ${fault}` };
  }
  let keys: unknown;
  try {
    keys = await fetchJson(world.fetch, jwksUri);
  } catch (cause) {
    return { fault: "identity_provider_unreachable", detail: `no keys: ${messageOf(cause)}` };
  }
  if (!isJsonObject(keys) || !Array.isArray(keys["keys"]) || keys["keys"].length === 0) {
    return { fault: "identity_provider_misconfigured", detail: "the issuer publishes no keys" };
  }
  return {
    ...{ authorizationEndpoint, tokenEndpoint, jwksUri, keys: keys["keys"].length },
    namesItself: metadata.authorization_response_iss_parameter_supported === true,
  };
}

function faultOf(cause: unknown): ProviderFault {
  const missing = causeOf(cause, NoAnswer);
  if (missing !== null) return { fault: "identity_provider_unreachable", detail: missing.message };
  if (cause instanceof ResponseBodyError) {
    const isOurs = cause.error === "invalid_client" || cause.error === "unauthorized_client";
    const detail = `the token endpoint refused: ${cause.error}`;
    return isOurs ? { fault: "identity_provider_misconfigured", detail } : invalid(detail);
  }
  return invalid([cause, cause instanceof Error ? cause.cause : undefined].map(messageOf).join(": "));
}

function causeOf<Kind extends Error>(error: unknown, kind: new (message: string) => Kind): Kind | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof kind) return at;
  return null;
}
