/**
 * The read side: what pages and lists show, each in a constant number of statements. Visibility (R-AUTH-30) is part of
 * every question: what the viewer may not see does not exist.
 */
import type { Assurance } from "../core/assurance-level.ts";
import type { DelegationId, EventId, PersonId, PolicyId, RequestId, StageRunId, TaskId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { PolicyStatus } from "../core/policy.ts";
import type { Decision, GateName, Request, RequestStatus, Task, TaskKind, TaskStatus } from "../core/request.ts";
import type { EntryFields } from "../ledger/entry.ts";
import type { Page } from "./page.ts";
import type { DelegationRecord, PolicyVersion } from "./change-set.ts";
import type {
  ApiTokenRecord,
  DirectoryEntry,
  MachineRecord,
  OrganizationRecord,
  PersonRecord,
} from "./identity-records.ts";
import type { DeployCallReader } from "./deploy-call-reader.ts";
import type { JobReader } from "./job-reader.ts";
import type { LedgerLineReader } from "./ledger-line-reader.ts";
import type { NumberReader } from "./number-reader.ts";
import type { DeployReader } from "./deploy-reader.ts";
import type { EffectAttemptRecord, EffectRecord } from "./effects.ts";
import type { MemberReader } from "./member-reader.ts";
import type { RecordKind, RecordQuery, Records } from "./records.ts";

/** Who asks. `readsAll` is true for viewers, administrators, and everybody where the installation says so (R-AUTH-31). */
export interface Viewer {
  readonly personId: PersonId | null;
  readonly assignee: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string | null;
  readonly machine: boolean;
  readonly readsAll: boolean;
}

export type RequestSummary = Omit<Request, "stages">;

export interface TaskView {
  readonly task: Task;
  readonly stageId: StageRunId;
  readonly stageOrder: number;
  readonly stageName: string;
  /** What an approval in the stage must be proven by. */
  readonly assurance: Assurance;
  readonly decision: Decision | null;
  readonly request: RequestSummary;
  readonly searchText: string | null;
  /** Approvals of the stage so far, and needed as things stand; null before the stage started. */
  readonly approved: number;
  readonly needed: number | null;
}

export interface StoredEvent {
  readonly id: EventId;
  readonly requestId: RequestId;
  /** Of the request. */
  readonly gate: GateName;
  readonly sequence: number;
  readonly type: string;
  readonly payload: JsonObject;
  readonly createdAt: Instant;
  /** Position of the ledger entry. */
  readonly position: number;
}

export interface RequestFilter {
  readonly artifactType?: string;
  readonly artifactId?: string;
  readonly status?: RequestStatus;
  readonly policyKey?: string;
  readonly requester?: string;
  /** Literal text, any case, over search text and context (R-API-12). */
  readonly q?: string;
  readonly createdAfter?: Instant;
  readonly createdBefore?: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

export interface TaskFilter {
  /** A name; or "everybody": the meaning of `*` (api section 6.4). */
  readonly assignee: { readonly kind: "person"; readonly name: string } | { readonly kind: "everybody" };
  readonly requestId?: RequestId;
  readonly status?: TaskStatus;
  readonly artifactType?: string;
  readonly policyKey?: string;
  readonly searchText?: string;
  readonly kind?: TaskKind;
  readonly overdue?: boolean;
  readonly sort: "-created_at" | "due_at";
  readonly page: number;
  readonly pageSize: number;
  readonly now: Instant;
}

export interface InboxFilter {
  readonly gate?: GateName;
  readonly state: "open" | "done";
  readonly artifactType?: string;
  readonly policyKey?: string;
  readonly q?: string;
  readonly sort: "due_at" | "-created_at";
  readonly cursor?: string;
  readonly limit: number;
}

export interface Inbox extends Page<TaskView> {
  readonly total: number;
  readonly counts: { readonly open: number; readonly done: number };
}

export interface PolicyFilter {
  readonly q?: string;
  readonly status?: PolicyStatus;
  readonly artifactType?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface DelegationFilter {
  readonly name?: string;
  readonly active?: boolean;
  readonly now: Instant;
  readonly limit: number;
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly since?: Instant;
  readonly until?: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

export interface AuditLine {
  readonly id: string;
  readonly occurredAt: Instant;
  readonly actor: string;
  readonly actorEmail: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly summary: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly metadata: JsonObject;
  readonly position: number;
}

export interface DeliveryFilter {
  readonly id?: string;
  readonly status?: "pending" | "delivered" | "exhausted";
  readonly requestId?: string;
  readonly eventType?: string;
  readonly url?: string;
  readonly since?: Instant;
  readonly until?: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

/** An effect of kind `webhook`, with what its attempts say. */
export interface Delivery {
  readonly effect: EffectRecord;
  readonly lastAttemptAt: Instant | null;
  /** An earlier one of the same request, while both wait. */
  readonly blockedBy: string | null;
}

export interface Reader
  extends MemberReader, DeployCallReader, DeployReader, NumberReader, LedgerLineReader, JobReader {
  /** The whole aggregate, one statement. */
  request(id: RequestId, viewer: Viewer): Promise<Request | undefined>;
  requests(filter: RequestFilter, viewer: Viewer): Promise<Page<RequestSummary>>;
  /** What the ledger has recorded of it, as `World.recordedOf` tells. */
  recordedOf(id: RequestId): Promise<readonly EntryFields[] | null>;
  /** Undefined when the request is unknown or not the viewer's to see (R-EVENT-4). */
  events(id: RequestId, afterSequence: number, viewer: Viewer): Promise<readonly StoredEvent[] | undefined>;
  task(id: TaskId, viewer: Viewer): Promise<TaskView | undefined>;
  tasks(filter: TaskFilter, viewer: Viewer): Promise<{ readonly items: readonly TaskView[]; readonly total: number }>;
  /** The viewer's own tasks by artifact type. */
  taskCounts(status: TaskStatus | undefined, viewer: Viewer): Promise<ReadonlyMap<string, number>>;
  inbox(filter: InboxFilter, viewer: Viewer): Promise<Inbox>;
  policies(filter: PolicyFilter): Promise<Page<PolicyVersion>>;
  /** Newest first; empty when the line does not exist. */
  policyVersions(key: string): Promise<readonly PolicyVersion[]>;
  policyVersion(key: string, version: number): Promise<PolicyVersion | undefined>;
  policyById(id: PolicyId): Promise<PolicyVersion | undefined>;
  delegations(filter: DelegationFilter, viewer: Viewer): Promise<readonly DelegationRecord[]>;
  delegation(id: DelegationId): Promise<DelegationRecord | undefined>;
  audit(filter: AuditFilter): Promise<Page<AuditLine>>;
  deliveries(filter: DeliveryFilter): Promise<Page<Delivery>>;
  /** Oldest first; undefined when there is no such delivery here. */
  deliveryAttempts(id: string): Promise<readonly EffectAttemptRecord[] | undefined>;
  /** When each webhook secret last signed a call, by name. */
  secretUses(): Promise<ReadonlyMap<string, Instant>>;
  directory(filter: {
    readonly kind: "role" | "group";
    readonly q?: string;
    readonly limit: number;
  }): Promise<readonly (DirectoryEntry & { readonly memberNames: readonly string[] })[]>;
  people(filter: { readonly q?: string; readonly limit: number }): Promise<readonly PersonRecord[]>;
  /** Which of these exist, for the activation checks of a policy. */
  directoryNames(): Promise<{
    readonly roles: readonly { readonly client: string; readonly role: string }[];
    readonly groups: readonly string[];
  }>;
  /** The person of an identity, else of a name; what signing in needs, in one statement. */
  identify(principal: {
    readonly issuer: string;
    readonly subject: string;
    readonly assignee: string;
  }): Promise<{ readonly byIdentity: IdentifiedPerson | undefined; readonly byName: IdentifiedPerson | undefined }>;
  /** Undefined for somebody who neither comes from this organization nor holds a role in it or on the platform. */
  person(id: PersonId): Promise<KnownMember | undefined>;
  /** By name. */
  machines(filter: MachineFilter): Promise<Page<MachineView>>;
  machine(id: string): Promise<MachineView | undefined>;
  /** Newest first. */
  tokens(filter: TokenFilter): Promise<Page<TokenView>>;
  token(id: string): Promise<TokenView | undefined>;
  /** Tokens of any organization whose time is over, and whose end the ledger does not tell yet. */
  expiredTokens(now: Instant, limit: number): Promise<readonly { readonly id: string; readonly orgId: string }[]>;
  /** Live tokens of any organization that somebody has to be warned of: a moment so many days before their end has come. */
  tokensToWarnOf(asked: {
    readonly now: Instant;
    readonly days: readonly number[];
    readonly limit: number;
  }): Promise<readonly DueToken[]>;
  /** Every organization of the installation, by name. */
  organizations(): Promise<readonly OrganizationRecord[]>;
  /** Records of any organization: whoever asks compares `orgId` before showing one. */
  records<Kind extends RecordKind>(query: RecordQuery<Kind>): Promise<readonly Records[Kind][]>;
  /** Events after this ledger position that the viewer may see, oldest first; for the event stream. */
  eventsAfter(position: number, limit: number, viewer: Viewer): Promise<readonly StoredEvent[]>;
  /** Number of ledger entries. */
  position(): Promise<number>;
  /** How many requests of this machine have not ended; counts no further than `most`. */
  openRequestsOf(maker: { readonly issuer: string; readonly subject: string }, most: number): Promise<number>;
  /** Requests whose timer is due, at most `limit`. */
  dueRequests(now: Instant, limit: number): Promise<readonly RequestId[]>;
  /** When the next timer of any request is due; null when none waits. */
  nextTimerAt(): Promise<Instant | null>;
}

export interface MachineFilter {
  readonly q?: string;
  /** Only what this person owns. */
  readonly ownerId?: PersonId;
  readonly retired?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

export interface MachineView {
  readonly record: MachineRecord;
  /** Owners, contact and the person acted for. */
  readonly people: readonly {
    readonly id: PersonId;
    readonly assignee: string;
    readonly name: string | null;
    readonly active: boolean;
  }[];
  readonly liveTokens: number;
}

export interface TokenFilter {
  readonly machineId?: string;
  readonly ownerId?: PersonId;
  readonly q?: string;
  /** Can be used now, by its own time, its revocation and the machine's retirement. */
  readonly live?: boolean;
  readonly expiresBefore?: Instant;
  /** Those without an end alone. */
  readonly expires?: "never";
  readonly now: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

export interface DueToken {
  readonly id: string;
  readonly orgId: string;
  readonly machineId: string;
}

export interface TokenView {
  readonly record: ApiTokenRecord;
  readonly machine: MachineRecord;
  /** One active owner is enough; true for a service account. */
  readonly ownerActive: boolean;
  readonly lastUsedAt: Instant | null;
}

/** A person as the reader's organization knows them. */
export interface KnownMember {
  readonly record: PersonRecord;
  readonly foldedNames: readonly string[];
  /** Roles in this organization and of the platform. */
  readonly roles: readonly string[];
  /** Holds a factor that can be proven. */
  readonly enrolled: boolean;
}

export interface IdentifiedPerson extends KnownMember {
  /** Subjects of this issuer that have claimed the person. */
  readonly claimedSubjects: readonly string[];
  /** The identity was unlinked: its subject is nobody any more. */
  readonly unlinked: boolean;
}
