/** What the workload over HTTP came to: on the terminal and in bench/out/flows.json. */
import type { FlowsOptions } from "./flows-options.ts";
import { CALL_KINDS, type FlowRun } from "./http-flows.ts";
import type { ProcessorTime } from "./processor-time.ts";
import { printTable, writeReport, type DatabaseKind } from "./report.ts";
import { median, rounded, summarize, type Summary } from "./summary.ts";
import type { Verified } from "./verified.ts";

export interface MeasuredRun extends FlowRun {
  /** Milliseconds of processor time per flow; null where it cannot be known. */
  readonly processor: ProcessorTime | null;
}

export interface BothSides {
  readonly ours: readonly MeasuredRun[];
  readonly baseline: readonly MeasuredRun[];
}

/** Flows per second against the other implementation; below half of it is a defect. */
const RATIO_GOAL = 20;
const FAILURES_SHOWN = 5;

interface Reporting {
  readonly options: FlowsOptions;
  readonly load: number;
  readonly verified: Verified | null;
  readonly database: DatabaseKind;
}

export function reportFlows({ ours, baseline }: BothSides, { options, load, verified, database }: Reporting): boolean {
  const samples = ours.map(flowsPerSecond);
  const other = baselineOf(baseline, options);
  const ratio = other === null ? null : rounded(median(samples) / other.result.p50);
  const title = titleOf(options);
  const { failures, stuck } = troubleOf(ours);
  const pass = failures.length + stuck + (verified?.findings ?? 0) === 0 && (ratio ?? RATIO_GOAL) >= RATIO_GOAL;
  console.log(`\n${title}: ${median(samples)} flows/s, ${failures.length} failures, ${stuck} stuck`);
  printRuns("this server", ours);
  if (other !== null) printRuns("baseline", baseline);
  for (const failure of [...new Set(failures)].slice(0, FAILURES_SHOWN)) console.log(`  ${failure}`);
  console.log(`Ledger: ${ledgerWords(verified)}.`);
  const file = writeReport(
    {
      name: options.parallel ? "flows-parallel" : "flows",
      params: paramsOf(options, title),
      samples,
      result: summarize(samples, "flows/s"),
      baseline: other,
      ratio,
      goal: `0 failures, 0 stuck, the ledger verified${ratio === null ? "" : `; at least ${RATIO_GOAL} times the baseline`}`,
      pass,
      details: {
        ...detailsOf(ours),
        ...(other === null ? {} : { baseline: detailsOf(baseline) }),
        ledger: verified,
      },
    },
    database,
    load,
  );
  console.log(`${pass ? "pass" : "FAIL"}. ${file}\n`);
  return pass;
}

export function flowsPerSecond({ flows, seconds }: FlowRun): number {
  return rounded(flows / seconds);
}

function titleOf({ flows, stages, approvers, concurrency, parallel }: FlowsOptions): string {
  return `W${parallel ? "∥" : ""}(${flows},${stages},${approvers},${concurrency})`;
}

function paramsOf(options: FlowsOptions, workload: string): Readonly<Record<string, unknown>> {
  const { flows, stages, approvers, concurrency, parallel, runs } = options;
  return { workload, flows, stages, approvers, concurrency, parallel, runs, url: options.url ?? "started here" };
}

function baselineOf(
  runs: readonly MeasuredRun[],
  { baselineUrl }: FlowsOptions,
): { readonly name: string; readonly result: Summary } | null {
  if (runs.length === 0) return null;
  return { name: baselineUrl ?? "", result: summarize(runs.map(flowsPerSecond), "flows/s") };
}

function troubleOf(runs: readonly MeasuredRun[]): { readonly failures: readonly string[]; readonly stuck: number } {
  return {
    failures: runs.flatMap((run) => run.failures),
    stuck: runs.reduce((sum, run) => sum + run.stuck, 0),
  };
}

function detailsOf(runs: readonly MeasuredRun[]): Readonly<Record<string, unknown>> {
  return {
    calls_per_second: summarize(
      runs.map((run) => run.calls / run.seconds),
      "calls/s",
    ),
    latency: Object.fromEntries(
      CALL_KINDS.map((kind) => [
        kind,
        summarize(
          runs.flatMap((run) => run.times[kind]),
          "ms",
        ),
      ]),
    ),
    processor_ms_per_flow: processorPerFlow(runs),
    failures: troubleOf(runs).failures.length,
    stuck: troubleOf(runs).stuck,
  };
}

function processorPerFlow(runs: readonly MeasuredRun[]): { readonly server: number; readonly database: number } | null {
  const known = runs.flatMap(({ processor }) => (processor === null ? [] : [processor]));
  if (known.length === 0) return null;
  return {
    server: rounded(median(known.map(({ serverMs }) => serverMs))),
    database: rounded(median(known.map(({ databaseMs }) => databaseMs))),
  };
}

function printRuns(name: string, runs: readonly MeasuredRun[]): void {
  const processor = processorPerFlow(runs);
  const used = processor === null ? "unknown" : `${processor.server} ms server, ${processor.database} ms database`;
  console.log(
    `${name}: ${Math.round(median(runs.map((run) => run.calls / run.seconds)))} calls/s; CPU per flow: ${used}`,
  );
  printTable(
    ["call", "n", "p50 ms", "p95 ms", "p99 ms"],
    CALL_KINDS.map((kind) => {
      const { n, p50, p95, p99 } = summarize(
        runs.flatMap((run) => run.times[kind]),
        "ms",
      );
      return [kind, n, p50, p95, p99];
    }),
  );
}

function ledgerWords(verified: Verified | null): string {
  if (verified === null) return "not ours to read";
  return `${verified.entries} entries, ${verified.findings === 0 ? "verified" : `${verified.findings} findings`}`;
}
