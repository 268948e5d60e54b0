/**
 * People, policies and requests written straight into the tables, for tests of the read side: what a page shows must not
 * depend on how it came about. Each row names a ledger entry, because the schema asks for one.
 */
import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { type PersonId, type PolicyId, type RequestId, type StageRunId, type TaskId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { foldName } from "../../src/core/person.ts";
import type { RequestStatus, TaskKind, TaskStatus } from "../../src/core/request.ts";
import { randomId } from "../../src/main/random-id.ts";
import type { Viewer } from "../../src/ports/reader.ts";

export const ISSUER = "https://issuer.test";
export const START = Date.UTC(2026, 0, 5, 9);

export interface StoredPerson {
  readonly id: PersonId;
  readonly name: string;
}

export interface RequestTraits {
  readonly requester?: string;
  readonly creator?: StoredPerson;
  readonly creatorSubject?: string;
  readonly creatorIssuer?: string;
  readonly clientId?: string;
  readonly artifactType?: string;
  readonly context?: JsonObject;
  readonly searchText?: string;
  readonly status?: RequestStatus;
  readonly createdAt?: number;
}

export interface TaskTraits {
  readonly status?: TaskStatus;
  readonly kind?: TaskKind;
  readonly delegator?: StoredPerson;
  readonly dueAt?: number | null;
  readonly createdAt?: number;
}

export interface StoredRequest {
  readonly id: RequestId;
  readonly stageId: StageRunId;
}

const ORDINARY_REQUEST = {
  requester: "somebody",
  creatorIssuer: ISSUER,
  creatorSubject: "nobody-in-particular",
  artifactType: "payout.batch",
  context: { amount: 10 },
  status: "in_review",
} as const satisfies RequestTraits;

const ORDINARY_TASK = { kind: "approver", status: "open", dueAt: null } as const satisfies TaskTraits;

export class StoredApprovals {
  readonly orgId = randomUUID();
  private readonly pool: Pool;
  private policyId: PolicyId | null = null;
  private entries = 0;
  private minutes = 0;
  private places = 0;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  async prepare(): Promise<void> {
    await this.pool.query("insert into organizations values ($1, 'test', now())", [this.orgId]);
    await this.pool.query(
      "insert into ledger_head values (true, 'localhost/test', 0, '', '', '{}', null) on conflict do nothing",
    );
  }

  async person(name: string): Promise<StoredPerson> {
    const id = randomId<"person">();
    const entry = await this.entry();
    await this.pool.query("insert into people values ($1, $2, $3, $4, null, 'active', now(), $5)", [
      ...[id, this.orgId, name, `${name} by name`, entry],
    ]);
    await this.pool.query("insert into aliases values ($1, $2, $3, $4, 'asserted', $5)", [
      ...[this.orgId, name, foldName(name), id, entry],
    ]);
    return { id, name };
  }

  async policy(key: string, version = 1, status = "active", stage: JsonObject = {}): Promise<PolicyId> {
    const id = randomId<"policy">();
    const rules = [{ rule_type: "user", rule_value: { user_id: "ben" }, kind: "approver", required: false }];
    const document = {
      ...{ policy_key: key, name: `Policy ${key}`, artifact_type: "payout.batch" },
      stages: [{ name: "First", stage_order: 1, mode: "any-n", mode_value: 2, rules, ...stage }],
    };
    await this.pool.query(
      `insert into policies values ($1, $2, $3, $4, $5, $6, 'payout.batch', $7, 'sha256:00', '[]', 'root', now(), null, now(), null, $8)`,
      [id, this.orgId, key, version, status, document.name, JSON.stringify(document), await this.entry()],
    );
    return id;
  }

  async request(given: RequestTraits = {}): Promise<StoredRequest> {
    const traits = { ...ORDINARY_REQUEST, ...given };
    this.policyId ??= await this.policy("payout.v1");
    const id = randomId<"request">();
    const stageId = randomId<"stage run">();
    const createdAt = time(traits.createdAt ?? this.nextTime());
    const entry = await this.entry();
    const isMachine = traits.clientId !== undefined;
    await this.pool.query(
      `insert into requests values ($1, $2, $3, 'payout.v1', 1, 'sha256:00', $4, 'batch-1', $5, $6, $7, $8, $9, $10, $11, $12, $13,
        1, 'salt', 'sha256:11', $14, 1, $15, $15, $15::timestamptz + interval '1 year', $16, null, 0, $17)`,
      [
        ...[id, this.orgId, this.policyId, traits.artifactType, traits.requester],
        ...[traits.creatorIssuer, traits.creatorSubject, traits.clientId ?? null],
        ...[traits.creator?.name ?? "registry", traits.creator?.id ?? null, isMachine],
        ...[JSON.stringify(traits.context), traits.searchText ?? null],
        ...[traits.status, createdAt, isLive(traits.status) ? null : createdAt, entry],
      ],
    );
    await this.pool.query(
      `insert into stage_runs values ($1, $2, 1, 'First', 'any-n', 2, 'open', null, $3, null, null, 0, '[]', $4,
        'session', $5)`,
      [stageId, id, createdAt, entry, this.orgId],
    );
    return { id, stageId };
  }

  async task(request: StoredRequest, holder: StoredPerson, given: TaskTraits = {}): Promise<TaskId> {
    const traits = { ...ORDINARY_TASK, ...given };
    const id = randomId<"task">();
    this.places += 1;
    const entry = await this.entry();
    const createdAt = time(traits.createdAt ?? this.nextTime());
    const seat = randomUUID();
    const isApprover = traits.kind === "approver";
    if (isApprover) {
      await this.pool.query("insert into seats values ($1, $2, $3, $4, $5, $6, false, 'open', $7, $8)", [
        ...[seat, request.id, request.stageId, this.places, [holder.id], holder.id, entry, this.orgId],
      ]);
    }
    await this.pool.query(
      `insert into tasks values ($1, $2, $3, 1, $4, $5, false, $6, $7, null, $8, false, $9, $10, null, $11, null, $12, $13, null,
        null, $14, $15, $16)`,
      [
        ...[id, request.id, request.stageId, this.places, isApprover ? seat : null, holder.id, holder.name],
        ...[traits.kind, traits.delegator?.name ?? null, traits.delegator?.id ?? null],
        ...[traits.status, traits.status === "completed" ? createdAt : null],
        ...[traits.dueAt === null ? null : time(traits.dueAt), createdAt, entry, this.orgId],
      ],
    );
    return id;
  }

  /** The decision of a task that is completed by it. */
  async decision(task: TaskId, holder: StoredPerson): Promise<void> {
    const entry = await this.entry();
    const decision = randomUUID();
    await this.pool.query(
      `insert into decisions select $1, request_id, stage_run_id, 1, id, seat_id, person_id, $3, $3, 'approve', 'fine', null, null, null,
        false, 'session', 'sha256:11', 1, now(), $4, null, null, null, null, org_id from tasks where id = $2`,
      [decision, task, holder.name, entry],
    );
    await this.pool.query(
      "update tasks set status = 'completed', decision_id = $2, completed_at = now(), entry_seq = $3 where id = $1",
      [task, decision, entry],
    );
    await this.pool.query(
      "update seats set state = 'approved', entry_seq = $2 where id = (select seat_id from tasks where id = $1)",
      [task, entry],
    );
  }

  /** Events 1 to `count` of a request. */
  async events(request: StoredRequest, count: number): Promise<void> {
    for (let sequence = 1; sequence <= count; sequence += 1) {
      await this.pool.query("insert into events values ($1, $2, $3, 'request_created', $4, now(), $5, $6)", [
        ...[randomUUID(), request.id, sequence, JSON.stringify({ sequence }), await this.entry(), this.orgId],
      ]);
    }
  }

  async delegation(from: StoredPerson, to: StoredPerson, days: { from: number; to: number }): Promise<void> {
    const at = (day: number): string => time(START + day * 86_400_000);
    await this.pool.query(
      "insert into delegations values ($1, $2, $3, $4, $5, $6, $7, $8, null, '{}', '{}', 'root', now(), now(), null, $9)",
      [randomUUID(), this.orgId, from.id, from.name, to.id, to.name, at(days.from), at(days.to), await this.entry()],
    );
  }

  /** Position of a new ledger entry. */
  async entry(): Promise<number> {
    const position = this.entries;
    this.entries += 1;
    await this.pool.query(
      "insert into ledger_entries (seq, text, at, kind, chain, leaf) values ($1, '', '', 'setting.changed', '', '')",
      [position],
    );
    await this.pool.query("update ledger_head set size = $1", [this.entries]);
    return position;
  }

  /** One minute after the last one. */
  private nextTime(): number {
    this.minutes += 1;
    return START + this.minutes * 60_000;
  }
}

/** Somebody who may read only what concerns them. */
export function viewerOf(person: StoredPerson | null, change: Partial<Viewer> = {}): Viewer {
  return {
    personId: person?.id ?? null,
    assignee: person?.name ?? "service-account-registry",
    issuer: ISSUER,
    subject: `subject of ${person?.name ?? "a machine"}`,
    clientId: null,
    machine: person === null,
    readsAll: false,
    ...change,
  };
}

/** Whoever holds AWE_VIEWER, or AWE_ADMIN. */
export function readerOfAll(person: StoredPerson | null = null): Viewer {
  return viewerOf(person, { readsAll: true });
}

function isLive(status: RequestStatus): boolean {
  return status === "pending" || status === "in_review";
}

function time(at: number): string {
  return new Date(at).toISOString();
}
