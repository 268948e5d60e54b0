/**
 * The identity provider says that somebody has signed out there: their sessions of that provider end here. A notice that comes
 * twice acts once. Implements docs/spec/identity.md R-IDP-11.
 */
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { World } from "../ports/command-store.ts";
import type { IdentityRecord, SessionRecord } from "../ports/identity-records.ts";
import type { LogoutNotice } from "../ports/identity-provider.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { findProvider, providerRefusal, type FoundProvider } from "./oidc-provider.ts";
import { endedSession, secretHash } from "./session-record.ts";

const LATE_MS = 120_000;

/** How many sessions ended. */
export async function endProviderSessions(
  app: Application,
  providerId: string,
  token: string,
): Promise<{ readonly ended: number } | Refusal> {
  const provider = await findProvider(app, providerId);
  if (isRefusal(provider)) return provider;
  const notice = await app.identityProviders.readLogoutToken(provider.connection, token);
  if ("fault" in notice) return providerRefusal(notice);
  const identity = await identityOf(provider, notice);
  // A subject that nobody here has: there is nothing to end.
  if (notice.subject !== null && identity === null) return { ended: 0 };
  return end(provider, notice, identity);
}

async function identityOf({ app, record }: FoundProvider, { subject }: LogoutNotice): Promise<IdentityRecord | null> {
  if (subject === null) return null;
  const found = await app.reader.records(recordsBy("identity", "subject", [subject]));
  return found.find(({ issuer }) => issuer === record.issuer) ?? null;
}

function end(
  { app, record }: FoundProvider,
  notice: LogoutNotice,
  identity: IdentityRecord | null,
): Promise<{ readonly ended: number }> {
  const { upstreamSession, tokenId, expiresAt } = notice;
  const proof = { scope: `logout:${record.id}`, value: secretHash(app, tokenId) };
  const bySession = recordsBy("session", "upstreamSession", upstreamSession === null ? [] : [upstreamSession]);
  const byPerson = recordsBy("session", "personId", identity === null ? [] : [identity.personId]);
  return app.store.submit({
    name: "end_provider_sessions",
    needs: { records: [bySession, byPerson, recordsBy("spentProof", "value", [proof.value])] },
    carryOut(world) {
      const isSpent = world.records("spentProof", "value", proof.value).some(({ scope }) => scope === proof.scope);
      const live = isSpent ? [] : sessionsOf(world, { upstreamSession, identity }).filter(isOpenOf(record.id));
      if (live.length === 0) return { answer: { ended: 0 }, changes: NO_CHANGE };
      const ended = live.map((session) => endedSession(app, session, world.now, "provider_logout"));
      const spent = { ...proof, answer: null, spentAt: world.now, expiresAt: expiresAt + LATE_MS };
      return {
        answer: { ended: ended.length },
        changes: {
          entries: ended.map(({ entry }) => entry),
          records: { session: ended.map((each) => each.record), spentProof: [spent] },
        },
      };
    },
  });
}

/** The session that the notice names, else every one of the subject; both must fit when both are named. */
function sessionsOf(
  world: World,
  { upstreamSession, identity }: { readonly upstreamSession: string | null; readonly identity: IdentityRecord | null },
): readonly SessionRecord[] {
  if (upstreamSession === null) {
    return identity === null ? [] : world.records("session", "personId", identity.personId);
  }
  const named = world.records("session", "upstreamSession", upstreamSession);
  return identity === null ? named : named.filter(({ personId }) => personId === identity.personId);
}

function isOpenOf(providerId: string): (session: SessionRecord) => boolean {
  return (session) => session.providerId === providerId && session.endedAt === null;
}
