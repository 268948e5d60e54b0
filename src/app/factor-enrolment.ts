/**
 * When does somebody count as enrolled, and what becomes of the session in which they got there? With a passkey, or with an
 * authenticator beside a password or an identity provider (docs/spec/identity.md section 4, R-LOCAL-1, status table of
 * section 1).
 */
import type { PersonId } from "../core/ids.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { FactorRecord, IdentityRecord, PersonRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import type { Prover } from "./factor-throttle.ts";
import { isLiveFactor } from "./factor-used.ts";
import { LOCAL_ISSUER } from "./identify.ts";
import { ledgerId } from "./ledger-names.ts";
import { renewedSession, sessionName } from "./session-record.ts";

export interface Holdings {
  readonly factors: readonly FactorRecord[];
  readonly hasPassword: boolean;
  readonly identities: readonly Pick<IdentityRecord, "issuer" | "unlinkedAt">[];
}

export function isEnrolled({ factors, hasPassword, identities }: Holdings): boolean {
  const live = factors.filter(isLiveFactor);
  if (live.some(({ type }) => type === "passkey")) return true;
  const hasProvider = identities.some(({ issuer, unlinkedAt }) => issuer !== LOCAL_ISSUER && unlinkedAt === null);
  return live.length > 0 && (hasPassword || hasProvider);
}

/** What `holdingsIn` and `grownSession` look at. */
export function holdingsNeeded({ personId, sessionId }: Prover): readonly RecordQuery[] {
  return [
    recordsBy("factor", "personId", [personId]),
    recordsBy("password", "personId", [personId]),
    recordsBy("identity", "personId", [personId]),
    recordsBy("session", "id", sessionId === null ? [] : [sessionId]),
  ];
}

export function holdingsIn(world: World, personId: PersonId): Holdings {
  return {
    factors: world.records("factor", "personId", personId),
    hasPassword: world.records("password", "personId", personId).length > 0,
    identities: world.records("identity", "personId", personId),
  };
}

export interface GrownSession {
  readonly sessions: readonly SessionRecord[];
  readonly people: readonly PersonRecord[];
  readonly entries: readonly DescribedEntry[];
  /** The new secret of a session that became a full one; null when it stays what it is. */
  readonly renewed: { readonly token: string; readonly session: SessionRecord } | null;
}

const UNGROWN: GrownSession = { sessions: [], people: [], entries: [], renewed: null };

/**
 * A session for enrolling becomes a full one as soon as its person is enrolled and has proven a factor in it: the one just
 * confirmed, or one before. Whoever was invited is active from then on.
 */
export function grownSession(
  app: Application,
  world: World,
  about: { readonly who: Prover; readonly holdings: Holdings; readonly confirmed: FactorRecord | null },
): GrownSession {
  const { who, holdings, confirmed } = about;
  const session = liveSession(world, who);
  if (session !== undefined && confirmed !== null && lacksSecondFactor(session)) {
    const proven = { factorAt: world.now, factorId: confirmed.id, aal: 2 };
    const renewed = renewedSession(app, session, world.now, proven);
    return { ...UNGROWN, sessions: renewed.records, renewed: { token: renewed.token, session: renewed.record } };
  }
  if (session?.kind !== "enrolment") return UNGROWN;
  const proven =
    confirmed === null
      ? { factorAt: session.factorAt, factorId: session.factorId }
      : { factorAt: world.now, factorId: confirmed.id };
  if (!isEnrolled(holdings) || proven.factorAt === null) {
    return confirmed === null ? UNGROWN : { ...UNGROWN, sessions: [{ ...session, ...proven }] };
  }
  const renewed = renewedSession(app, session, world.now, {
    ...{ kind: "web", aal: 2, ...proven, method: methodOf(session, holdings) },
    ...{ expiresAt: world.now + app.identity.webSeconds * 1_000, idleSeconds: app.identity.webIdleSeconds },
  });
  const grown = { sessions: renewed.records, renewed: { token: renewed.token, session: renewed.record } };
  return { ...grown, ...claimed(app, world, { personId: who.personId, session }) };
}

/** What a provider opened that is not marked for two factors: confirming one of ours is the second (R-IDP-9). */
function lacksSecondFactor({ kind, method, aal }: SessionRecord): boolean {
  return kind === "web" && method === "oidc" && aal < 2;
}

/** The session as it is in this transaction; undefined when it has ended. */
export function liveSession(world: World, { sessionId, personId }: Prover): SessionRecord | undefined {
  if (sessionId === null) return undefined;
  return world
    .records("session", "id", sessionId)
    .find((session) => session.personId === personId && session.endedAt === null);
}

/** How they would sign in from now on; a session that a provider opened stays the provider's. */
function methodOf({ method }: SessionRecord, { factors }: Holdings): string {
  if (method === "oidc") return method;
  return factors.some((factor) => factor.type === "passkey" && isLiveFactor(factor)) ? "passkey" : "password";
}

function claimed(
  app: Application,
  world: World,
  { personId, session }: { readonly personId: PersonId; readonly session: SessionRecord },
): Pick<GrownSession, "people" | "entries"> {
  const person = world.personRecord(personId);
  if (person?.status !== "invited") return { people: [], entries: [] };
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "person.claimed", actor: ledgerId("usr", personId) },
      ...{ credential: sessionName(session), resource: null, request: null },
      data: { person: ledgerId("usr", personId), source: "enrolment" },
    },
    app,
  );
  const firstSignedInAt = person.firstSignedInAt ?? world.now;
  return { people: [{ ...person, status: "active", firstSignedInAt }], entries: [entry] };
}
