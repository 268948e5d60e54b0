/**
 * A person proves another identity of theirs: only inside the session that asked for it with a fresh factor, in the same browser,
 * within ten minutes, and never one that is somebody else's. Implements docs/spec/identity.md R-ID-2 and R-ID-6.
 */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { LoginStateRecord } from "../ports/ceremony-records.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { IdentityRecord, SessionRecord } from "../ports/identity-records.ts";
import type { ProvedIdentity } from "../ports/identity-provider.ts";
import { recordsBy } from "../ports/records.ts";
import { describe, hidden } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { domainRefusal } from "./oidc-email.ts";
import type { FoundProvider } from "./oidc-provider.ts";
import { holds } from "./open-session.ts";
import { secretHash, sessionName } from "./session-record.ts";

type Linked = { readonly linked: true } | Refusal;

const LINKED = { linked: true } as const;

export interface Linking {
  readonly row: LoginStateRecord;
  /** What the browser sends as its session now. */
  readonly sessionToken: string | null;
}

export async function linkIdentity(
  provider: FoundProvider,
  proved: ProvedIdentity,
  { row, sessionToken }: Linking,
): Promise<Linked> {
  const { app, record, settings } = provider;
  const hash = sessionToken === null ? null : secretHash(app, sessionToken);
  const [session] = hash === null ? [] : await app.reader.records(recordsBy("session", "tokenHash", [hash]));
  if (session === undefined || !isSessionOf(row, session) || !holds(app, session, app.clock())) {
    return refuse("login_state_invalid", "Linking must end in the session that began it: sign in and start again");
  }
  const refused = domainRefusal(proved.claims, { issuer: record.issuer, settings });
  if (refused !== null) return refused;
  return app.store.submit<Linked>({
    name: "link_identity",
    needs: {
      personIds: [session.personId],
      records: [
        recordsBy("identity", "subject", [proved.subject]),
        recordsBy("session", "tokenHash", [session.tokenHash]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(provider, world, { subject: proved.subject, session }),
  });
}

function isSessionOf({ linkPersonId, linkSessionId }: LoginStateRecord, { id, personId }: SessionRecord): boolean {
  return linkSessionId === id && linkPersonId === personId;
}

function carryOut(
  { app, record }: FoundProvider,
  world: World,
  { subject, session }: { readonly subject: string; readonly session: SessionRecord },
): Carried<Linked> {
  const { personId } = session;
  const [live] = world.records("session", "tokenHash", session.tokenHash);
  if (world.personRecord(personId)?.status !== "active" || live?.endedAt !== null) {
    return { answer: refuse("session_expired", "Your session has ended: sign in again"), changes: NO_CHANGE };
  }
  const known = world.records("identity", "subject", subject).find(({ issuer }) => issuer === record.issuer);
  if (known !== undefined && known.personId !== personId) return conflict();
  if (known?.unlinkedAt === null) return { answer: LINKED, changes: NO_CHANGE };
  const identity: IdentityRecord = {
    ...{ id: known?.id ?? world.newId(), issuer: record.issuer, subject, personId, providerId: record.id },
    ...{ createdAt: world.now, unlinkedAt: null },
  };
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "person.linked", actor: ledgerId("usr", personId) },
      ...{ credential: sessionName(session), resource: null, request: null },
      data: { person: ledgerId("usr", personId), source: "session", issuer: hidden(record.issuer) },
    },
    app,
  );
  return { answer: LINKED, changes: { entries: [entry], records: { identity: [identity] } } };
}

function conflict(): Carried<Refusal> {
  const message = "This identity belongs to somebody else here; an administrator can merge the two";
  return { answer: refuse("identity_conflict", message), changes: NO_CHANGE };
}
