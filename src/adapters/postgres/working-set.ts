/**
 * The state of one transaction in memory: what was loaded, and what its earlier commands made of it. Each command of a
 * batch sees those before it.
 */
import type { NewId, PersonId, PolicyId, RequestId, TaskId } from "../../core/ids.ts";
import { compilePolicy } from "../../core/compile-policy.ts";
import type { Instant } from "../../core/person.ts";
import { Bug } from "../../core/refusal.ts";
import type { Request } from "../../core/request.ts";
import type { EntryDraft } from "../../ledger/append.ts";
import type { EntryFields } from "../../ledger/entry.ts";
import type {
  ChangeSet,
  CompiledPolicy,
  DelegationRecord,
  IdempotencyRecord,
  PolicyVersion,
} from "../../ports/change-set.ts";
import type { DirectoryEntry } from "../../ports/identity-records.ts";
import type { LiveKeys, World } from "../../ports/command-store.ts";
import type { RecordKind, RecordMember, Records } from "../../ports/records.ts";
import type { KnownPerson } from "./batch-loads.ts";
import { RECORD_KINDS, RECORD_TABLES, recordKey } from "./record-tables.ts";
import { recordedName } from "./recorded-entries.ts";

/** Active and archived versions never change, so one compilation serves for ever (R-POLICY-2). */
export class PolicyCache {
  readonly #compiled = new Map<PolicyId, CompiledPolicy>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(id: PolicyId): CompiledPolicy | undefined {
    return this.#compiled.get(id);
  }

  /** The status may be out of date when it is read: whoever uses a cached policy has just confirmed its id. */
  add(version: PolicyVersion): CompiledPolicy {
    const compiled = { version, policy: compilePolicy(version.document) };
    const oldest = this.#compiled.keys().next();
    if (this.#compiled.size >= this.#sizeMax && oldest.done === false) this.#compiled.delete(oldest.value);
    this.#compiled.set(version.id, compiled);
    return compiled;
  }
}

export type LoadedRecords = readonly {
  readonly kind: RecordKind;
  readonly records: readonly Records[RecordKind][];
}[];

export interface Loaded {
  readonly requests: readonly Request[];
  readonly openings: ReadonlyMap<PersonId, number>;
  /** By the ledger's name of the request; null where an entry cannot be read. */
  readonly recorded: ReadonlyMap<string, readonly EntryFields[] | null>;
  readonly policyLines: readonly PolicyVersion[];
  readonly activeIds: ReadonlyMap<string, PolicyId>;
  readonly idempotency: readonly IdempotencyRecord[];
  readonly delegations: readonly DelegationRecord[];
  readonly directory: readonly DirectoryEntry[];
  readonly records: LoadedRecords;
  readonly identities: readonly { readonly issuer: string; readonly subject: string; readonly person_id: PersonId }[];
  readonly known: ReadonlyMap<string, KnownPerson>;
  readonly knownById: readonly KnownPerson[];
}

export class WorkingSet implements World {
  readonly now: Instant;
  readonly newId: NewId;
  readonly #loaded: Loaded;
  readonly #policies: PolicyCache;
  readonly #requests: Map<RequestId, Request>;
  readonly #requestOfTask = new Map<TaskId, RequestId>();
  readonly #idempotency: Map<string, IdempotencyRecord>;
  readonly #recorded: Map<string, readonly EntryFields[] | null>;
  readonly #records = new Map<RecordKind, Map<string, Records[RecordKind]>>();

  constructor(loaded: Loaded, tools: { now: Instant; newId: NewId; policies: PolicyCache }) {
    this.#loaded = loaded;
    this.#policies = tools.policies;
    this.now = tools.now;
    this.newId = tools.newId;
    this.#recorded = new Map(loaded.recorded);
    this.#requests = new Map(loaded.requests.map((request) => [request.id, request]));
    for (const request of loaded.requests) this.#indexTasks(request);
    for (const { kind, records } of loaded.records) this.#keep(kind, records);
    this.#idempotency = new Map(loaded.idempotency.map((record) => [idempotencyKey(record.scope, record.key), record]));
  }

  request(id: RequestId): Request | undefined {
    return this.#requests.get(id);
  }

  requestOfTask(id: TaskId): Request | undefined {
    const requestId = this.#requestOfTask.get(id);
    return requestId === undefined ? undefined : this.#requests.get(requestId);
  }

  requestsOfPeople(): readonly Request[] {
    return [...this.#requests.values()];
  }

  requestsWithLiveKey({ startsWith, endsWith }: LiveKeys): readonly Request[] {
    return [...this.#requests.values()].filter(
      ({ liveKey }) => liveKey !== null && liveKey.startsWith(startsWith) && liveKey.endsWith(endsWith),
    );
  }

  policyLine(key: string): readonly PolicyVersion[] {
    return this.#loaded.policyLines.filter((version) => version.key === key);
  }

  activePolicy(key: string): CompiledPolicy | undefined {
    const id = this.#loaded.activeIds.get(key);
    if (id === undefined) return undefined;
    const compiled = this.#policies.get(id);
    if (compiled === undefined) throw new Bug("the active policy was not loaded");
    return compiled;
  }

  pinnedPolicy(request: Request): CompiledPolicy {
    const compiled = this.#policies.get(request.policy.id);
    if (compiled === undefined) throw new Bug("the request's policy was not loaded");
    return compiled;
  }

  idempotent(scope: string, key: string): IdempotencyRecord | undefined {
    return this.#idempotency.get(idempotencyKey(scope, key));
  }

  delegation(id: string): DelegationRecord | undefined {
    return this.#loaded.delegations.find((delegation) => delegation.id === id);
  }

  identity(issuer: string, subject: string): PersonId | undefined {
    return this.#loaded.identities.find((identity) => identity.issuer === issuer && identity.subject === subject)
      ?.person_id;
  }

  personRecord(id: PersonId): KnownPerson["record"] | undefined {
    return this.#person(id)?.record;
  }

  known(name: string): { readonly person: KnownPerson["person"]; readonly claimedBy: readonly string[] } | undefined {
    const found = this.#loaded.known.get(name);
    if (found === undefined) return undefined;
    const claims = this.#loaded.identities.filter((identity) => identity.person_id === found.person.id);
    return { person: found.person, claimedBy: claims.map((claim) => claim.issuer) };
  }

  directoryEntry(kind: "role" | "group", client: string, name: string): DirectoryEntry | undefined {
    return this.#loaded.directory.find(
      (entry) => entry.kind === kind && entry.client === client && entry.name === name && !entry.deleted,
    );
  }

  openingsOf(id: PersonId): number {
    return this.#loaded.openings.get(id) ?? 0;
  }

  recordedOf(id: RequestId): readonly EntryFields[] | null {
    return this.#recorded.get(recordedName(id)) ?? null;
  }

  records<Kind extends RecordKind>(kind: Kind, by: RecordMember<Kind>, value: string): readonly Records[Kind][] {
    const holds = (record: Records[RecordKind]): record is Records[Kind] => {
      const held: unknown = Reflect.get(record, by);
      return Array.isArray(held) ? held.includes(value) : held === value;
    };
    return [...(this.#records.get(kind)?.values() ?? [])].filter(holds);
  }

  /** Later commands of the same transaction go on from here. */
  apply(changes: ChangeSet): void {
    for (const { after } of changes.requests ?? []) {
      this.#requests.set(after.id, after);
      this.#indexTasks(after);
    }
    for (const record of changes.idempotency ?? []) {
      this.#idempotency.set(idempotencyKey(record.scope, record.key), record);
    }
    for (const kind of RECORD_KINDS) this.#keep(kind, changes.records?.[kind] ?? []);
    for (const { draft } of changes.entries) this.#record(draft);
  }

  /** Where it will stand is not known before the commit: after all that is known of the request. */
  #record(draft: EntryDraft): void {
    const known = draft.request === null ? null : this.#recorded.get(draft.request);
    if (draft.request === null || known === null) return;
    const before = known ?? [];
    const at = new Date(this.now).toISOString();
    const entry: EntryFields = { ...draft, v: 1, seq: (before.at(-1)?.seq ?? 0) + 1, at, prev: "" };
    this.#recorded.set(draft.request, [...before, entry]);
  }

  #keep(kind: RecordKind, records: readonly Records[RecordKind][]): void {
    if (records.length === 0) return;
    const byKey = this.#records.get(kind) ?? new Map<string, Records[RecordKind]>();
    for (const record of records) byKey.set(recordKey(RECORD_TABLES[kind], record), record);
    this.#records.set(kind, byKey);
  }

  #person(id: PersonId): KnownPerson | undefined {
    return (
      this.#loaded.knownById.find(({ record }) => record.id === id) ??
      [...this.#loaded.known.values()].find(({ record }) => record.id === id)
    );
  }

  #indexTasks(request: Request): void {
    for (const run of request.stages) for (const task of run.tasks) this.#requestOfTask.set(task.id, request.id);
  }
}

function idempotencyKey(scope: string, key: string): string {
  return `${scope} ${key}`;
}
