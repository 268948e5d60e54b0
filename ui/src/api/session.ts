import { queryOptions } from "@tanstack/react-query";

import { call, Refusal } from "./call.ts";
import { rememberCsrfToken } from "./csrf-token.ts";
import { permits } from "./permits.ts";
import type { Answer, Read } from "./read.ts";
import { flag, list, nothing, nullable, number, object, oneOf, orElse, text } from "./read.ts";

const readNamed = object({ id: text, name: text });

const readSession = object({
  id: text,
  kind: text,
  method: text,
  aal: orElse(number, 2),
  expires_at: nullable(text),
  idle_expires_at: nullable(text),
});

const readMembers = object({
  person_id: nullable(text),
  assignee: text,
  name: nullable(text),
  email: nullable(text),
  roles: orElse(list(text), []),
  permissions: orElse(list(text), []),
  organization: nullable(readNamed),
  organizations: orElse(list(readNamed), []),
  mode: oneOf("development", "production"),
  quarantined: orElse(flag, false),
  session: nullable(readSession),
  csrf_token: nullable(text),
  enrolled: orElse(flag, true),
  enrolment_required: orElse(flag, false),
  password_set: orElse(flag, false),
});
export type Me = Answer<typeof readMembers>;

/** Every answer that says who is signed in also says what writes must carry from now on. */
export const readMe: Read<Me> = (value, path) => {
  const me = readMembers(value, path);
  rememberCsrfToken(me.csrf_token);
  return me;
};

const readPerson = object({ assignee: text, name: nullable(text), roles: orElse(list(text), []) });
export type DevelopmentPerson = Answer<typeof readPerson>;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => call(readMe, "/v1/me"),
  staleTime: 15_000,
  // Asking keeps the session alive, so it is asked only while somebody is at the page.
  refetchInterval: () => (isAttended() ? 30_000 : false),
});

const attendedMilliseconds = 5 * 60 * 1_000;
let attendedAt = Date.now();
for (const act of ["pointerdown", "keydown", "scroll"] as const) {
  window.addEventListener(act, () => (attendedAt = Date.now()), { passive: true, capture: true });
}

function isAttended(): boolean {
  return Date.now() - attendedAt < attendedMilliseconds;
}

export const developmentPeopleQuery = queryOptions({
  queryKey: ["development-people"],
  queryFn: () => call(list(readPerson), "/v1/dev/people"),
});

export interface SignIn {
  readonly assignee: string;
  readonly name?: string;
  readonly roles?: readonly string[];
}

export function signIn(person: SignIn): Promise<Me> {
  return call(readMe, "/v1/dev/session", { method: "POST", body: person });
}

export function signOut(): Promise<null> {
  return call(nothing, "/v1/session", { method: "DELETE" });
}

/** The organization lets nobody in any more, or not this person: what is on the page is no longer kept up. */
export function isShutOut(failure: Error | null): failure is Refusal {
  return failure instanceof Refusal && shutOut.includes(failure.code);
}

const shutOut: readonly string[] = ["org_suspended", "not_found", "permission_denied"];

/** Whether the server would let this person do it. For what is offered only: the server decides (R-CON-4). */
export function may(me: Me, permission: string): boolean {
  return permits(me.permissions, permission);
}

/** Somebody who may enrol factors and nothing else, until they have. */
export function mustEnrol(me: Me): boolean {
  return me.session?.kind === "enrolment" || me.enrolment_required;
}

/** An identity provider let them in with one factor: the server asks for one of theirs before it shows anything (R-IDP-9). */
export function lacksSecondFactor(me: Me): boolean {
  return me.session?.method === "oidc" && me.session.aal < 2 && me.enrolled;
}

/** The factor is asked for by the one dialog that asks; the session counts for two from then on. */
export function confirmSession(): Promise<null> {
  const proveFirst = ["passkey", "totp", "backup_code"];
  return call(nothing, "/v1/session/step-up", { method: "POST", body: {}, proveFirst });
}

export function shownName(me: Me): string {
  return me.name ?? me.assignee;
}
