/**
 * With what does the server sign in to GitHub: a token of its own, or short tokens of a GitHub App, one per repository and narrowed to
 * it. Implements the credential of docs/spec/deploy.md R-GITHUB-1. Tokens live in memory only and are never logged.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { z } from "zod";
import type { ProviderAnswer, ProviderCall, ProviderUnreachable } from "../../ports/provider-exchange.ts";

export type GithubCredential =
  | { readonly kind: "token"; readonly token: string }
  /** `privateKey` is PEM, PKCS#1 as GitHub hands it out or PKCS#8. */
  | { readonly kind: "app"; readonly appId: string; readonly privateKey: string };

/** Makes a call with this authorization to a path below the API; how a failure is retried is the caller's. */
export type AuthorizedCall = (
  authorization: string,
  call: Pick<ProviderCall, "method" | "body"> & { readonly path: string },
) => Promise<ProviderAnswer | ProviderUnreachable>;

/** The value of `Authorization`, or the answer that says why there is none. */
export type Authorization = { readonly value: string } | { readonly answer: ProviderAnswer | ProviderUnreachable };

interface InstallationToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** GitHub takes at most ten minutes, by its own clock. */
const JWT_SECONDS = 540;
const SKEW_SECONDS = 60;
/** A token is renewed before the last call with it could outlive it. */
const RENEW_BEFORE_MS = 5 * 60_000;
const REPOSITORIES_MAX = 1_000;

const installation = z.object({ id: z.number().int().positive() });
const accessToken = z.object({ token: z.string().min(1), expires_at: z.string() });

export class GithubAuthorization {
  readonly #credential: GithubCredential;
  readonly #key: KeyObject | null;
  readonly #clock: () => number;
  readonly #call: AuthorizedCall;
  readonly #tokens = new Map<string, InstallationToken>();
  readonly #asking = new Map<string, Promise<Authorization>>();

  constructor(credential: GithubCredential, clock: () => number, call: AuthorizedCall) {
    this.#credential = credential;
    this.#key = credential.kind === "app" ? createPrivateKey(credential.privateKey) : null;
    this.#clock = clock;
    this.#call = call;
  }

  async forRepository(repo: string): Promise<Authorization> {
    if (this.#credential.kind === "token") return bearer(this.#credential.token);
    const kept = this.#tokens.get(repo);
    if (kept !== undefined && this.#clock() < kept.expiresAt - RENEW_BEFORE_MS) return bearer(kept.token);
    const running = this.#asking.get(repo);
    if (running !== undefined) return running;
    const started = this.#fetch(repo).finally(() => this.#asking.delete(repo));
    this.#asking.set(repo, started);
    return started;
  }

  /** The token was refused: the next call gets a new one. False when there is no other. */
  forget(repo: string): boolean {
    return this.#tokens.delete(repo);
  }

  /** The App's own id, by which its comments are told from others'; null for a token. */
  get appId(): number | null {
    return this.#credential.kind === "app" ? Number(this.#credential.appId) : null;
  }

  async #fetch(repo: string): Promise<Authorization> {
    const jwt = `Bearer ${await this.#jwt()}`;
    const found = await this.#call(jwt, { method: "GET", path: `/repos/${repo}/installation`, body: null });
    const place = "status" in found && found.status === 200 ? installation.safeParse(found.body) : null;
    if (place?.success !== true) return { answer: found };
    const made = await this.#call(jwt, {
      method: "POST",
      path: `/app/installations/${String(place.data.id)}/access_tokens`,
      body: JSON.stringify({ repositories: [repo.slice(repo.indexOf("/") + 1)] }),
    });
    const token = "status" in made && made.status === 201 ? accessToken.safeParse(made.body) : null;
    if (token?.success !== true) return { answer: made };
    this.#keep(repo, { token: token.data.token, expiresAt: Date.parse(token.data.expires_at) });
    return bearer(token.data.token);
  }

  #jwt(): Promise<string> {
    if (this.#credential.kind !== "app" || this.#key === null) throw new Error("not an App (this is a bug)");
    const now = Math.floor(this.#clock() / 1_000);
    return new SignJWT()
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuer(this.#credential.appId)
      .setIssuedAt(now - SKEW_SECONDS)
      .setExpirationTime(now + JWT_SECONDS)
      .sign(this.#key);
  }

  #keep(repo: string, token: InstallationToken): void {
    this.#tokens.delete(repo);
    this.#tokens.set(repo, token);
    const [oldest] = this.#tokens.keys();
    if (oldest !== undefined && this.#tokens.size > REPOSITORIES_MAX) this.#tokens.delete(oldest);
  }
}

function bearer(token: string): Authorization {
  return { value: `Bearer ${token}` };
}
