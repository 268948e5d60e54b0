/**
 * What happens to a session, as records and entries for a command to write: opened, renewed with a new secret, ended.
 * Implements docs/spec/identity.md R-SESS-2 and R-SESS-3.
 */
import type { JsonObject } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { PersonId } from "../core/ids.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { SessionKind, SessionRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import { base64url, hex, ledgerId, utf8 } from "./ledger-names.ts";

const SECRET_BYTES = 32;

export interface SessionOpening {
  readonly id?: string;
  readonly personId: PersonId;
  readonly kind: SessionKind;
  readonly method: string;
  readonly aal: 1 | 2;
  readonly claims?: JsonObject;
  readonly providerId?: string | null;
  readonly upstreamSession?: string | null;
  readonly client: string | null;
  readonly address: string | null;
  /** The factor just proven: opens the step-up window. */
  readonly factorId?: string | null;
  readonly factorProven?: boolean;
  readonly lifeSeconds: number;
  readonly idleSeconds: number | null;
}

export interface OpenedSession {
  /** Kept nowhere: the browser or the terminal has it. */
  readonly token: string;
  readonly record: SessionRecord;
  readonly entry: DescribedEntry;
}

export function openedSession(app: Application, now: Instant, about: SessionOpening): OpenedSession {
  const secret = newSecret(app);
  const record: SessionRecord = {
    tokenHash: secret.tokenHash,
    id: about.id ?? app.newId(),
    orgId: app.orgId,
    personId: about.personId,
    kind: about.kind,
    method: about.method,
    aal: about.aal,
    claims: about.claims ?? {},
    providerId: about.providerId ?? null,
    upstreamSession: about.upstreamSession ?? null,
    client: about.client,
    address: about.address,
    createdAt: now,
    expiresAt: now + about.lifeSeconds * 1_000,
    lastSeenAt: now,
    idleSeconds: about.idleSeconds,
    factorAt: about.factorProven === true ? now : null,
    factorId: about.factorId ?? null,
    endedAt: null,
    endCause: null,
  };
  return { token: secret.token, record, entry: sessionEntry(app, record, { kind: "session.started" }) };
}

export interface RenewedSession {
  readonly token: string;
  readonly record: SessionRecord;
  /** The old secret's row, ended, and the new one. */
  readonly records: readonly SessionRecord[];
}

/** A new secret for the same session; the old one dies with the same command (R-SESS-2). The caller writes an entry that says why. */
export function renewedSession(
  app: Application,
  record: SessionRecord,
  now: Instant,
  patch: Partial<
    Pick<SessionRecord, "factorAt" | "factorId" | "aal" | "kind" | "method" | "expiresAt" | "idleSeconds">
  >,
): RenewedSession {
  const secret = newSecret(app);
  const renewed: SessionRecord = { ...record, ...patch, tokenHash: secret.tokenHash, lastSeenAt: now };
  const old: SessionRecord = { ...record, endedAt: now, endCause: "renewed" };
  return { token: secret.token, record: renewed, records: [old, renewed] };
}

export function endedSession(
  app: Application,
  record: SessionRecord,
  now: Instant,
  cause: string,
): { readonly record: SessionRecord; readonly entry: DescribedEntry } {
  const ended: SessionRecord = { ...record, endedAt: now, endCause: cause };
  return { record: ended, entry: sessionEntry(app, ended, { kind: "session.ended", cause }) };
}

/** What the ledger calls a session. */
export function sessionName(session: Pick<SessionRecord, "id">): string {
  return ledgerId("ses", session.id);
}

export function secretHash(app: Pick<Application, "sha256">, token: string): string {
  return hex(app.sha256(utf8(token)));
}

function newSecret(app: Application): { readonly token: string; readonly tokenHash: string } {
  const token = base64url(app.random(SECRET_BYTES));
  return { token, tokenHash: secretHash(app, token) };
}

function sessionEntry(
  app: Application,
  session: SessionRecord,
  about: { readonly kind: "session.started" | "session.ended"; readonly cause?: string },
): DescribedEntry {
  const started = about.kind === "session.started";
  return describe(
    {
      org: ledgerId("org", session.orgId),
      kind: about.kind,
      actor: ledgerId("usr", session.personId),
      credential: sessionName(session),
      resource: null,
      request: null,
      data: {
        session: sessionName(session),
        ...(started ? { method: session.method, channel: session.kind, aal: session.aal } : {}),
        ...(about.cause === undefined ? {} : { cause: about.cause }),
        ...(started && session.address !== null ? { address: hidden(session.address) } : {}),
      },
    },
    app,
  );
}
