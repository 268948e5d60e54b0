/**
 * The write side of the application. Commands that arrive together share one transaction; each sees the effect of those
 * before it. A command that fails harms no other (docs/adr/0007-group-commit.md).
 */
import type { Facts, FactsNeeded } from "../core/facts.ts";
import type { DelegationId, NewId, PersonId, RequestId, TaskId } from "../core/ids.ts";
import type { Instant, Person } from "../core/person.ts";
import type { Request } from "../core/request.ts";
import type { EntryFields } from "../ledger/entry.ts";
import type { ChangeSet, CompiledPolicy, DelegationRecord, IdempotencyRecord, PolicyVersion } from "./change-set.ts";
import type { DirectoryEntry, PersonRecord } from "./identity-records.ts";
import type { RecordKind, RecordMember, RecordQuery, Records } from "./records.ts";

/** What a command reads, known before the transaction starts. Everything named is locked or cannot change meanwhile. */
export interface Needs {
  readonly requestIds?: readonly RequestId[];
  /** The requests that these tasks belong to. */
  readonly taskIds?: readonly TaskId[];
  /** The live requests of these people, at most `limit` of them, in the order of their ids. */
  readonly requestsOf?: RequestsOf;
  /** The requests that hold a live key of this form. */
  readonly liveKeys?: readonly LiveKeys[];
  /** The deploy approvals of those requests, to be found by their request. */
  readonly approvalsOfLiveKeys?: readonly LiveKeys[];
  /** The active version of these policy lines. */
  readonly activePolicyKeys?: readonly string[];
  /** Every version of these policy lines. */
  readonly policyKeys?: readonly string[];
  readonly idempotency?: { readonly scope: string; readonly key: string };
  readonly delegationIds?: readonly DelegationId[];
  readonly personIds?: readonly PersonId[];
  readonly identities?: readonly { readonly issuer: string; readonly subject: string }[];
  /** People by exact name; those nobody knows are left out. */
  readonly knownNames?: readonly string[];
  readonly directory?: readonly { readonly kind: "role" | "group"; readonly client: string; readonly name: string }[];
  readonly records?: readonly RecordQuery[];
  /** What the ledger has recorded of these requests. */
  readonly recordedOf?: readonly RequestId[];
  /** How many openings belong to entries that name these people. */
  readonly openingsOf?: readonly PersonId[];
}

/** Where they hold an open task or stand behind one; or in any way: also as who made it, or decided (identity R-ID-7). */
export interface RequestsOf {
  readonly personIds: readonly PersonId[];
  readonly as: "holder" | "anybody";
  readonly limit: number;
}

/** Keys say what at most one live request is about (R-STAGE-8), their beginning and their end what several have in common. */
export interface LiveKeys {
  readonly startsWith: string;
  readonly endsWith: string;
}

/** The state as this command finds it: what `Needs` named, after every earlier command of the same transaction. */
export interface World {
  readonly now: Instant;
  readonly newId: NewId;
  request(id: RequestId): Request | undefined;
  requestOfTask(id: TaskId): Request | undefined;
  /** Those that `Needs.requestsOf` asked for; the command must be `alone`. */
  requestsOfPeople(): readonly Request[];
  /** Those that `Needs.liveKeys` asked for, as they are now; whether they still live is for the engine to say. */
  requestsWithLiveKey(keys: LiveKeys): readonly Request[];
  /** Ascending by version; empty when the line does not exist. */
  policyLine(key: string): readonly PolicyVersion[];
  /** Compiled once; which version is active was read in this transaction (R-POLICY-5). */
  activePolicy(key: string): CompiledPolicy | undefined;
  pinnedPolicy(request: Request): CompiledPolicy;
  idempotent(scope: string, key: string): IdempotencyRecord | undefined;
  delegation(id: DelegationId): DelegationRecord | undefined;
  identity(issuer: string, subject: string): PersonId | undefined;
  personRecord(id: PersonId): PersonRecord | undefined;
  /** The person that goes by this exact name, and the issuers whose tokens have claimed it. */
  known(name: string): { readonly person: Person; readonly claimedBy: readonly string[] } | undefined;
  directoryEntry(kind: "role" | "group", client: string, name: string): DirectoryEntry | undefined;
  /** Openings of entries that name the person; asked for in `Needs.openingsOf`. */
  openingsOf(id: PersonId): number;
  /**
   * What the ledger has recorded of the request, in order, also by earlier commands of this transaction; of its grant's uses
   * the newest alone. Null where an entry cannot be read. Asked for in `Needs.recordedOf`.
   */
  recordedOf(id: RequestId): readonly EntryFields[] | null;
  /** The records that hold the value in this member, in the order of their keys; asked for in `Needs.records`. */
  records<Kind extends RecordKind>(kind: Kind, by: RecordMember<Kind>, value: string): readonly Records[Kind][];
}

export interface StoreCommand<Answer> {
  /** For logs and metrics, in the words of the use case: `decide_task`. */
  readonly name: string;
  readonly needs: Needs;
  /**
   * Changes what other commands read as facts (people, directory, policies, delegations): gets a transaction of its own,
   * so that no command beside it decides on what was loaded before.
   */
  readonly alone?: true;
  /** The people, roles and groups that `carryOut` may ask for. */
  gather?(world: World): FactsNeeded;
  /**
   * Synchronous and without side effects: it may run more than once. Throws only on a bug.
   * A refusal is an answer like any other; whether something changed is said by `changes`.
   */
  carryOut(world: World, facts: Facts): Carried<Answer>;
}

export interface Carried<Answer> {
  readonly answer: Answer;
  readonly changes: ChangeSet;
}

export interface CommandStore {
  /** Resolves after the commit. Rejects with `Unavailable` when nothing was or could be written. */
  submit<Answer>(command: StoreCommand<Answer>): Promise<Answer>;
}
