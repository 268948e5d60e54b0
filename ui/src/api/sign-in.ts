import { queryOptions } from "@tanstack/react-query";

import { call } from "./call.ts";
import { askPasskey, insteadOfField } from "./passkeys.ts";
import type { Answer } from "./read.ts";
import { flag, jsonObject, list, nothing, nullable, object, orElse, text } from "./read.ts";
import type { Me } from "./session.ts";
import { readMe } from "./session.ts";

/** How people get in: docs/spec/identity.md section 3. */
const readOptions = object({
  mode: text,
  setup_required: orElse(flag, false),
  organization: nullable(text),
  methods: object({ passkey: flag, password: flag }),
  providers: orElse(list(object({ id: text, name: text })), []),
});
export type SignInOptions = Answer<typeof readOptions>;

export const signInOptionsQuery = queryOptions({
  queryKey: ["sign-in-options"],
  queryFn: () => call(readOptions, "/v1/auth/options"),
  staleTime: 60_000,
});

const readCeremony = object({ ceremony: text, options: jsonObject });

/** With `inField` it waits until somebody picks a passkey that the browser offers in the login field. */
export function signInWithPasskey(): Promise<Me> {
  return insteadOfField(() => byPasskey(false));
}

/** Waits behind a field until a passkey is chosen there. */
export function signInFromField(): Promise<Me> {
  return byPasskey(true);
}

async function byPasskey(inField: boolean): Promise<Me> {
  const { ceremony, options } = await call(readCeremony, "/v1/auth/passkey/options", { method: "POST", body: {} });
  const response = await askPasskey(options, inField);
  return call(readMe, "/v1/auth/passkey", { method: "POST", body: { ceremony, response } });
}

export interface PasswordSignIn {
  readonly login: string;
  readonly password: string;
  readonly code?: string;
  readonly remember_device?: boolean;
}

export function signInWithPassword(given: PasswordSignIn): Promise<Me> {
  return call(readMe, "/v1/auth/password", { method: "POST", body: given });
}

/** The address at the provider where signing in goes on. */
export function startProviderSignIn(provider: string, returnTo: string): Promise<string> {
  return start(`/v1/auth/oidc/${encodeURIComponent(provider)}/start`, returnTo);
}

/** The same to link another identity to whoever is signed in. */
export function startLinking(provider: string, returnTo: string): Promise<string> {
  return start(`/v1/me/identities/${encodeURIComponent(provider)}/start`, returnTo);
}

async function start(path: string, returnTo: string): Promise<string> {
  const answer = await call(object({ url: text }), path, { method: "POST", body: { return_to: returnTo } });
  return answer.url;
}

export interface SetupDraft {
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly login: string;
}

export function setUp(token: string, draft: SetupDraft): Promise<Me> {
  return call(readMe, "/v1/setup", { method: "POST", body: { token, ...draft } });
}

export function acceptInvitation(token: string, given: { readonly name?: string }): Promise<Me> {
  return call(readMe, "/v1/auth/invitations/accept", { method: "POST", body: { token, ...given } });
}

export function recover(token: string): Promise<Me> {
  return call(readMe, "/v1/auth/recover", { method: "POST", body: { token } });
}

export interface TerminalSignIn {
  readonly code_challenge: string;
  readonly state: string;
  readonly port: number | null;
  readonly client: string;
  readonly host: string;
}

const readTerminal = object({ redirect: nullable(text), code: nullable(text) });

const readWaiting = object({
  user_code: text,
  address: text,
  client: text,
  started_at: text,
  same_address: flag,
});
export type WaitingTerminal = Answer<typeof readWaiting>;

function waitingAt(state: string): string {
  return `/v1/auth/cli/waiting/${encodeURIComponent(state)}`;
}

/** A terminal of the older kind, which asks again and again until it is let in. */
export function waitingTerminal(state: string): Promise<WaitingTerminal> {
  return call(readWaiting, waitingAt(state));
}

export function authorizeWaiting(state: string): Promise<null> {
  return call(nothing, waitingAt(state), { method: "POST", body: {} });
}

export function authorizeTerminal(terminal: TerminalSignIn): Promise<Answer<typeof readTerminal>> {
  return call(readTerminal, "/v1/auth/cli/authorize", { method: "POST", body: terminal });
}
