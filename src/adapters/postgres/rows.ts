/**
 * How does a row become a value of the application? Each kind of row has its column list, its shape as value-parsers.ts
 * delivers it, and one function. The database's constraints guarantee what the shapes promise; nothing here guesses.
 * Times are ISO text in rows and milliseconds since 1970 in values.
 */
import type { Grant, GrantState, RevokedReason } from "../../core/grant.ts";
import type { DelegationId, GrantId, PersonId, PolicyId, RequestId } from "../../core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { PolicyProblem, PolicyStatus } from "../../core/policy.ts";
import type { GateName, RequestCallback, RequestOutcome, RequestStatus, Resolution } from "../../core/request.ts";
import type { DelegationRecord, IdempotencyRecord, PolicyVersion } from "../../ports/change-set.ts";
import type { DirectoryEntry, PersonRecord } from "../../ports/identity-records.ts";
import type { RequestSummary } from "../../ports/reader.ts";

/** Both forms that Postgres has: `…257000Z` of a column, `…257+00:00` inside JSON. */
export function instant(text: string): Instant {
  return Date.parse(text);
}

export function instantOrNull(text: string | null): Instant | null {
  return text === null ? null : Date.parse(text);
}

/** The text that a timestamptz parameter takes. */
export function timestamp(at: Instant): string {
  return new Date(at).toISOString();
}

/** Columns of `requests r left join request_timers timer`. */
export const REQUEST_COLUMNS = `r.id, r.org_id, r.gate, r.live_key, r.policy_id, r.policy_key, r.policy_version, r.policy_digest, r.artifact_type,
  r.artifact_id, r.requester, r.creator_issuer, r.creator_subject, r.creator_client_id, r.creator_assignee,
  r.creator_person_id, r.creator_machine, r.creator_stands_for, r.context, r.revision, r.salt, r.digest, r.status, r.current_stage_order,
  r.created_at, r.updated_at, r.expires_at, r.completed_at, r.outcome, r.callback, r.event_count, timer.resolution,
  (select json_build_object('id', g.id, 'state', g.state, 'not_before', g.not_before, 'expires_at', g.expires_at,
    'uses_max', g.uses_max, 'uses', g.uses, 'extensions', g.extensions, 'ended_at', g.ended_at,
    'revoked_reason', g.revoked_reason, 'revoked_comment', g.revoked_comment)
   from grants g where g.request_id = r.id) as grant_row`;

export interface RequestRow {
  readonly id: RequestId;
  readonly org_id: string;
  readonly gate: GateName;
  readonly live_key: string | null;
  readonly callback: RequestCallback | null;
  readonly policy_id: PolicyId;
  readonly policy_key: string;
  readonly policy_version: number;
  readonly policy_digest: string;
  readonly artifact_type: string;
  readonly artifact_id: string;
  readonly requester: string;
  readonly creator_issuer: string;
  readonly creator_subject: string;
  readonly creator_client_id: string | null;
  readonly creator_assignee: string;
  readonly creator_person_id: PersonId | null;
  readonly creator_machine: boolean;
  readonly creator_stands_for: readonly PersonId[];
  readonly context: JsonObject;
  readonly revision: number;
  readonly salt: string;
  readonly digest: string;
  readonly status: RequestStatus;
  readonly current_stage_order: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly expires_at: string;
  readonly completed_at: string | null;
  readonly outcome: StoredOutcome | null;
  readonly event_count: number;
  readonly resolution: Resolution | null;
  readonly grant_row: GrantRow | null;
}

/** Outcomes of before causes were kept have none. */
type StoredOutcome = Omit<RequestOutcome, "cause" | "supersededBy"> &
  Partial<Pick<RequestOutcome, "cause" | "supersededBy">>;

interface GrantRow {
  readonly id: GrantId;
  readonly state: GrantState;
  readonly not_before: string;
  readonly expires_at: string | null;
  readonly uses_max: number | null;
  readonly uses: number;
  readonly extensions: number;
  readonly ended_at: string | null;
  readonly revoked_reason: RevokedReason | null;
  readonly revoked_comment: string | null;
}

function grantFromRow(row: GrantRow): Grant {
  return {
    id: row.id,
    state: row.state,
    notBefore: instant(row.not_before),
    expiresAt: instantOrNull(row.expires_at),
    usesMax: row.uses_max,
    uses: row.uses,
    extensions: row.extensions,
    endedAt: instantOrNull(row.ended_at),
    revokedReason: row.revoked_reason,
    revokedComment: row.revoked_comment,
  };
}

/** Everything about a request but its stages. */
export function requestFromRow(row: RequestRow): RequestSummary {
  return {
    id: row.id,
    orgId: row.org_id,
    gate: row.gate,
    liveKey: row.live_key,
    policy: { id: row.policy_id, key: row.policy_key, version: row.policy_version, digest: row.policy_digest },
    artifactType: row.artifact_type,
    artifactId: row.artifact_id,
    requester: row.requester,
    creator: {
      issuer: row.creator_issuer,
      subject: row.creator_subject,
      clientId: row.creator_client_id,
      assignee: row.creator_assignee,
      personId: row.creator_person_id,
      machine: row.creator_machine,
      standsFor: row.creator_stands_for,
    },
    context: row.context,
    revision: row.revision,
    salt: row.salt,
    digest: row.digest,
    status: row.status,
    currentStageOrder: row.current_stage_order,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    expiresAt: instant(row.expires_at),
    completedAt: instantOrNull(row.completed_at),
    outcome: row.outcome === null ? null : { cause: null, supersededBy: null, ...row.outcome },
    resolution: row.resolution,
    callback: row.callback,
    grant: row.grant_row === null ? null : grantFromRow(row.grant_row),
    eventCount: row.event_count,
  };
}

/** Columns of `policies p`. */
export const POLICY_COLUMNS = `p.id, p.org_id, p.policy_key, p.version, p.status, p.managed, p.document, p.digest, p.problems,
  p.created_by, p.created_at, p.updated_by, p.updated_at, p.activated_at`;

export interface PolicyRow {
  readonly id: PolicyId;
  readonly org_id: string;
  readonly policy_key: string;
  readonly version: number;
  readonly status: PolicyStatus;
  readonly managed: boolean;
  /** JSON text, not parsed by the driver: its digest is over these very characters. */
  readonly document: string;
  readonly digest: string;
  readonly problems: readonly PolicyProblem[];
  readonly created_by: string;
  readonly created_at: string;
  readonly updated_by: string | null;
  readonly updated_at: string;
  readonly activated_at: string | null;
}

export function policyFromRow(row: PolicyRow): PolicyVersion {
  return {
    id: row.id,
    orgId: row.org_id,
    key: row.policy_key,
    version: row.version,
    status: row.status,
    managed: row.managed,
    document: jsonObjectFromText(row.document),
    digest: row.digest,
    problems: row.problems,
    createdBy: row.created_by,
    createdAt: instant(row.created_at),
    updatedBy: row.updated_by,
    updatedAt: instant(row.updated_at),
    activatedAt: instantOrNull(row.activated_at),
  };
}

function jsonObjectFromText(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error("Bug: a policy document is stored that is no JSON object");
  return value;
}

/** Columns of `people person`. */
export const PERSON_COLUMNS = `person.id, person.org_id, person.assignee, person.display_name, person.email, person.status,
  person.handle, person.first_signed_in_at, person.break_glass, person.created_at`;

export interface PersonRow {
  readonly id: PersonId;
  readonly org_id: string;
  readonly assignee: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly status: PersonRecord["status"];
  readonly handle: string | null;
  readonly first_signed_in_at: string | null;
  readonly break_glass: boolean;
  readonly created_at: string;
}

export function personFromRow(row: PersonRow): PersonRecord {
  return {
    id: row.id,
    orgId: row.org_id,
    assignee: row.assignee,
    displayName: row.display_name,
    email: row.email,
    status: row.status,
    handle: row.handle,
    firstSignedInAt: instantOrNull(row.first_signed_in_at),
    breakGlass: row.break_glass,
    createdAt: instant(row.created_at),
  };
}

/** Columns of `delegations delegation`. */
export const DELEGATION_COLUMNS = `delegation.id, delegation.org_id, delegation.from_person_id, delegation.from_name,
  delegation.to_person_id, delegation.to_name, delegation.starts_at, delegation.ends_at, delegation.reason,
  delegation.policy_keys, delegation.artifact_types, delegation.created_by, delegation.created_at, delegation.updated_at,
  delegation.deleted_at`;

export interface DelegationRow {
  readonly id: DelegationId;
  readonly org_id: string;
  readonly from_person_id: PersonId;
  readonly from_name: string;
  readonly to_person_id: PersonId;
  readonly to_name: string;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly reason: string | null;
  readonly policy_keys: readonly string[];
  readonly artifact_types: readonly string[];
  readonly created_by: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly deleted_at: string | null;
}

export function delegationFromRow(row: DelegationRow): DelegationRecord {
  return {
    id: row.id,
    orgId: row.org_id,
    from: row.from_person_id,
    fromName: row.from_name,
    to: row.to_person_id,
    toName: row.to_name,
    startsAt: instant(row.starts_at),
    endsAt: instant(row.ends_at),
    reason: row.reason,
    policyKeys: row.policy_keys,
    artifactTypes: row.artifact_types,
    createdBy: row.created_by,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    deletedAt: instantOrNull(row.deleted_at),
  };
}

/** Columns of `directory_entries entry`. */
export const DIRECTORY_COLUMNS =
  "entry.org_id, entry.kind, entry.client, entry.name, entry.members, entry.created_at, entry.deleted";

export interface DirectoryRow {
  readonly org_id: string;
  readonly kind: DirectoryEntry["kind"];
  readonly client: string;
  readonly name: string;
  readonly members: readonly PersonId[];
  readonly created_at: string;
  readonly deleted: boolean;
}

export function directoryEntryFromRow(row: DirectoryRow): DirectoryEntry {
  return {
    orgId: row.org_id,
    kind: row.kind,
    client: row.client,
    name: row.name,
    members: row.members,
    createdAt: instant(row.created_at),
    deleted: row.deleted,
  };
}

/** Columns of `idempotency_keys stored`. */
export const IDEMPOTENCY_COLUMNS = `stored.scope, stored.key, stored.body_hash, stored.status, stored.body, stored.request_id,
  stored.created_at`;

export interface IdempotencyRow {
  readonly scope: string;
  readonly key: string;
  readonly body_hash: string;
  readonly status: number;
  readonly body: JsonValue;
  readonly request_id: RequestId | null;
  readonly created_at: string;
}

export function idempotencyFromRow(row: IdempotencyRow): IdempotencyRecord {
  return {
    scope: row.scope,
    key: row.key,
    bodyHash: row.body_hash,
    status: row.status,
    body: row.body,
    requestId: row.request_id,
    createdAt: instant(row.created_at),
  };
}
