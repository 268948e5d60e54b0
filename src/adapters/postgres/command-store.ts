/**
 * Group commit: commands that arrive while a transaction is under way share the next one. One alone waits for nobody.
 * A batch that fails is taken apart: each of its commands runs again on its own, so that a poisoned one harms no other.
 */
import { setTimeout } from "node:timers/promises";
import { Bug } from "../../core/refusal.ts";
import type { CommandStore, StoreCommand } from "../../ports/command-store.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { CommitUnknown, runBatch, type BatchResult, type BatchTools, type Verdict } from "./batch.ts";
import { lockHead } from "./batch-loads.ts";
import { useUntil } from "./bounded-use.ts";
import { connectWriter, type Writer } from "./connect.ts";
import { codeOf, isUnavailable } from "./database-fault.ts";
import { sql } from "./named-sql.ts";

export interface StoreOptions extends BatchTools {
  readonly connectionString: string;
  /** Most commands in one transaction; 64 unless a benchmark says otherwise. */
  readonly batchMax?: number;
  /** While the ledger is broken every command is refused (ledger R-QUAR-1). */
  readonly isQuarantined: () => boolean;
  /** Told once after each commit, with the number of entries the ledger has now. */
  readonly onCommit?: (size: number) => void;
  readonly onFault?: (error: unknown) => void;
}

export interface PostgresCommandStore extends CommandStore {
  /** The same queue and connection, for the commands of another organization. */
  forOrganization(orgId: string): CommandStore;
  close(): Promise<void>;
}

interface RunOptions extends StoreOptions {
  readonly onUnavailable: (error: Unavailable) => void;
}

interface Waiting {
  readonly orgId: string;
  readonly command: StoreCommand<unknown>;
  readonly since: number;
  readonly attempts: number;
  settle(verdict: Verdict): void;
}

const BATCH_MAX = 64;
const QUEUE_MAX = 4_096;
/**
 * Every command is answered within 2 s (ledger R-APP-5): it starts within the first of these times or never, the connection is
 * cut at the second, and whether a commit happened whose answer was lost is asked until the third.
 */
const START_MAX_MS = 1_000;
const WORK_MAX_MS = 1_600;
const RECHECK_MAX_MS = 1_850;
const RECHECK_PAUSE_MS = 50;
/** A command that conflicts with a foreign transaction is tried again, so often in all. */
const ATTEMPTS_MAX = 3;

export function createCommandStore(options: StoreOptions): PostgresCommandStore {
  const writer = connectWriter(options.connectionString, {
    applicationName: "countersign-writer",
    onConnectionError: (error) => options.onFault?.(error),
  });
  const queue: Waiting[] = [];
  let running: Promise<void> = Promise.resolve();
  let draining = false;
  let closed = false;

  function enqueue(waiting: Waiting): void {
    queue.push(waiting);
    if (!draining) running = drain();
  }

  /** The flag falls in the same turn in which the queue is found empty: nobody can slip in between and be forgotten. */
  async function drain(): Promise<void> {
    draining = true;
    while (queue.length > 0) {
      dropLate(queue);
      const batch = takeBatch(queue, options.batchMax ?? BATCH_MAX);
      if (batch.length > 0) await settleAll(batch);
    }
    draining = false;
  }

  /** Whatever happens, nobody is left without an answer and the next batch gets its turn. */
  async function settleAll(batch: readonly Waiting[]): Promise<void> {
    try {
      await runTogether(writer, batch, { ...options, onUnavailable: refuseWaiting });
    } catch (error) {
      for (const waiting of batch) waiting.settle({ kind: "failed", error });
    }
  }

  /** Whoever waited behind a batch that found the database away is told at once, not after another time-out. */
  function refuseWaiting(error: Unavailable): void {
    for (const waiting of queue.splice(0)) waiting.settle({ kind: "failed", error });
  }

  function submitFor<Answer>(orgId: string, command: StoreCommand<Answer>): Promise<Answer> {
    if (options.isQuarantined()) return Promise.reject(quarantined());
    if (closed) return Promise.reject(new Unavailable("busy", "The server is stopping"));
    if (queue.length >= QUEUE_MAX) return Promise.reject(new Unavailable("busy", "Too many commands are waiting"));
    return new Promise<Answer>((resolve, reject) => {
      enqueue({ ...waitingFor(command, resolve, reject), orgId });
    });
  }

  return {
    submit: (command) => submitFor(options.orgId, command),

    forOrganization: (orgId) => ({ submit: (command) => submitFor(orgId, command) }),

    async close(): Promise<void> {
      closed = true;
      await running;
      await writer.end();
    },
  };
}

/** The queue holds commands of every kind; each is paired here with the promise of its own answer. */
function waitingFor<Answer>(
  command: StoreCommand<Answer>,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): Omit<Waiting, "orgId"> {
  let answer: { readonly value: Answer } | null = null;
  const paired: StoreCommand<unknown> = {
    ...command,
    carryOut: (world, facts) => {
      const carried = command.carryOut(world, facts);
      answer = { value: carried.answer };
      return carried;
    },
  };
  const settle = (verdict: Verdict): void => {
    if (verdict.kind === "failed") reject(asError(verdict.error));
    else if (answer === null) reject(new Bug(`${command.name} was answered without being carried out`));
    else resolve(answer.value);
  };
  return { command: paired, since: performance.now(), attempts: 1, settle };
}

function dropLate(queue: Waiting[]): void {
  const oldest = performance.now() - START_MAX_MS;
  while ((queue[0]?.since ?? Infinity) < oldest) queue.shift()?.settle({ kind: "failed", error: tooLate() });
}

/** As many as fit and belong to one organization; a command that wants a transaction of its own gets one, in its turn. */
function takeBatch(queue: Waiting[], most: number): readonly Waiting[] {
  const [first] = queue;
  if (first?.command.alone === true) return queue.splice(0, 1);
  const end = queue.findIndex(({ command, orgId }) => command.alone === true || orgId !== first?.orgId);
  return queue.splice(0, Math.min(most, end < 0 ? queue.length : end));
}

async function runTogether(writer: Writer, batch: readonly Waiting[], options: RunOptions): Promise<void> {
  const since = Math.min(...batch.map((waiting) => waiting.since));
  const commands = batch.map(({ command }) => command);
  let result: BatchResult;
  try {
    const tools = { ...options, orgId: batch[0]?.orgId ?? options.orgId };
    result = await useUntil(writer, since + WORK_MAX_MS, (client) => runBatch(client, commands, tools));
  } catch (error) {
    options.onFault?.(error);
    const committed = await recover(writer, batch, error, { ...options, since });
    if (committed === null) return;
    result = committed;
  }
  answer(batch, result);
  if (result.head !== null) options.onCommit?.(result.head.size);
  await runFailedAlone(writer, batch, result, options);
}

function answer(batch: readonly Waiting[], result: BatchResult): void {
  for (const [index, waiting] of batch.entries()) {
    const verdict = result.verdicts[index];
    if (verdict?.kind === "answer" || batch.length === 1) waiting.settle(verdict ?? failed("no verdict"));
  }
}

/** A command that threw among others may have met their effects: on its own it gets a second chance. */
async function runFailedAlone(
  writer: Writer,
  batch: readonly Waiting[],
  result: BatchResult,
  options: RunOptions,
): Promise<void> {
  if (batch.length === 1) return;
  const again = batch.filter((_waiting, index) => result.verdicts[index]?.kind !== "answer");
  await runEachAlone(writer, again, options);
}

async function runEachAlone(writer: Writer, batch: readonly Waiting[], options: RunOptions): Promise<void> {
  for (const waiting of batch) {
    if (performance.now() - waiting.since > START_MAX_MS) waiting.settle({ kind: "failed", error: tooLate() });
    else await runTogether(writer, [waiting], options);
  }
}

/** Answers everybody, or gives the result of a commit that turned out to have happened. */
async function recover(
  writer: Writer,
  batch: readonly Waiting[],
  error: unknown,
  options: RunOptions & { readonly since: number },
): Promise<BatchResult | null> {
  const settle = (reason: unknown): null => {
    for (const waiting of batch) waiting.settle({ kind: "failed", error: reason });
    return null;
  };
  if (error instanceof CommitUnknown) {
    const isCommitted = await wasCommitted(writer, error, options.since + RECHECK_MAX_MS);
    if (isCommitted === true) return error.result;
    return settle(isCommitted === false ? away(error) : unknownOutcome(error));
  }
  if (isUnavailable(error) || error instanceof Unavailable) {
    const told = error instanceof Unavailable ? error : away(error);
    settle(told);
    options.onUnavailable(told);
    return null;
  }
  const [first] = batch;
  if (batch.length > 1) await runEachAlone(writer, batch, options);
  else if (!isConflict(error)) settle(error);
  else if (first !== undefined && first.attempts < ATTEMPTS_MAX) {
    await runEachAlone(writer, [{ ...first, attempts: first.attempts + 1 }], options);
  } else settle(away(error));
  return null;
}

/** SQLSTATE class 40: a deadlock or a serialization failure, with somebody who is not a command of ours. */
function isConflict(error: unknown): boolean {
  return codeOf(error)?.startsWith("40") === true;
}

const CHAIN_AT = sql<{ chain: string }>("chain_at", "select chain from ledger_entries where seq = $1");

/**
 * Success is answered only for what the ledger holds (ledger R-APP-5). Whoever has the head's lock knows that the lost
 * transaction is over; undefined when nobody can tell in time.
 */
async function wasCommitted(writer: Writer, unknown: CommitUnknown, deadline: number): Promise<boolean | undefined> {
  while (performance.now() < deadline) {
    try {
      return await useUntil(writer, deadline, async (client) => {
        const [, { rows }] = await Promise.all([lockHead(client), CHAIN_AT.run(client, [unknown.lastSeq])]);
        return rows[0]?.chain === unknown.lastChain;
      });
    } catch {
      await setTimeout(RECHECK_PAUSE_MS);
    }
  }
  return undefined;
}

function tooLate(): Unavailable {
  return new Unavailable("busy", "The command waited too long for its turn; nothing was changed");
}

function quarantined(): Unavailable {
  return new Unavailable("quarantined", "The ledger does not verify: nothing can be changed until it is released");
}

function unknownOutcome(cause: unknown): Unavailable {
  const message =
    "The connection to the ledger was lost while it was written: ask again, with the same Idempotency-Key";
  return new Unavailable("ledger_unavailable", message, cause);
}

function away(cause: unknown): Unavailable {
  return new Unavailable("ledger_unavailable", "The ledger cannot be written now; nothing was changed", cause);
}

function failed(message: string): Verdict {
  return { kind: "failed", error: new Bug(message) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Bug("a command failed without a reason");
}
