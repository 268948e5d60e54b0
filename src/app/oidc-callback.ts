/**
 * The browser comes back from the identity provider: is it the browser that left, with the answer of the provider it was sent to?
 * Then the person is signed in, or gets the identity they asked to link. Implements docs/spec/identity.md R-IDP-2, R-IDP-3, R-IDP-9.
 */
import type { JsonObject } from "../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { LoginStateRecord } from "../ports/ceremony-records.ts";
import type { ProvedIdentity } from "../ports/identity-provider.ts";
import { recordsBy } from "../ports/records.ts";
import { SecretUnreadable } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import type { ProviderSettings } from "./identity-provider-settings.ts";
import { linkIdentity } from "./link-identity.ts";
import { admitProved } from "./oidc-admission.ts";
import { claimAt, claimHolds, textClaim } from "./oidc-claims.ts";
import { callbackPathOf, findProvider, providerRefusal, redirectUriOf, type FoundProvider } from "./oidc-provider.ts";
import { verifierPlace } from "./oidc-start.ts";
import { noteRefusedSignIn } from "./refused-sign-ins.ts";
import { secretHash } from "./session-record.ts";
import { signIn, type SignedIn } from "./sign-in.ts";

export interface OidcCallback {
  /** The path that was called, as it stands in the provider's redirect URI. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  /** The login cookie; null when the browser has none. */
  readonly cookie: string | null;
  /** Of the session that the browser has already. */
  readonly sessionToken: string | null;
  readonly client: string | null;
  readonly address: string | null;
}

export interface OidcReturned {
  readonly returnTo: string;
  /** Null when an identity was linked: the session stays the one it was. */
  readonly signedIn: SignedIn | null;
}

export async function finishOidc(app: Application, callback: OidcCallback): Promise<OidcReturned | Refusal> {
  const returned = await recognized(app, callback);
  if (isRefusal(returned)) {
    const about = { method: "oidc", channel: "web", address: callback.address } as const;
    noteRefusedSignIn(app, { ...about, personId: null, cause: returned.refusal });
    return returned;
  }
  const { row, provider, proved } = returned;
  if (row.linkPersonId === null) return enter(provider, proved, { row, callback });
  const linked = await linkIdentity(provider, proved, { row, sessionToken: callback.sessionToken });
  return isRefusal(linked) ? linked : { returnTo: row.returnTo, signedIn: null };
}

interface Recognized {
  readonly row: LoginStateRecord;
  readonly provider: FoundProvider;
  readonly proved: ProvedIdentity;
}

/** It is the browser that left, and the provider that it was sent to has answered for somebody. */
async function recognized(app: Application, { path, query, cookie }: OidcCallback): Promise<Recognized | Refusal> {
  const row = await takeLogin(app, cookie);
  if (row === null) return startAgain();
  const provider = await findProvider(app, row.providerId);
  if (isRefusal(provider)) return provider;
  // Which provider answers is said by the path alone; it must be the one that the browser was sent to.
  if (path !== callbackPathOf(provider.record, provider.settings)) return startAgain();
  const state = new URLSearchParams(query).get("state");
  if (state === null || secretHash(app, state) !== row.stateHash) return startAgain();
  const proved = await redeem(app, provider, { row, state, query });
  return isRefusal(proved) ? proved : { row, provider, proved };
}

/** The row of this browser, used up with the look at it. */
async function takeLogin(app: Application, cookie: string | null): Promise<LoginStateRecord | null> {
  if (cookie === null) return null;
  const [row] = await app.reader.records(recordsBy("loginState", "cookieHash", [secretHash(app, cookie)]));
  if (row === undefined) return null;
  return (await app.scratch.consume("loginState", row.id, app.clock())) ?? null;
}

async function redeem(
  app: Application,
  provider: FoundProvider,
  { row, state, query }: { readonly row: LoginStateRecord; readonly state: string; readonly query: string },
): Promise<ProvedIdentity | Refusal> {
  const verifier = openVerifier(app, row);
  if (verifier === null) return refuse("secret_unreadable", "This sign-in cannot be continued: start it again");
  const login = { redirectUri: redirectUriOf(app, provider), state, nonce: row.nonce, verifier };
  const proved = await app.identityProviders.redeem(provider.connection, login, query);
  return "fault" in proved ? providerRefusal(proved) : proved;
}

function openVerifier(app: Application, { id, verifier }: LoginStateRecord): string | null {
  try {
    return app.seals.open(verifier, verifierPlace(id));
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}

async function enter(
  { app, record, settings, connection }: FoundProvider,
  { subject, claims }: ProvedIdentity,
  { row, callback }: { readonly row: LoginStateRecord; readonly callback: OidcCallback },
): Promise<OidcReturned | Refusal> {
  const { client, address, sessionToken } = callback;
  const about = { method: "oidc", channel: "web", address } as const;
  const admitted = await admitProved(app, { provider: record, settings, subject, claims });
  if (isRefusal(admitted.answer)) {
    noteRefusedSignIn(app, { ...about, personId: admitted.personId, cause: admitted.answer.refusal });
    return admitted.answer;
  }
  const signedIn = await signIn(app, {
    ...{ personId: admitted.answer.personId, kind: "web", method: "oidc", aal: aalOf(claims, settings) },
    ...{ providerId: record.id, upstreamSession: textClaim(claims, "sid"), client, address, replaces: sessionToken },
    claims: keptClaims(connection.issuer, subject, claims),
  });
  if (isRefusal(signedIn)) {
    noteRefusedSignIn(app, { ...about, personId: admitted.answer.personId, cause: signedIn.refusal });
    return signedIn;
  }
  return { returnTo: row.returnTo, signedIn };
}

/** Only where the issuer is marked for it; a factor of ours is asked for otherwise (R-IDP-9). */
function aalOf(claims: JsonObject, { aal2 }: ProviderSettings): 1 | 2 {
  const proves =
    aal2.acr.some((acr) => claims["acr"] === acr) || aal2.amr.some((method) => claimHolds(claims, "amr", method));
  return proves ? 2 : 1;
}

/** How the provider recognised the person (R-IDP-9). */
function keptClaims(issuer: string, subject: string, claims: JsonObject): JsonObject {
  const said = ["auth_time", "acr", "amr"].flatMap((name) => {
    const value = claimAt(claims, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { issuer, subject, ...Object.fromEntries(said) };
}

function startAgain(): Refusal {
  return providerRefusal({ fault: "login_state_invalid", detail: "" });
}
