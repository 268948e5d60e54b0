/** A browser's session: an opaque random token, of which only the hash is kept. */
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "../core/person.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { ChangeSet, SessionRecord } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { identify, type Principal } from "./identify.ts";
import { base64url, hex, ledgerId, utf8 } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";

const TOKEN_BYTES = 32;

export interface SessionStarted {
  /** The cookie's value; not kept anywhere. */
  readonly token: string;
  readonly actor: Actor;
  readonly expiresAt: number;
}

export async function startSession(
  app: Application,
  principal: Principal,
  { ttlSeconds }: { readonly ttlSeconds: number },
): Promise<SessionStarted | Refusal> {
  const actor = await identify(app, principal);
  if (isRefusal(actor)) return actor;
  const { person } = actor;
  if (person === null) throw new Error("only people sign in");
  const token = base64url(app.random(TOKEN_BYTES));
  const tokenHash = hex(app.sha256(utf8(token)));
  return app.store.submit({
    name: "start_session",
    needs: {},
    carryOut(world) {
      const expiresAt = world.now + ttlSeconds * 1_000;
      const session: SessionRecord = {
        tokenHash,
        orgId: app.orgId,
        personId: person.id,
        claims: claimsOf(principal),
        createdAt: world.now,
        expiresAt,
        endedAt: null,
      };
      const credential = sessionName(tokenHash);
      const answer = { token, actor: { ...actor, credential }, expiresAt };
      return {
        answer,
        changes: { sessions: [session], ...told(app, session, { kind: "session.started", channel: "console" }) },
      };
    },
  });
}

export async function endSession(app: Application, token: string): Promise<void> {
  const tokenHash = hex(app.sha256(utf8(token)));
  await app.store.submit({
    name: "end_session",
    needs: { sessions: [tokenHash] },
    carryOut(world) {
      const session = world.session(tokenHash);
      if (session?.endedAt !== null) return { answer: null, changes: NO_CHANGE };
      const ended = { ...session, endedAt: world.now };
      return { answer: null, changes: { sessions: [ended], ...told(app, ended, { kind: "session.ended" }) } };
    },
  });
}

/** A session that holds now. */
export interface OpenSession {
  readonly actor: Actor;
  readonly expiresAt: number;
}

/** Null for a session that is unknown, ended or over. */
export async function openSession(app: Application, token: string): Promise<OpenSession | null> {
  const tokenHash = hex(app.sha256(utf8(token)));
  const session = await app.reader.session(tokenHash);
  if (session?.endedAt !== null || session.expiresAt <= app.clock()) return null;
  const principal = principalOf(session.claims);
  if (principal === null) return null;
  const actor = await identify(app, principal, sessionName(tokenHash));
  return isRefusal(actor) ? null : { actor, expiresAt: session.expiresAt };
}

function sessionName(tokenHash: string): string {
  return ledgerId("ses", tokenHash.slice(0, 32));
}

function told(
  app: Application,
  session: SessionRecord,
  about: { readonly kind: "session.started" | "session.ended"; readonly channel?: string },
): Pick<ChangeSet, "entries"> {
  const name = sessionName(session.tokenHash);
  const entry = describe(
    {
      org: ledgerId("org", session.orgId),
      kind: about.kind,
      actor: ledgerId("usr", session.personId),
      credential: name,
      resource: null,
      request: null,
      data: { session: name, ...(about.channel === undefined ? {} : { channel: about.channel }) },
    },
    app,
  );
  return { entries: [entry] };
}

function claimsOf(principal: Principal): JsonObject {
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
    issuer,
    subject,
    assignee,
    name: text("name"),
    email: text("email"),
    clientId: text("client_id"),
    machine: false,
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : [],
  };
}
