/**
 * What one command changes, in the application's words. A store writes all of it together with the ledger entries that
 * describe it, in one transaction, or nothing of it (engine R-STAGE-2).
 */
import type { EngineEvent } from "../core/event.ts";
import type { DelegationId, EventId, PersonId, PolicyId, RequestId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { Policy, PolicyProblem, PolicyStatus } from "../core/policy.ts";
import type { Request } from "../core/request.ts";
import type { EntryDraft } from "../ledger/append.ts";
import type { Opening } from "../ledger/commitment.ts";
import type { AliasRecord, DirectoryEntry } from "./identity-records.ts";
import type { RecordChanges } from "./records.ts";

export interface DescribedEntry {
  readonly draft: EntryDraft;
  readonly openings: readonly Opening[];
}

/** `entry` counts from 0 within the change set's own entries. */
export interface RecordedEvent {
  readonly id: EventId;
  readonly event: EngineEvent;
  readonly payload: JsonObject;
  readonly entry: number;
}

export interface RequestChange {
  /** Null for a new request. Parts that are identical to those in `after` need no writing. */
  readonly before: Request | null;
  readonly after: Request;
  readonly events: readonly RecordedEvent[];
}

export interface PolicyVersion {
  readonly id: PolicyId;
  readonly orgId: string;
  readonly key: string;
  readonly version: number;
  readonly status: PolicyStatus;
  /** Brought by the product: read and copied, never changed through the API (R-POLICY-10). */
  readonly managed: boolean;
  /** The policy JSON as it was written, canonical when it became active (R-POLICY-2). */
  readonly document: JsonObject;
  readonly digest: string;
  readonly problems: readonly PolicyProblem[];
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly updatedBy: string | null;
  readonly updatedAt: Instant;
  readonly activatedAt: Instant | null;
}

export interface DelegationRecord {
  readonly id: DelegationId;
  readonly orgId: string;
  readonly from: PersonId;
  readonly fromName: string;
  readonly to: PersonId;
  readonly toName: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly reason: string | null;
  readonly policyKeys: readonly string[];
  readonly artifactTypes: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Ended early, and no longer listed. */
  readonly deletedAt: Instant | null;
}

/** What somebody who decided was shown, kept for as long as the decision (identity R-SIGN-3). */
export interface DisplayRecord {
  readonly digest: string;
  readonly requestId: RequestId;
  readonly document: JsonObject;
}

/** One line of the audit list, a view of the entry that it belongs to (ledger R-KIND-2). */
export interface AuditRecord {
  readonly id: string;
  readonly entry: number;
  readonly actor: string;
  readonly actorEmail: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly summary: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly metadata: JsonObject;
}

export interface IdempotencyRecord {
  /** SHA-256 over caller and route, hex (R-IDEMP-1). */
  readonly scope: string;
  readonly key: string;
  readonly bodyHash: string;
  readonly status: number;
  readonly body: JsonValue;
  readonly requestId: RequestId | null;
  readonly createdAt: Instant;
}

export interface ChangeSet {
  readonly entries: readonly DescribedEntry[];
  readonly requests?: readonly RequestChange[];
  readonly policies?: readonly PolicyVersion[];
  readonly deletedPolicies?: readonly PolicyVersion[];
  readonly records?: RecordChanges;
  /** Whose attributes, credentials and ledger openings go away for good; the id stays. */
  readonly erased?: readonly PersonId[];
  readonly aliases?: readonly AliasRecord[];
  readonly delegations?: readonly DelegationRecord[];
  readonly directory?: readonly DirectoryEntry[];
  readonly displays?: readonly DisplayRecord[];
  readonly audit?: readonly AuditRecord[];
  readonly idempotency?: readonly IdempotencyRecord[];
}

/** An active policy, compiled once; immutable for ever, so it may be kept in memory by id. */
export interface CompiledPolicy {
  readonly version: PolicyVersion;
  readonly policy: Policy;
}
