/**
 * An issuer by hand, which speaks OpenID Connect as an honest one does until a test tells it what to lie about: what it says of
 * itself, the keys it publishes, and every byte of the tokens it gives.
 *
 *     const issuer = await openEvilIssuer();
 *     issuer.lies.claims = (honest) => ({ ...honest, nonce: "another" });
 *     const callback = issuer.authorize(url);   // what the browser would be sent back to
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from "jose";

/** RSA keys take long to make. */
export type Algorithm = "ES256" | "RS256";

export interface Account {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: unknown;
  readonly name?: string;
  readonly [claim: string]: unknown;
}

export interface IssuerKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Each replaces what an honest issuer would do. */
export interface Lies {
  discovery?: (honest: Record<string, unknown>) => unknown;
  jwks?: (honest: { keys: JWK[] }) => unknown;
  claims?: (honest: JWTPayload) => JWTPayload;
  /** The token for these claims. */
  sign?: (claims: JWTPayload) => Promise<string> | string;
  /** The whole answer of the token endpoint. */
  tokenStatus?: number;
  /** Answers nothing but this status, at every address. */
  down?: number;
}

interface Grant {
  readonly account: Account;
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
  readonly clientId: string;
}

export interface EvilIssuer {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How often each address was called. */
  readonly calls: Record<string, number>;
  lies: Lies;
  account: Account;
  key: IssuerKey;
  /** Where the browser goes after signing in at the address the server sent it to. */
  authorize(url: string, parameters?: Readonly<Record<string, string | null>>): string;
  /** A new key from here on; the old one is no longer published. */
  rotate(): Promise<void>;
  /** A token signed by this issuer, for logout and for workloads. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, string>>): Promise<string>;
  close(): Promise<void>;
}

export async function openEvilIssuer(alg: Algorithm = "ES256"): Promise<EvilIssuer> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (!isAddressInfo(address)) throw new Error("not listening");
  const made = new Issuer(`http://127.0.0.1:${String(address.port)}`, await newKey(alg), async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  });
  server.on("request", (request, response) => {
    void made.answer(request, response);
  });
  return made;
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

/** The claims but for this one. */
export function without(claims: JWTPayload, claim: string): JWTPayload {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim));
}

export async function newKey(alg: Algorithm): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

class Issuer implements EvilIssuer {
  readonly issuer: string;
  readonly clientId = "countersign";
  readonly clientSecret = "a secret of the client's";
  readonly calls: Record<string, number> = {};
  lies: Lies = {};
  account: Account = { sub: "sub-ana", email: "ana@example.com", email_verified: true, name: "Ana" };
  key: IssuerKey;
  readonly close: () => Promise<void>;
  readonly #grants = new Map<string, Grant>();

  constructor(issuer: string, key: IssuerKey, close: () => Promise<void>) {
    this.issuer = issuer;
    this.key = key;
    this.close = close;
  }

  authorize(url: string, parameters: Readonly<Record<string, string | null>> = {}): string {
    const asked = new URL(url).searchParams;
    const required = (name: string): string => {
      const value = asked.get(name);
      if (value === null) throw new Error(`the server did not send ${name}`);
      return value;
    };
    if (required("code_challenge_method") !== "S256" || required("response_type") !== "code") {
      throw new Error("this is no code flow with S256");
    }
    const code = randomUUID();
    this.#grants.set(code, {
      account: this.account,
      nonce: required("nonce"),
      challenge: required("code_challenge"),
      redirectUri: required("redirect_uri"),
      clientId: required("client_id"),
    });
    const back = new URL(required("redirect_uri"));
    const honest = { code, state: required("state"), iss: this.issuer };
    const sent: Readonly<Record<string, string | null>> = { ...honest, ...parameters };
    for (const [name, value] of Object.entries(sent)) {
      if (value !== null) back.searchParams.set(name, value);
    }
    return back.href;
  }

  async rotate(): Promise<void> {
    this.key = await newKey(this.key.alg);
  }

  sign(claims: JWTPayload, header: Readonly<Record<string, string>> = {}): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: this.key.alg, kid: this.key.kid, typ: "JWT", ...header })
      .sign(this.key.privateKey);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", this.issuer);
    this.calls[pathname] = (this.calls[pathname] ?? 0) + 1;
    const body = new URLSearchParams(await text(request));
    const [status, value] = this.lies.down === undefined ? await this.#say(pathname, body) : [this.lies.down, {}];
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  }

  async #say(pathname: string, body: URLSearchParams): Promise<readonly [number, unknown]> {
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return [200, this.lies.discovery?.(this.#discovery()) ?? this.#discovery()];
      case "/jwks": {
        const honest = { keys: [this.key.publicJwk] };
        return [200, this.lies.jwks?.(honest) ?? honest];
      }
      case "/token":
        return this.#token(body);
      default:
        return [404, {}];
    }
  }

  #discovery(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
    };
  }

  async #token(body: URLSearchParams): Promise<readonly [number, unknown]> {
    if (this.lies.tokenStatus !== undefined) return [this.lies.tokenStatus, { error: "server_error" }];
    const code = body.get("code") ?? "";
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const verifier = body.get("code_verifier") ?? "";
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (grant?.challenge !== challenge || body.get("redirect_uri") !== grant.redirectUri) {
      return [400, { error: "invalid_grant" }];
    }
    const now = Math.floor(Date.now() / 1_000);
    const honest: JWTPayload = {
      ...{ iss: this.issuer, aud: grant.clientId, iat: now, exp: now + 300, nonce: grant.nonce, sid: "upstream-1" },
      ...grant.account,
    };
    const claims = this.lies.claims?.(honest) ?? honest;
    const token = await (this.lies.sign?.(claims) ?? this.sign(claims));
    return [200, { access_token: randomUUID(), token_type: "Bearer", expires_in: 300, id_token: token }];
  }
}
