/** Who is signed in, on the wire (docs/spec/identity.md section 3, `GET /me`). */
import type { Application } from "../../app/application.ts";
import { organizationsOf, ownAccount } from "../../app/who-am-i.ts";
import type { Actor } from "../../core/person.ts";
import { mayWrite } from "../../core/roles.ts";
import type { Me } from "../../contract/identity.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { OrganizationRecord, SessionRecord } from "../../ports/identity-records.ts";
import { provesFactors } from "../authorized.ts";
import type { CredentialKind } from "../authorization.ts";
import type { ServerOptions } from "../server-options.ts";

/** Whom `Me` is about: a caller, or somebody who has just signed in. */
export interface Someone {
  readonly kind: CredentialKind;
  readonly actor: Actor;
  readonly roles: readonly string[];
  /** Of the organization that they act in. */
  readonly app: Application;
  readonly session: SessionRecord | null;
  readonly enrolled: boolean;
}

type Options = Pick<ServerOptions, "development" | "ledger" | "browser">;

export async function meOut(someone: Someone, { development, ledger, browser }: Options): Promise<Me> {
  const { actor, app, session, kind } = someone;
  return {
    person_id: actor.person?.id ?? null,
    assignee: actor.assignee,
    ...(await attributesOf(someone)),
    roles: [...someone.roles],
    permissions: [...actor.permissions],
    mode: development ? "development" : "production",
    quarantined: ledger.quarantined,
    session: session === null ? null : sessionOut(app, session),
    csrf_token: session !== null && kind === "web_session" ? browser.csrfToken(session.id) : null,
    enrolled: someone.enrolled,
    enrolment_required: mustEnrol(someone),
  };
}

type Attributes = Pick<Me, "name" | "email" | "status" | "organization" | "organizations" | "password_set">;

async function attributesOf({ actor, app }: Someone): Promise<Attributes> {
  const account = actor.person === null ? undefined : await ownAccount(app, actor.person.id);
  const called = actor.displayName === actor.assignee ? null : actor.displayName;
  if (account === undefined) {
    return {
      name: called,
      email: actor.email,
      status: null,
      password_set: false,
      ...within(app, await organizationsOf(app)),
    };
  }
  const { name, email, status, passwordSet, organizations } = account;
  return {
    name: name ?? called,
    email: email ?? actor.email,
    status,
    password_set: passwordSet,
    ...within(app, organizations),
  };
}

/** The present organization comes first. */
function within(
  { orgId }: Application,
  known: readonly OrganizationRecord[],
): Pick<Me, "organization" | "organizations"> {
  const organizations = known.map(({ id, name }) => ({ id, name }));
  return { organization: organizations[0] ?? { id: orgId, name: "" }, organizations };
}

/** R-FACT-10; the table refuses everything else until then. */
function mustEnrol({ kind, session, enrolled, actor, app }: Someone): boolean {
  if (session?.kind === "enrolment") return true;
  if (!provesFactors({ kind, session }) || enrolled) return false;
  return app.identity.requireMfaAll || mayWrite(actor.permissions);
}

function sessionOut(app: Application, session: SessionRecord): NonNullable<Me["session"]> {
  const { id, kind, method, aal, expiresAt, idleSeconds, lastSeenAt, factorAt } = session;
  const seen = app.lastSeen.at(id, lastSeenAt) ?? session.createdAt;
  const openUntil = factorAt === null ? null : factorAt + app.identity.stepUpWindowSeconds * 1_000;
  return {
    ...{ id, kind, method, aal, expires_at: wireTime(expiresAt) },
    idle_expires_at: idleSeconds === null ? null : wireTime(seen + idleSeconds * 1_000),
    step_up_until: wireTimeOrNull(openUntil !== null && openUntil > app.clock() ? openUntil : null),
    development: method === "development",
  };
}
