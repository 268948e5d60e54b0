/**
 * A sign-in with an identity provider begins: state, nonce and PKCE verifier are kept in one row that only this browser's cookie
 * finds again, for ten minutes and one use. Implements docs/spec/identity.md R-IDP-2 and the beginning of R-ID-6.
 */
import type { PersonId } from "../core/ids.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { LoginStateRecord } from "../ports/ceremony-records.ts";
import type { SealedPlace } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { base64url } from "./ledger-names.ts";
import { findProvider, providerRefusal, redirectUriOf } from "./oidc-provider.ts";
import { returnPath } from "./oidc-return-path.ts";
import { secretHash } from "./session-record.ts";

export interface OidcStart {
  readonly providerId: string;
  readonly returnTo: string | null;
  /** The session whose person gets the identity; null to sign in. */
  readonly link: { readonly personId: PersonId; readonly sessionId: string } | null;
}

export interface OidcStarted {
  /** Where the browser goes. */
  readonly url: string;
  /** Kept by the browser alone. */
  readonly cookie: string;
}

export const LOGIN_SECONDS = 600;
const SECRET_BYTES = 32;

export async function startOidc(app: Application, asked: OidcStart): Promise<OidcStarted | Refusal> {
  const provider = await findProvider(app, asked.providerId);
  if (isRefusal(provider)) return provider;
  const secret = (): string => base64url(app.random(SECRET_BYTES));
  const [cookie, state, nonce, verifier] = [secret(), secret(), secret(), secret()];
  const login = { redirectUri: redirectUriOf(app, provider), state, nonce, verifier };
  const { connection, settings } = provider;
  const url = await app.identityProviders.authorizationUrl(connection, login, settings.scopes);
  if (typeof url !== "string") return providerRefusal(url);
  const id = app.newId();
  const now = app.clock();
  const row: LoginStateRecord = {
    id,
    cookieHash: secretHash(app, cookie),
    providerId: provider.record.id,
    stateHash: secretHash(app, state),
    nonce,
    verifier: app.seals.seal(verifier, verifierPlace(id)),
    returnTo: returnPath(asked.returnTo),
    linkPersonId: asked.link?.personId ?? null,
    linkSessionId: asked.link?.sessionId ?? null,
    createdAt: now,
    expiresAt: now + LOGIN_SECONDS * 1_000,
    usedAt: null,
  };
  await app.scratch.add("loginState", row);
  return { url, cookie };
}

export function verifierPlace(row: string): SealedPlace {
  return { table: "login_states", column: "verifier", row, orgId: null };
}
