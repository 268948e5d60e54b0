/** How many approvals per second go from request to decision through the public API, and does every one of them finish? */
import { connect } from "../src/adapters/postgres/connect.ts";
import { openDatabase } from "../src/main/open-database.ts";
import { openHttpClient, type HttpClient } from "./http-client.ts";
import { CALL_KINDS, makePolicy, runHttpFlows, type FlowLoad, type FlowRun } from "./http-flows.ts";
import { processorTime, type Measurable, type ProcessorTime } from "./processor-time.ts";
import { loadNow, printTable, warnIfBusy, writeReport, type DatabaseKind } from "./report.ts";
import { withServer } from "./served.ts";
import { median, rounded, summarize } from "./summary.ts";
import { verifyWhole, type Verified } from "./verified.ts";

export interface FlowsOptions extends FlowLoad {
  /** Undefined: the built server is started for the purpose. */
  readonly url: string | undefined;
  /** Another implementation of the same API, driven in turn with the first. */
  readonly baselineUrl: string | undefined;
  readonly measurable: Measurable | null;
  readonly baselineMeasurable: Measurable | null;
  readonly runs: number;
  readonly warmUpFlows: number;
}

/** engine section 21: flows per second against the other implementation, below half of it is a defect. */
const RATIO_GOAL = 20;

interface Target {
  readonly url: string;
  readonly measurable: Measurable | null;
}

interface MeasuredRun extends FlowRun {
  /** Milliseconds of processor time per flow; null where it cannot be known. */
  readonly processor: ProcessorTime | null;
}

export async function benchFlows(options: FlowsOptions): Promise<boolean> {
  const load = loadNow();
  warnIfBusy(load);
  if (options.url !== undefined) {
    const target = { url: options.url, measurable: options.measurable };
    const measured = await measure(target, options);
    return report(measured, { options, load, verified: null, database: { postgres: null, embedded: false } });
  }
  const { value, rest } = await withServer(
    (server) => {
      const measurable = { serverPid: server.pid, databasePid: null };
      return measure({ url: `${server.origin}/v1/awe`, measurable }, options);
    },
    (dataDir) => verifyData(dataDir),
  );
  const { verified, postgres } = rest;
  return report(value, { options, load, verified, database: { postgres, embedded: true } });
}

interface BothSides {
  readonly ours: readonly MeasuredRun[];
  readonly baseline: readonly MeasuredRun[];
}

/** Sides take turns; the one that begins changes with every run. */
async function measure(target: Target, options: FlowsOptions): Promise<BothSides> {
  const sides: Side[] = [await openSide(target, options)];
  if (options.baselineUrl !== undefined) {
    sides.push(await openSide({ url: options.baselineUrl, measurable: options.baselineMeasurable }, options));
  }
  for (let run = 0; run < options.runs; run += 1) {
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) {
      side.runs.push(await side.measureOnce());
      const last = side.runs.at(-1);
      console.log(`  run ${run + 1} of ${options.runs}, ${side.url}: ${flowsPerSecond(last, options)} flows/s`);
    }
  }
  for (const side of sides) side.client.close();
  return { ours: sides[0]?.runs ?? [], baseline: sides[1]?.runs ?? [] };
}

interface Side {
  readonly url: string;
  readonly client: HttpClient;
  readonly runs: MeasuredRun[];
  measureOnce(): Promise<MeasuredRun>;
}

async function openSide({ url, measurable }: Target, options: FlowsOptions): Promise<Side> {
  const client = openHttpClient(url, options.concurrency * (options.parallel ? options.approvers : 1));
  const policyKey = await makePolicy(client, options);
  await runHttpFlows(client, policyKey, { ...options, flows: options.warmUpFlows });
  const now = (): ProcessorTime | null => (measurable === null ? null : processorTime(measurable));
  return {
    url,
    client,
    runs: [],
    async measureOnce() {
      const before = now();
      const run = await runHttpFlows(client, policyKey, options);
      return { ...run, processor: perFlow(before, now(), options.flows) };
    },
  };
}

function perFlow(before: ProcessorTime | null, after: ProcessorTime | null, flows: number): ProcessorTime | null {
  if (before === null || after === null) return null;
  return {
    serverMs: (after.serverMs - before.serverMs) / flows,
    databaseMs: (after.databaseMs - before.databaseMs) / flows,
  };
}

async function verifyData(dataDir: string): Promise<{ readonly verified: Verified; readonly postgres: string | null }> {
  const database = await openDatabase({ databaseUrl: undefined, dataDir, log: () => undefined });
  const pool = connect(database.connectionString, { poolSize: 1, statementTimeoutMs: false });
  try {
    const { rows } = await pool.query<{ version: string }>("select current_setting('server_version') as version");
    return { verified: await verifyWhole(pool), postgres: rows[0]?.version ?? null };
  } finally {
    await pool.end();
    await database.close();
  }
}

interface Reporting {
  readonly options: FlowsOptions;
  readonly load: number;
  readonly verified: Verified | null;
  readonly database: DatabaseKind;
}

function report({ ours, baseline }: BothSides, { options, load, verified, database }: Reporting): boolean {
  const { flows, stages, approvers, concurrency, parallel, runs } = options;
  const samples = ours.map((run) => flowsPerSecond(run, options));
  const baselineSamples = baseline.map((run) => flowsPerSecond(run, options));
  const ratio = baseline.length === 0 ? null : rounded(median(samples) / median(baselineSamples));
  const failures = ours.flatMap((run) => run.failures);
  const stuck = ours.reduce((sum, run) => sum + run.stuck, 0);
  const isWhole = (verified?.findings ?? 0) === 0;
  const pass = failures.length === 0 && stuck === 0 && isWhole && (ratio === null || ratio >= RATIO_GOAL);
  const title = `W${parallel ? "∥" : ""}(${flows},${stages},${approvers},${concurrency})`;
  console.log(`\n${title}: ${median(samples)} flows/s, ${failures.length} failures, ${stuck} stuck`);
  printRuns("this server", ours);
  if (baseline.length > 0) printRuns("baseline", baseline);
  for (const failure of [...new Set(failures)].slice(0, 5)) console.log(`  ${failure}`);
  console.log(`Ledger: ${verified === null ? "not ours to read" : ledgerWords(verified)}.`);
  const file = writeReport(
    {
      name: parallel ? "flows-parallel" : "flows",
      params: { workload: title, flows, stages, approvers, concurrency, parallel, runs, url: options.url ?? "started here" },
      samples,
      result: summarize(samples, "flows/s"),
      baseline:
        baseline.length === 0
          ? null
          : { name: options.baselineUrl ?? "", result: summarize(baselineSamples, "flows/s") },
      ratio,
      goal: `0 failures, 0 stuck, the ledger verified${ratio === null ? "" : `; at least ${RATIO_GOAL} times the baseline`}`,
      pass,
      details: {
        ...detailsOf(ours),
        ...(baseline.length === 0 ? {} : { baseline: detailsOf(baseline) }),
        ledger: verified,
      },
    },
    database,
    load,
  );
  console.log(`${pass ? "pass" : "FAIL"}. ${file}\n`);
  return pass;
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
    failures: runs.reduce((sum, run) => sum + run.failures.length, 0),
    stuck: runs.reduce((sum, run) => sum + run.stuck, 0),
  };
}

function processorPerFlow(
  runs: readonly MeasuredRun[],
): { readonly server: number; readonly database: number } | null {
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
  console.log(`${name}: ${Math.round(median(runs.map((run) => run.calls / run.seconds)))} calls/s; CPU per flow: ${used}`);
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

function flowsPerSecond(run: FlowRun | undefined, { flows }: FlowsOptions): number {
  return run === undefined ? 0 : rounded(flows / run.seconds);
}

function ledgerWords({ entries, findings }: Verified): string {
  return `${entries} entries, ${findings === 0 ? "verified" : `${findings} findings`}`;
}
