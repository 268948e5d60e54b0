/**
 * Is group commit worth it? Commands per second and milliseconds per command, against the same commands statement by statement,
 * on the same database in the same run, taking turns.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createCommandStore, type PostgresCommandStore } from "../src/adapters/postgres/command-store.ts";
import type { CommandStore } from "../src/ports/command-store.ts";
import { prepareFlows, runFlows, type FlowWork, type Measured } from "./in-process-flows.ts";
import type { Shape } from "./approval-policy.ts";
import { loadNow, printTable, warnIfBusy, writeReport, type Cell } from "./report.ts";
import { openStatementByStatement } from "./statement-by-statement.ts";
import { median, rounded, summarize } from "./summary.ts";
import { verifyWhole } from "./verified.ts";
import { startCountingProxy } from "./wire-count.ts";
import { openWorkbench, type Workbench } from "./workbench.ts";

export interface GroupCommitOptions extends Shape {
  readonly concurrencies: readonly number[];
  readonly runsAt: (concurrency: number) => number;
  /** Flows of one run at this concurrency. */
  readonly flowsAt: (concurrency: number) => number;
  readonly warmUpFlows: number;
}

/** The number that the baseline is fastest with: more only wait for one another at the head of the ledger. */
const BASELINE_CONNECTIONS = 2;
const THROUGHPUT_GOALS: ReadonlyMap<number, number> = new Map([
  [32, 2],
  [64, 2.5],
]);
const LONE_RATIO_MAX = 1.05;
const ROUND_TRIPS_MAX = 3;

interface Sides {
  readonly grouped: FlowWork;
  readonly single: FlowWork;
}

interface Series {
  readonly concurrency: number;
  readonly grouped: readonly Measured[];
  readonly single: readonly Measured[];
}

export async function benchGroupCommit(options: GroupCommitOptions): Promise<boolean> {
  const load = loadNow();
  warnIfBusy(load);
  const bench = await openWorkbench();
  try {
    const counts = await countWork(bench, options);
    const series = await withBothStores(bench, (sides) => measureAll(sides, options));
    const verified = await verifyWhole(bench.pool);
    const isWhole = verified.findings === 0;
    const passes = series.map((one) => report(one, { options, counts, bench, load, isWhole }));
    printCounts(counts);
    console.log(`Ledger: ${verified.entries} entries, ${isWhole ? "verified" : `${verified.findings} findings`}.`);
    return passes.every((pass) => pass) && isWhole;
  } finally {
    await bench.close();
  }
}

async function withBothStores<Value>(bench: Workbench, act: (sides: Sides) => Promise<Value>): Promise<Value> {
  const grouped = createCommandStore({ ...bench.tools, connectionString: bench.url, isQuarantined: () => false });
  const single = await openStatementByStatement({
    ...bench.tools,
    connectionString: bench.url,
    connections: BASELINE_CONNECTIONS,
  });
  try {
    const prepared = await prepareFlows(bench.application(grouped), { stages: 2, approvers: 2 });
    return await act({ grouped: prepared, single: { ...prepared, app: bench.application(single) } });
  } finally {
    await grouped.close();
    await single.close();
  }
}

/** The side that begins changes with every run. */
async function measureAll(sides: Sides, options: GroupCommitOptions): Promise<readonly Series[]> {
  const series: Series[] = [];
  for (const concurrency of options.concurrencies) {
    const measured: Record<keyof Sides, Measured[]> = { grouped: [], single: [] };
    const flows = options.flowsAt(concurrency);
    const runs = options.runsAt(concurrency);
    for (const side of [sides.grouped, sides.single]) await runFlows(side, options.warmUpFlows, concurrency);
    for (let run = 0; run < runs; run += 1) {
      const order = run % 2 === 0 ? (["grouped", "single"] as const) : (["single", "grouped"] as const);
      for (const side of order) measured[side].push(await runFlows(sides[side], flows, concurrency));
      console.log(`  ${concurrency} at once, run ${run + 1} of ${runs}: ${turn(measured)}`);
    }
    series.push({ concurrency, ...measured });
  }
  return series;
}

function turn(measured: Readonly<Record<keyof Sides, readonly Measured[]>>): string {
  const last = (side: keyof Sides): string => String(Math.round(measured[side].at(-1)?.commandsPerSecond ?? 0));
  return `${last("grouped")} commands/s grouped, ${last("single")} one by one`;
}

interface Counts {
  readonly commands: number;
  readonly statementsPerCommand: number;
  readonly roundTripsPerBatch: number;
  readonly commandsPerBatch: number;
}

interface CountedWork {
  readonly grouped: ReadonlyMap<number, Counts>;
  readonly single: Counts;
}

/** A run of its own, through the counter: counting takes time. */
async function countWork(bench: Workbench, options: GroupCommitOptions): Promise<CountedWork> {
  const grouped = new Map<number, Counts>();
  for (const concurrency of options.concurrencies)
    grouped.set(concurrency, await counted(bench, "grouped", concurrency));
  return { grouped, single: await counted(bench, "single", 1) };
}

async function counted(bench: Workbench, side: keyof Sides, concurrency: number): Promise<Counts> {
  const directory = await mkdtemp("/tmp/countersign-bench-");
  const proxy = await startCountingProxy(bench.url, directory);
  let batches = 0;
  const onCommit = (): void => void (batches += 1);
  const store: PostgresCommandStore =
    side === "grouped"
      ? createCommandStore({ ...bench.tools, connectionString: proxy.url, isQuarantined: () => false, onCommit })
      : await openStatementByStatement({ ...bench.tools, connectionString: proxy.url, connections: 1 });
  try {
    const counting: CommandStore = store;
    const work = await prepareFlows(bench.application(counting), { stages: 2, approvers: 2 });
    // The first commands load the policy and name the statements.
    await runFlows(work, concurrency, concurrency);
    batches = 0;
    const before = proxy.count();
    const { create, decide } = await runFlows(work, concurrency * 4, concurrency);
    const after = proxy.count();
    const commands = create.length + decide.length;
    const transactions = side === "grouped" ? batches : commands;
    return {
      commands,
      statementsPerCommand: rounded((after.statements - before.statements) / commands),
      roundTripsPerBatch: rounded((after.roundTrips - before.roundTrips) / transactions),
      commandsPerBatch: rounded(commands / transactions),
    };
  } finally {
    await store.close();
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Reporting {
  readonly options: GroupCommitOptions;
  readonly counts: CountedWork;
  readonly bench: Workbench;
  readonly load: number;
  readonly isWhole: boolean;
}

function report(series: Series, { options, counts, bench, load, isWhole }: Reporting): boolean {
  const { concurrency } = series;
  const throughput = (runs: readonly Measured[]): readonly number[] => runs.map((run) => run.commandsPerSecond);
  const samples = throughput(series.grouped).map(rounded);
  const ratio = rounded(median(samples) / median(throughput(series.single)));
  const lone = loneRatios(series);
  const count = counts.grouped.get(concurrency);
  const goal = goalAt(concurrency);
  const pass = isWhole && (count?.roundTripsPerBatch ?? Infinity) <= ROUND_TRIPS_MAX && goal.holds(ratio, lone);
  printSeries(series, ratio);
  const name = `group-commit-${concurrency}`;
  const file = writeReport(
    {
      name,
      params: {
        concurrency,
        ...{ stages: options.stages, approvers: options.approvers, runs: options.runsAt(concurrency) },
        ...{ flows: options.flowsAt(concurrency), baseline_connections: BASELINE_CONNECTIONS },
      },
      samples,
      result: summarize(samples, "commands/s"),
      baseline: { name: "statement by statement", result: summarize(throughput(series.single), "commands/s") },
      ratio,
      goal: `${goal.words}; at most ${ROUND_TRIPS_MAX} round trips per batch`,
      pass,
      details: {
        latency: { grouped: latencies(series.grouped), single: latencies(series.single), p50_ratio: lone },
        counted: { grouped: count, single: counts.single },
      },
    },
    { postgres: bench.postgres, embedded: true },
    load,
  );
  console.log(`  ${pass ? "pass" : "FAIL"}: ${goal.words}. ${file}\n`);
  return pass;
}

interface LoneRatios {
  readonly create: number;
  readonly decide: number;
}

/** How much longer the median command takes than one by one, over all runs. */
function loneRatios({ grouped, single }: Series): LoneRatios {
  const ratio = (kind: "create" | "decide"): number =>
    rounded(median(grouped.flatMap((run) => run[kind])) / median(single.flatMap((run) => run[kind])));
  return { create: ratio("create"), decide: ratio("decide") };
}

function goalAt(concurrency: number): {
  readonly words: string;
  readonly holds: (ratio: number, lone: LoneRatios) => boolean;
} {
  if (concurrency === 1) {
    return {
      words: `a lone command is no slower: p50 at most ${LONE_RATIO_MAX} times`,
      holds: (_ratio, { create, decide }) => create <= LONE_RATIO_MAX && decide <= LONE_RATIO_MAX,
    };
  }
  const least = THROUGHPUT_GOALS.get(concurrency) ?? 1;
  return {
    words: `at least ${least} times the commands per second`,
    holds: (ratio) => ratio >= least,
  };
}

function latencies(runs: readonly Measured[]): Readonly<Record<"create" | "decide", unknown>> {
  return {
    create: summarize(
      runs.flatMap((run) => run.create),
      "ms",
    ),
    decide: summarize(
      runs.flatMap((run) => run.decide),
      "ms",
    ),
  };
}

function printSeries(series: Series, ratio: number): void {
  const row = (name: string, runs: readonly Measured[]): readonly Cell[] => {
    const create = summarize(
      runs.flatMap((run) => run.create),
      "ms",
    );
    const decide = summarize(
      runs.flatMap((run) => run.decide),
      "ms",
    );
    const perSecond = rounded(median(runs.map((run) => run.commandsPerSecond)));
    return [name, perSecond, create.p50, create.p99, decide.p50, decide.p99];
  };
  console.log(`\nGroup commit, ${series.concurrency} at once: ratio ${ratio.toFixed(2)}`);
  printTable(
    ["", "commands/s", "create p50 ms", "p99", "decide p50 ms", "p99"],
    [row("grouped", series.grouped), row("one by one", series.single)],
  );
}

function printCounts({ grouped, single }: CountedWork): void {
  console.log("Counted on the wire:");
  const row = (name: string, counts: Counts): readonly Cell[] => [
    name,
    counts.commandsPerBatch,
    counts.statementsPerCommand,
    counts.roundTripsPerBatch,
  ];
  printTable(
    ["", "commands/transaction", "statements/command", "round trips/transaction"],
    [
      ...[...grouped].map(([concurrency, counts]) => row(`grouped, ${concurrency} at once`, counts)),
      row("one by one", single),
    ],
  );
}
