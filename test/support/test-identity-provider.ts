/**
 * A real OpenID provider (oidc-provider) on this machine: discovery, authorization code flow with PKCE, consent, userinfo, rotating
 * cookies. Whoever signs in is the account that the test named last.
 *
 *     const provider = await openTestIdentityProvider();
 *     provider.register({ redirectUri, clientId, clientSecret });
 *     const callback = await provider.authorize(url);   // as a browser would go through it
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { Provider, type ClientMetadata } from "oidc-provider";

export interface ProviderAccount {
  readonly sub: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly name?: string;
  readonly preferred_username?: string;
  readonly groups?: readonly string[];
}

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
}

export interface TestIdentityProvider {
  readonly issuer: string;
  account: ProviderAccount;
  register(client: RegisteredClient): Promise<void>;
  /** Where the browser ends up, with code, state and issuer. */
  authorize(url: string): Promise<string>;
  close(): Promise<void>;
}

const HOPS_MAX = 12;

export async function openTestIdentityProvider(account: ProviderAccount): Promise<TestIdentityProvider> {
  let provider: Provider | null = null;
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (!isAddressInfo(address)) throw new Error("not listening");
  const issuer = `http://127.0.0.1:${String(address.port)}`;
  const made: TestIdentityProvider = {
    issuer,
    account,
    async register(client) {
      provider = await newProvider(issuer, client, () => made.account);
    },
    authorize,
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
  return made;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (provider === null) {
      response.writeHead(404).end();
    } else if (request.url?.startsWith("/interaction/") === true) {
      await interact(provider, { request, response }, made.account);
    } else {
      await provider.callback()(request, response);
    }
  }
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

async function newProvider(
  issuer: string,
  { clientId, clientSecret, redirectUri }: RegisteredClient,
  who: () => ProviderAccount,
): Promise<Provider> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const client: ClientMetadata = {
    ...{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] },
    ...{ grant_types: ["authorization_code"], response_types: ["code"] },
  };
  return new Provider(issuer, {
    clients: [client],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "test", alg: "RS256", use: "sig" }] },
    cookies: { keys: ["a key of the test's"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username", "groups"] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ ...who(), sub: accountId }) }),
  });
}

/** Signs in and consents at once, as its account. */
async function interact(
  provider: Provider,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { sub }: ProviderAccount,
): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: sub } });
    return;
  }
  const grant = new provider.Grant({ accountId: sub, clientId: String(params["client_id"]) });
  grant.addOIDCScope(String(params["scope"]));
  await provider.interactionFinished(
    ...[request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true }],
  );
}

/** Follows the provider's own redirects, with its cookies, until it sends the browser away. */
async function authorize(url: string): Promise<string> {
  const { origin } = new URL(url);
  const jar = new Map<string, string>();
  let at = url;
  for (let hop = 0; hop < HOPS_MAX; hop += 1) {
    if (new URL(at).origin !== origin) return at;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`the provider stopped: ${String(answer.status)} ${await answer.text()}`);
    at = new URL(location, at).href;
  }
  throw new Error("the provider sent the browser in circles");
}
