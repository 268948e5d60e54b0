import { queryOptions } from "@tanstack/react-query";

import { Refusal, call } from "./call.ts";
import type { Answer } from "./read.ts";
import { flag, list, nothing, nullable, object, oneOf, orElse, text } from "./read.ts";

const readMe = object({
  person_id: orElse(text, ""),
  assignee: text,
  name: nullable(text),
  email: nullable(text),
  roles: orElse(list(text), []),
  mode: oneOf("development", "production"),
  quarantined: orElse(flag, false),
});
export type Me = Answer<typeof readMe>;

const readPerson = object({ assignee: text, name: nullable(text), roles: orElse(list(text), []) });
export type DevelopmentPerson = Answer<typeof readPerson>;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => call(readMe, "/v1/me"),
  staleTime: 15_000,
  refetchInterval: 30_000,
});

/** Null when the server is not in development mode: the route does not exist there. */
export const developmentPeopleQuery = queryOptions({
  queryKey: ["development-people"],
  queryFn: async () => {
    try {
      return await call(list(readPerson), "/v1/dev/people");
    } catch (failure) {
      if (failure instanceof Refusal && failure.status === 404) return null;
      throw failure;
    }
  },
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

export function isAdmin(me: Me): boolean {
  return me.roles.includes("AWE_ADMIN");
}

export function isViewer(me: Me): boolean {
  return isAdmin(me) || me.roles.includes("AWE_VIEWER");
}

export function shownName(me: Me): string {
  return me.name ?? me.assignee;
}
