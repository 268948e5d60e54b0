/**
 * The command that every way of signing in ends in: is the person let in, and a session opened for them. Implements
 * docs/spec/identity.md R-SESS-2, R-SESS-3 (sessions per person) and the status table of section 1.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { PersonRecord, SessionKind, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordChanges, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { withDeploySettings } from "./deploy/narrowed-identity.ts";
import { describe, hidden } from "./entry-writer.ts";
import { memberActor, statusRefusal } from "./identify.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { sessionRules, type SessionRules } from "./session-rules.ts";
import { endedSession, openedSession, secretHash, sessionName, type SessionOpening } from "./session-record.ts";

export interface SigningIn {
  readonly personId: PersonId;
  readonly kind: SessionKind;
  readonly method: string;
  readonly aal: 1 | 2;
  readonly providerId?: string | null;
  readonly upstreamSession?: string | null;
  /** What the identity provider said about the sign-in (R-IDP-9). */
  readonly claims?: JsonObject;
  readonly client: string | null;
  readonly address: string | null;
  readonly factorId?: string | null;
  /** A factor was proven on the way: opens the step-up window. */
  readonly factorProven?: boolean;
  /** Chosen before, where something else must know the session by its id. */
  readonly sessionId?: string | null;
  /** The session that the browser had before: it ends with this one's beginning (session fixation). */
  readonly replaces?: string | null;
  /** What `also` looks at in the same transaction. */
  readonly reads?: readonly RecordQuery[];
  /** What changes with the sign-in in the same transaction: roles of a provider, a link that is used; or why not after all. */
  readonly also?: (world: World, person: PersonRecord) => SignInChanges | Refusal;
}

export interface SignInChanges {
  readonly records: RecordChanges;
  readonly entries: readonly DescribedEntry[];
}

export interface SignedIn {
  readonly token: string;
  readonly session: SessionRecord;
  readonly actor: Actor;
  readonly enrolled: boolean;
}

export async function signIn(given: Application, about: SigningIn): Promise<SignedIn | Refusal> {
  // Nobody is signed in yet, so nobody has narrowed what the gate's settings narrow (deploy R-SETTINGS-3).
  const app = await withDeploySettings(given);
  const rules = await sessionRules(app);
  const replaced = about.replaces === undefined || about.replaces === null ? [] : [secretHash(app, about.replaces)];
  const opened = await app.store.submit<{ readonly token: string; readonly session: SessionRecord } | Refusal>({
    name: "sign_in",
    needs: {
      personIds: [about.personId],
      records: [
        recordsBy("session", "personId", [about.personId]),
        recordsBy("session", "tokenHash", replaced),
        ...(about.reads ?? []),
      ],
    },
    carryOut(world) {
      const person = world.personRecord(about.personId);
      const refused = person === undefined ? credentialsInvalid() : entranceRefusal(person, about.kind);
      if (person === undefined || refused !== null)
        return { answer: refused ?? credentialsInvalid(), changes: NO_CHANGE };
      return open(app, world, { about, person, replaced, rules });
    },
  });
  if (isRefusal(opened)) return opened;
  const member = await app.reader.person(about.personId);
  if (member === undefined) return credentialsInvalid();
  return { ...opened, actor: memberActor(member, sessionName(opened.session)), enrolled: member.enrolled };
}

/** Invited people get a session for enrolling and nothing else; placeholders get none. */
function entranceRefusal({ status }: PersonRecord, kind: SessionKind): Refusal | null {
  if (status === "active" || (status === "invited" && kind === "enrolment")) return null;
  return statusRefusal(status) ?? credentialsInvalid();
}

interface Opening {
  readonly about: SigningIn;
  readonly person: PersonRecord;
  /** Hashes of the secrets that end. */
  readonly replaced: readonly string[];
  readonly rules: SessionRules;
}

function open(
  app: Application,
  world: World,
  { about, person, replaced, rules }: Opening,
): Carried<{ readonly token: string; readonly session: SessionRecord } | Refusal> {
  const { now } = world;
  const also = about.also?.(world, person) ?? { records: {}, entries: [] };
  if (isRefusal(also)) return { answer: also, changes: NO_CHANGE };
  const opened = openedSession(app, now, openingOf(app, about, rules));
  const live = world
    .records("session", "personId", about.personId)
    .filter((session) => session.endedAt === null && session.expiresAt > now);
  const fixed = replaced
    .flatMap((hash) => world.records("session", "tokenHash", hash))
    .filter((old) => old.endedAt === null);
  const kept = live.filter((session) => !fixed.includes(session));
  const tooMany = [...kept]
    .sort((left, right) => left.createdAt - right.createdAt)
    .slice(0, Math.max(0, kept.length + 1 - rules.perPerson));
  const ended = [
    ...fixed.map((session) => endedSession(app, session, now, "replaced")),
    ...tooMany.map((session) => endedSession(app, session, now, "too_many")),
  ];
  const signedIn: PersonRecord = {
    ...(also.records.person?.[0] ?? person),
    firstSignedInAt: person.firstSignedInAt ?? now,
  };
  return {
    answer: { token: opened.token, session: opened.record },
    changes: {
      entries: [...also.entries, ...ended.map(({ entry }) => entry), opened.entry],
      records: {
        ...also.records,
        person: [signedIn],
        session: [...ended.map(({ record }) => record), opened.record],
      },
    },
  };
}

function openingOf(app: Application, about: SigningIn, rules: SessionRules): SessionOpening {
  const { identity } = app;
  const { personId, kind, method, aal, client, address } = about;
  const web = { lifeSeconds: rules.webSeconds, idleSeconds: rules.idleSeconds };
  const life = kind === "cli" ? { lifeSeconds: identity.cliSeconds, idleSeconds: null } : web;
  return {
    ...{ personId, kind, method, aal, client, address, ...life },
    ...(kind === "enrolment" ? { lifeSeconds: ENROLMENT_SECONDS } : {}),
    id: about.sessionId ?? app.newId(),
    providerId: about.providerId ?? null,
    upstreamSession: about.upstreamSession ?? null,
    claims: about.claims ?? {},
    factorId: about.factorId ?? null,
    factorProven: about.factorProven ?? false,
  };
}

const ENROLMENT_SECONDS = 3_600;

/** One answer for everything that is wrong (R-LOCAL-3). */
export function credentialsInvalid(): Refusal {
  return refuse("credentials_invalid", "Login, password or second factor is not right");
}

/** A refused sign-in of a known person is an entry of theirs (R-LOCAL-3 hides the cause from the caller, not from the ledger). */
export async function recordRefusedSignIn(
  app: Application,
  about: {
    readonly personId: PersonId;
    readonly method: string;
    readonly channel: SessionKind;
    readonly cause: string;
    readonly address: string | null;
  },
): Promise<void> {
  const { personId, method, channel, cause, address } = about;
  await app.store.submit({
    name: "record_refused_sign_in",
    needs: {},
    carryOut: () => ({
      answer: null,
      changes: {
        entries: [
          describe(
            {
              ...{ org: ledgerId("org", app.orgId), kind: "login.refused", actor: ledgerId("usr", personId) },
              ...{ credential: null, resource: null, request: null },
              data: { cause, method, channel, address: hidden(address) },
            },
            app,
          ),
        ],
      },
    }),
  });
}
