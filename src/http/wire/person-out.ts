/** People as the wire shows them (docs/spec/identity.md section 6). */
import type { PersonPage } from "../../app/person-page.ts";
import type { OwnIdentityOut, PersonOut, PersonPageOut } from "../../contract/people.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { FactorRecord, IdentityRecord, SessionRecord } from "../../ports/identity-records.ts";
import type { MemberSummary, OpenTask } from "../../ports/member-reader.ts";

export function personOut({ record, roles, enrolled }: MemberSummary): PersonOut {
  const { id, assignee, displayName, email, status, breakGlass, createdAt } = record;
  return {
    ...{ id, assignee, name: displayName, email, status, enrolled, break_glass: breakGlass },
    roles: roles.map(({ role, source }) => ({ role, source })),
    created_at: wireTime(createdAt),
  };
}

/** `providers`: the names of identity providers by id. */
export function personPageOut(
  page: PersonPage,
  about: { readonly providers: ReadonlyMap<string, string>; readonly currentSession: string | null },
): PersonPageOut {
  return {
    ...personOut(page),
    identities: page.identities.map((identity) => identityOut(identity, about.providers)),
    factors: page.factors.map(personFactorOut),
    sessions: page.sessions.map((session) => sessionOut(session, about.currentSession)),
    machines: page.machines.map(({ id, name, kind }) => ({ id, name, kind })),
    open_tasks: page.openTasks.map(taskOut),
    aliases: page.aliases.map(({ name, proof }) => ({ name, proof })),
  };
}

export function identityOut(
  { id, issuer, providerId, createdAt }: IdentityRecord,
  providers: ReadonlyMap<string, string>,
): OwnIdentityOut {
  const provider = providerId === null ? null : (providers.get(providerId) ?? null);
  return { id, issuer, provider, created_at: wireTime(createdAt) };
}

export function personFactorOut(factor: FactorRecord): PersonPageOut["factors"][number] {
  const { id, type, name, createdAt, lastUsedAt, usableAt, backupEligible, backedUp } = factor;
  const disabled = factor.disabledAt !== null;
  return {
    ...{ id, type, name, created_at: wireTime(createdAt), last_used_at: wireTimeOrNull(lastUsedAt) },
    ...{ usable_at: wireTime(usableAt), device_bound: backupEligible === false, synced: backedUp === true },
    signing: type === "passkey" && !disabled && factor.signingDisabledAt === null,
    disabled,
  };
}

function sessionOut(session: SessionRecord, currentId: string | null): PersonPageOut["sessions"][number] {
  const { id, kind, method, client, address, createdAt, lastSeenAt, expiresAt } = session;
  return {
    ...{ id, kind, method, client, address, created_at: wireTime(createdAt) },
    ...{ last_seen_at: wireTimeOrNull(lastSeenAt), expires_at: wireTime(expiresAt), current: id === currentId },
  };
}

function taskOut(task: OpenTask): PersonPageOut["open_tasks"][number] {
  const { id, requestId, artifactType, artifactId, stageName, dueAt, createdAt } = task;
  return {
    ...{ id, request_id: requestId, artifact_type: artifactType, artifact_id: artifactId, stage_name: stageName },
    ...{ due_at: wireTimeOrNull(dueAt), created_at: wireTime(createdAt) },
  };
}
