import type { UseQueryResult } from "@tanstack/react-query";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import { readFactor } from "./factors.ts";
import { readIdentity, readSignedIn } from "./own-access.ts";
import type { Answer } from "./read.ts";
import { flag, json, list, nothing, nullable, object, orElse, text } from "./read.ts";

const personMembers = {
  id: text,
  assignee: text,
  name: nullable(text),
  email: nullable(text),
  status: text,
  roles: orElse(list(object({ role: text, source: text })), []),
  enrolled: orElse(flag, false),
  break_glass: orElse(flag, false),
  created_at: text,
};
const readPerson = object(personMembers);
export type Person = Answer<typeof readPerson>;

const readTask = object({ id: text, request_id: text, artifact_type: nullable(text), artifact_id: nullable(text) });
const readWholePerson = object({
  ...personMembers,
  identities: orElse(list(readIdentity), []),
  factors: orElse(list(readFactor), []),
  sessions: orElse(list(readSignedIn), []),
  machines: orElse(list(object({ id: text, name: text, kind: text })), []),
  open_tasks: orElse(list(readTask), []),
  aliases: orElse(list(object({ name: text, proof: text })), []),
});
export type WholePerson = Answer<typeof readWholePerson>;

export interface PeopleFilter {
  readonly q?: string | undefined;
  readonly status?: string | undefined;
  readonly cursor?: string | undefined;
}

const readPeople = object({ items: list(readPerson), next: nullable(text) });

export function usePeople(filter: PeopleFilter, on = true): UseQueryResult<Answer<typeof readPeople>> {
  return useQuery({
    queryKey: ["people", filter],
    queryFn: () => call(readPeople, `/v1/people${query({ ...filter, limit: 50 })}`),
    placeholderData: keepPreviousData,
    enabled: on,
  });
}

function at(id: string): string {
  return `/v1/people/${encodeURIComponent(id)}`;
}

export function usePerson(id: string): UseQueryResult<WholePerson> {
  return useQuery({ queryKey: ["people", "one", id], queryFn: () => call(readWholePerson, at(id)) });
}

const readRole = object({ name: text, meaning: text, permissions: orElse(list(text), []), holder: text });
export type Role = Answer<typeof readRole>;

export function useRoles(): UseQueryResult<readonly Role[]> {
  return useQuery({
    queryKey: ["roles"],
    queryFn: () => call(list(readRole), "/v1/roles"),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export interface InvitationDraft {
  readonly email: string;
  readonly name?: string;
  readonly login?: string;
  readonly roles: readonly string[];
}

const readLink = object({ link: text, expires_at: nullable(text) });
export type OneTimeLink = Answer<typeof readLink>;

export function invite(draft: InvitationDraft): Promise<OneTimeLink> {
  return call(readLink, "/v1/people", { method: "POST", body: draft });
}

export function recoveryLink(id: string): Promise<OneTimeLink> {
  return call(readLink, `${at(id)}/recovery`, { method: "POST", body: {} });
}

export function setRoles(id: string, roles: readonly string[]): Promise<unknown> {
  return call(json, `${at(id)}/roles`, { method: "PUT", body: { roles } });
}

export interface PersonChange {
  readonly name?: string;
  readonly email?: string;
  readonly break_glass?: boolean;
}

export function changePerson(id: string, change: PersonChange): Promise<unknown> {
  return call(json, at(id), { method: "PATCH", body: change });
}

/** Who is named first goes; the other goes on as both. */
export function mergePerson(id: string, into: string, reason: string): Promise<unknown> {
  return call(json, `${at(id)}/merge`, { method: "POST", body: { into, reason } });
}

export function moveName(id: string, name: string): Promise<unknown> {
  return call(json, `${at(id)}/names`, { method: "POST", body: { name } });
}

export type StatusAct = "lock" | "unlock" | "suspend" | "reactivate";

export function changeStatus(id: string, act: StatusAct, reason: string): Promise<unknown> {
  return call(json, `${at(id)}/${act}`, { method: "POST", body: { reason } });
}

export function erasePerson(id: string, reason: string, confirm: string): Promise<unknown> {
  return call(json, `${at(id)}/erase`, { method: "POST", body: { reason, confirm } });
}

export function endSessionsOf(id: string): Promise<null> {
  return call(nothing, `${at(id)}/end-sessions`, { method: "POST", body: {} });
}

export function vouch(id: string, factorId: string, reason: string): Promise<unknown> {
  return call(json, `${at(id)}/factors/${encodeURIComponent(factorId)}/vouch`, { method: "POST", body: { reason } });
}
