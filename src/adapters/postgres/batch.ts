/**
 * One transaction for many commands: lock the head, load, let each command decide, write every row in one statement and
 * commit. At most three round trips when policies are in memory: load, facts, write (docs/adr/0007-group-commit.md).
 */
import type { Client } from "pg";
import type { Facts, FactsNeeded, Lookup } from "../../core/facts.ts";
import type { NewId, PersonId, PolicyId } from "../../core/ids.ts";
import type { Delegation, Instant, Person } from "../../core/person.ts";
import { appendEntries, type EntryDraft } from "../../ledger/append.ts";
import type { LedgerHead } from "../../ledger/head.ts";
import type { Sha256 } from "../../ledger/sha256.ts";
import type { ChangeSet, DescribedEntry } from "../../ports/change-set.ts";
import type { Carried, Needs, StoreCommand } from "../../ports/command-store.ts";
import type { RecordQuery } from "../../ports/records.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import {
  activePolicyIds,
  loadDelegations,
  loadDirectoryEntries,
  loadIdempotency,
  loadIdentities,
  loadLiveApprovals,
  loadLiveRequests,
  loadPeople,
  loadPeopleById,
  loadPolicies,
  loadPolicyLines,
  loadRecorded,
  loadRequests,
  loadRequestsOf,
  lockHead,
} from "./batch-loads.ts";
import { loadAbsences, loadLookups } from "./lookup-loads.ts";
import { countOpenings, erasePerson, peopleNamedIn } from "./erase-person.ts";
import { addChangeRows, endedTimers, put, type RowSet } from "./change-rows.ts";
import { asDatabaseFault, codeOf, isUnavailable } from "./database-fault.ts";
import { putRecords, recordWrites, selectRecords, type RecordRows } from "./record-statements.ts";
import { RECORD_KINDS } from "./record-tables.ts";
import { writeStatement, type RowBatch } from "./row-writers.ts";
import { WorkingSet, type Loaded, type LoadedRecords, type PolicyCache } from "./working-set.ts";

export interface BatchTools {
  /** All commands of a batch belong to this organization. */
  readonly orgId: string;
  readonly sha256: Sha256;
  readonly clock: () => Instant;
  readonly newId: NewId;
  readonly policies: PolicyCache;
  /** Makes a person known by name only; the change set describes it (R-AUTH-4). */
  readonly mint: (
    name: string,
    world: { readonly now: Instant; readonly newId: NewId; readonly orgId: string },
  ) => Minted;
}

export interface Minted {
  readonly person: Person;
  readonly changes: ChangeSet;
}

export type Verdict<Answer = unknown> =
  { readonly kind: "answer"; readonly answer: Answer } | { readonly kind: "failed"; readonly error: unknown };

export interface BatchResult {
  /** One per command, in order. */
  readonly verdicts: readonly Verdict[];
  /** Where the ledger stands now; null when nothing was written. */
  readonly head: LedgerHead | null;
}

/** The connection died while the commit was under way: only the ledger itself can tell whether it happened. */
export class CommitUnknown extends Error {
  override readonly name = "CommitUnknown";
  readonly lastSeq: number;
  readonly lastChain: string;
  readonly result: BatchResult;

  constructor(result: BatchResult, last: { readonly seq: number; readonly chain: string }, cause: unknown) {
    super("the connection was lost while a commit was under way", { cause });
    this.result = result;
    this.lastSeq = last.seq;
    this.lastChain = last.chain;
  }
}

/**
 * Throws when nothing was written and the batch as a whole failed (the caller rolls back and isolates), or
 * `CommitUnknown`. A command that throws in its own code fails alone, before anything is written.
 */
export async function runBatch(
  client: Client,
  commands: readonly StoreCommand<unknown>[],
  tools: BatchTools,
): Promise<BatchResult> {
  const [, head, loaded] = await Promise.all([
    client.query("begin"),
    lockHead(client),
    load(
      client,
      commands.map((command) => command.needs),
      tools.orgId,
    ),
  ]);
  if (head === undefined) throw new Unavailable("ledger_unavailable", "The ledger has no head");
  await loadMissingPolicies(client, loaded, tools.policies);
  const now = Math.max(tools.clock(), head.lastAt === null ? 0 : Date.parse(head.lastAt));
  const world = new WorkingSet(loaded, { now, newId: tools.newId, policies: tools.policies });
  const wanted = commands.map((command) => attempt(() => command.gather?.(world) ?? { names: [], lookups: [] }));
  const facts = await gatherFacts(client, wanted, { world, tools });
  const carried = carryOutAll(commands, wanted, { world, facts });
  return commit(client, { head, carried, now, sha256: tools.sha256, orgId: tools.orgId });
}

async function load(client: Client, needs: readonly Needs[], orgId: string): Promise<Loaded> {
  const all = <Item>(pick: (need: Needs) => readonly Item[] | undefined): readonly Item[] => [
    ...new Set(needs.flatMap((need) => pick(need) ?? [])),
  ];
  const names = all((need) => need.knownNames);
  const identities = all((need) => need.identities);
  const [
    { requests, openings, recorded },
    policyLines,
    activeIds,
    idempotency,
    delegations,
    directory,
    records,
    identityRows,
    known,
    knownById,
  ] = await Promise.all([
    loadRequestsAsked(client, needs, orgId),
    loadPolicyLines(
      client,
      orgId,
      all((need) => need.policyKeys),
    ),
    activePolicyIds(
      client,
      orgId,
      all((need) => need.activePolicyKeys),
    ),
    loadIdempotency(
      client,
      all((need) => (need.idempotency === undefined ? [] : [need.idempotency])),
    ),
    loadDelegations(
      client,
      orgId,
      all((need) => need.delegationIds),
    ),
    loadDirectoryEntries(
      client,
      orgId,
      all((need) => need.directory),
    ),
    loadAllRecords(client, needs, orgId),
    loadIdentities(client, orgId, identities, names),
    loadPeople(client, orgId, names),
    loadPeopleById(
      client,
      all((need) => need.personIds),
    ),
  ]);
  const loaded = { requests, openings, recorded, policyLines, activeIds, idempotency, delegations, directory, records };
  return { ...loaded, identities: identityRows, known, knownById };
}

/** Requests by id, by task, and by the people in them; what is recorded of some, and how much is kept about people. */
async function loadRequestsAsked(
  client: Client,
  needs: readonly Needs[],
  orgId: string,
): Promise<Pick<Loaded, "requests" | "openings" | "recorded">> {
  const unique = <Item>(pick: (need: Needs) => readonly Item[] | undefined): readonly Item[] => [
    ...new Set(needs.flatMap((need) => pick(need) ?? [])),
  ];
  const [named, live, ofPeople, openings, recorded] = await Promise.all([
    loadRequests(
      client,
      orgId,
      unique((need) => need.requestIds),
      unique((need) => need.taskIds),
    ),
    loadLiveRequests(
      client,
      orgId,
      needs.flatMap((need) => need.liveKeys ?? []),
    ),
    loadRequestsOf(
      client,
      needs.flatMap((need) => need.requestsOf ?? []),
    ),
    countOpenings(
      client,
      unique((need) => need.openingsOf),
    ),
    loadRecorded(
      client,
      unique((need) => need.recordedOf),
    ),
  ]);
  return { requests: [...named, ...live, ...ofPeople], openings, recorded };
}

async function loadAllRecords(client: Client, needs: readonly Needs[], orgId: string): Promise<LoadedRecords> {
  const [named, live] = await Promise.all([
    loadRecords(
      client,
      needs.flatMap((need) => need.records ?? []),
    ),
    loadLiveApprovals(
      client,
      orgId,
      needs.flatMap((need) => need.approvalsOfLiveKeys ?? []),
    ),
  ]);
  return [...named, { kind: "deployApproval", records: live }];
}

/** One statement per kind and member, whatever the number of commands. */
async function loadRecords(client: Client, queries: readonly RecordQuery[]): Promise<LoadedRecords> {
  const questions = new Map<string, RecordQuery>();
  for (const { kind, by, values } of queries) {
    const known = questions.get(`${kind} ${by}`)?.values ?? [];
    questions.set(`${kind} ${by}`, { kind, by, values: [...known, ...values] });
  }
  const found = await Promise.all(
    [...questions.values()].map(async (query) => ({ kind: query.kind, records: await selectRecords(client, query) })),
  );
  return found;
}

/** A round trip only for policies that this process has not seen yet. */
async function loadMissingPolicies(client: Client, loaded: Loaded, policies: PolicyCache): Promise<void> {
  const wanted: readonly PolicyId[] = [
    ...loaded.activeIds.values(),
    ...loaded.requests.map((request) => request.policy.id),
  ];
  const missing = [...new Set(wanted)].filter((id) => policies.get(id) === undefined);
  for (const version of await loadPolicies(client, missing)) policies.add(version);
}

type Wanted = { readonly ok: true; readonly value: FactsNeeded } | { readonly ok: false; readonly error: unknown };

/** The facts of a whole batch, and who among its people exists only because somebody named them just now. */
interface BatchFacts {
  readonly people: ReadonlyMap<string, Person>;
  readonly lookups: ReadonlyMap<string, Lookup>;
  readonly delegations: ReadonlyMap<PersonId, readonly Delegation[]>;
  readonly minted: Map<string, Minted>;
}

async function gatherFacts(
  client: Client,
  wanted: readonly Wanted[],
  { world, tools }: { readonly world: WorkingSet; readonly tools: BatchTools },
): Promise<BatchFacts> {
  const needed = wanted.flatMap((want) => (want.ok ? [want.value] : []));
  const names = [...new Set(needed.flatMap((facts) => facts.names))];
  const matches = needed.flatMap((facts) => facts.lookups);
  const [known, lookups, delegations] = await Promise.all([
    loadPeople(client, tools.orgId, names),
    loadLookups(client, tools.orgId, matches),
    loadAbsences(client, tools.orgId, names, matches),
  ]);
  const people = new Map([...known].map(([name, { person }]) => [name, person]));
  const minted = new Map<string, Minted>();
  for (const name of names) {
    if (people.has(name)) continue;
    const fresh = tools.mint(name, { now: world.now, newId: world.newId, orgId: tools.orgId });
    minted.set(name, fresh);
    people.set(name, fresh.person);
  }
  return { people, lookups, delegations, minted };
}

interface CarriedOut {
  readonly verdict: Verdict;
  /** In the order in which they are written; empty for refusals and replays. */
  readonly changes: readonly ChangeSet[];
}

function carryOutAll(
  commands: readonly StoreCommand<unknown>[],
  wanted: readonly Wanted[],
  { world, facts }: { readonly world: WorkingSet; readonly facts: BatchFacts },
): readonly CarriedOut[] {
  return commands.map((command, index) => {
    const want = wanted[index];
    if (want?.ok !== true) return { verdict: { kind: "failed", error: want?.error }, changes: [] };
    const mine: Facts = { ...facts, newId: world.newId };
    const carried = attempt((): Carried<unknown> => command.carryOut(world, mine));
    if (!carried.ok) return { verdict: { kind: "failed", error: carried.error }, changes: [] };
    const { answer, changes } = carried.value;
    const verdict = { kind: "answer", answer } as const;
    if (changes.entries.length === 0 && (changes.requests ?? []).length === 0) return { verdict, changes: [] };
    world.apply(changes);
    return { verdict, changes: [...introduce(want.value, facts.minted), changes] };
  });
}

/** People become part of the state with the first command that names them and changes something. */
function introduce(needed: FactsNeeded, minted: Map<string, Minted>): readonly ChangeSet[] {
  return needed.names.flatMap((name) => {
    const fresh = minted.get(name);
    if (fresh === undefined) return [];
    minted.delete(name);
    return [fresh.changes];
  });
}

interface Commit {
  readonly head: LedgerHead;
  readonly carried: readonly CarriedOut[];
  readonly now: Instant;
  readonly sha256: Sha256;
  readonly orgId: string;
}

async function commit(client: Client, { head, carried, now, sha256, orgId }: Commit): Promise<BatchResult> {
  const verdicts = carried.map(({ verdict }) => verdict);
  const changes = carried.flatMap((command) => command.changes);
  if (changes.length === 0) {
    await client.query("rollback");
    return { verdicts, head: null };
  }
  const described = changes.flatMap((change) => change.entries);
  const drafts = described.map(({ draft }): EntryDraft => draft);
  const appended = appendEntries(head, drafts, new Date(now).toISOString(), sha256);
  const rows: RowSet = new Map();
  const records: RecordRows = new Map();
  for (const [index, entry] of appended.entries.entries()) addEntryRows(rows, entry, described[index]);
  let first = head.size;
  for (const change of changes) {
    const start = first;
    first += change.entries.length;
    addChangeRows(rows, change, { orgId, at: (index) => start + index, last: first - 1, now });
    addRecords(records, change, first - 1);
  }
  const ended = changes.flatMap(endedTimers);
  for (const id of ended) rows.get("request_timers")?.delete(id);
  const result = { verdicts, head: appended.head };
  const batch = rowBatch(rows, { changes, ended, from: head, to: appended.head });
  await write(
    client,
    { batch, records, erased: changes.flatMap((change) => change.erased ?? []) },
    {
      result,
      last: { seq: appended.head.size - 1, chain: appended.head.chain },
    },
  );
  return result;
}

function addRecords(rows: RecordRows, { records = {} }: ChangeSet, entrySeq: number): void {
  for (const kind of RECORD_KINDS) putRecords(rows, kind, records[kind] ?? [], entrySeq);
}

function addEntryRows(
  rows: RowSet,
  entry: ReturnType<typeof appendEntries>["entries"][number],
  described: DescribedEntry | undefined,
): void {
  const { resourceDigest, ...columns } = entry;
  put(rows, "ledger_entries", String(entry.seq), { ...columns, resource_digest: resourceDigest });
  const openings = described?.openings ?? [];
  const people = openings.length === 0 ? [] : peopleNamedIn(entry.text);
  for (const { path, salt, value } of openings) {
    put(rows, "ledger_openings", `${String(entry.seq)} ${path}`, { seq: entry.seq, path, salt, value, people });
  }
}

function rowBatch(
  rows: RowSet,
  about: {
    readonly changes: readonly ChangeSet[];
    readonly ended: readonly string[];
    readonly from: LedgerHead;
    readonly to: LedgerHead;
  },
): RowBatch {
  const { size, root, chain, ranges, lastAt } = about.to;
  const policies = [...(rows.get("policies")?.values() ?? [])];
  return {
    rows: new Map([
      ...[...rows].map(([table, byKey]) => [table, [...byKey.values()]] as const),
      // At most one version of a line is active at any moment, also between two rows of one statement.
      [
        "policies",
        policies.sort((left, right) => Number(left["status"] === "active") - Number(right["status"] === "active")),
      ],
    ]),
    deletedPolicyIds: about.changes.flatMap((change) => (change.deletedPolicies ?? []).map((policy) => policy.id)),
    endedTimerIds: about.ended,
    head: { expectedSize: about.from.size, size, root, chain, ranges, lastAt },
  };
}

/** Both statements travel together; a commit that follows a failed write is a rollback, and says so. */
async function write(
  client: Client,
  {
    batch,
    records,
    erased,
  }: { readonly batch: RowBatch; readonly records: RecordRows; readonly erased: readonly PersonId[] },
  outcome: { readonly result: BatchResult; readonly last: { readonly seq: number; readonly chain: string } },
): Promise<void> {
  const { name, text, values } = writeStatement(batch);
  const written = [
    ...erased.map((person) => erasePerson(client, person)),
    ...recordWrites(records).map(({ statement, value }) => statement.run(client, [value])),
    client.query<{ moved: number }>({ name, text, values: [...values] }),
  ];
  const committed = client.query("commit");
  // Whichever fails first is thrown; the others must not become unhandled rejections.
  const [writes, [end]] = await Promise.all([Promise.allSettled(written), Promise.allSettled([committed])]);
  const failed = writes.find((one) => one.status === "rejected");
  if (end.status === "fulfilled" && end.value.command === "COMMIT" && failed === undefined) return;
  const fault: unknown = failed?.reason ?? (end.status === "rejected" ? end.reason : undefined);
  const error: unknown = asDatabaseFault(fault);
  if (end.status === "fulfilled" || isRefusedCommit(end.reason)) {
    throw error instanceof Error ? error : new Error("the transaction was rolled back");
  }
  throw new CommitUnknown(outcome.result, outcome.last, error);
}

/** Postgres itself answered that it did not commit, such as for a deferred constraint; a lost connection says nothing. */
function isRefusedCommit(reason: unknown): boolean {
  return codeOf(reason)?.length === 5 && !isUnavailable(reason);
}

function attempt<Value>(
  act: () => Value,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: unknown } {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    return { ok: false, error };
  }
}
