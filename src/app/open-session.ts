/** Whose session is this, and does it still hold? Implements docs/spec/identity.md R-SESS-3 and R-SESS-4. */
import type { JsonObject } from "../core/json.ts";
import type { Actor, Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { identify, memberActor, statusRefusal, type Principal } from "./identify.ts";
import { secretHash, sessionName } from "./session-record.ts";

export interface OpenSession {
  readonly actor: Actor;
  readonly session: SessionRecord;
  readonly roles: readonly string[];
  readonly enrolled: boolean;
}

/**
 * `token` is what the browser or the terminal sent. What a page asks by itself is no sign that somebody sits before it: such
 * calls do not put off the idle end.
 */
export async function openSession(
  app: Application,
  token: string,
  { isActivity = true }: { readonly isActivity?: boolean } = {},
): Promise<OpenSession | Refusal> {
  const [session] = await app.reader.records(recordsBy("session", "tokenHash", [secretHash(app, token)]));
  const now = app.clock();
  if (session === undefined || !holds(app, session, now)) return ended();
  const member = await memberOf(app.forOrganization(session.orgId), session);
  if (isRefusal(member)) return member;
  if (isActivity) app.lastSeen.see(session.id, now);
  return { ...member, session };
}

/** For whoever listens on: asking does not put off the idle end. */
export async function isSessionOpen(app: Application, token: string): Promise<boolean> {
  const [session] = await app.reader.records(recordsBy("session", "tokenHash", [secretHash(app, token)]));
  return session !== undefined && holds(app, session, app.clock());
}

/** Neither ended nor over nor idle for too long; the later of memory and row counts. */
export function holds(app: Pick<Application, "lastSeen">, session: SessionRecord, now: Instant): boolean {
  if (session.endedAt !== null || session.expiresAt <= now) return false;
  const seen = app.lastSeen.at(session.id, session.lastSeenAt);
  return session.idleSeconds === null || seen === null || now - seen < session.idleSeconds * 1_000;
}

async function memberOf(app: Application, session: SessionRecord): Promise<Omit<OpenSession, "session"> | Refusal> {
  if (session.method === "development") return developmentMember(app, session);
  const member = await app.reader.person(session.personId);
  if (member === undefined) return ended();
  const refused = statusRefusal(member.record.status);
  if (refused !== null) return refused;
  return { actor: memberActor(member, sessionName(session)), roles: member.roles, enrolled: member.enrolled };
}

/** Somebody in development mode is who they said they were when they signed in. */
async function developmentMember(
  app: Application,
  session: SessionRecord,
): Promise<Omit<OpenSession, "session"> | Refusal> {
  const principal = principalOf(session.claims);
  if (principal === null) return ended();
  const actor = await identify(app, principal, sessionName(session));
  if (isRefusal(actor)) return actor;
  const member = actor.person === null ? undefined : await app.reader.person(actor.person.id);
  const roles = [...new Set([...principal.roles, ...(member?.roles ?? [])])];
  return { actor, roles, enrolled: member?.enrolled ?? false };
}

function ended(): Refusal {
  return refuse("session_expired", "Your session has ended: sign in again");
}

/** What a development session keeps about its person. */
export function claimsOf(principal: Principal): JsonObject {
  const { issuer, subject, assignee, name, email, clientId, roles } = principal;
  return { issuer, subject, assignee, name, email, client_id: clientId, roles };
}

function principalOf(claims: JsonObject): Principal | null {
  const text = (member: string): string | null => {
    const value = claims[member];
    return typeof value === "string" ? value : null;
  };
  const [issuer, subject, assignee] = [text("issuer"), text("subject"), text("assignee")];
  if (issuer === null || subject === null || assignee === null) return null;
  const roles = claims["roles"];
  return {
    ...{ issuer, subject, assignee, name: text("name"), email: text("email"), clientId: text("client_id") },
    machine: false,
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : [],
  };
}
