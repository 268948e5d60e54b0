/** How many approvals per second go from request to decision through the public API, and does every one of them finish? */
import { connect } from "../src/adapters/postgres/connect.ts";
import { openDatabase } from "../src/main/open-database.ts";
import { openHttpClient, type HttpClient } from "./http-client.ts";
import type { FlowsOptions } from "./flows-options.ts";
import { flowsPerSecond, reportFlows, type BothSides, type MeasuredRun } from "./flows-report.ts";
import { makePolicy, runHttpFlows } from "./http-flows.ts";
import { processorTime, type Measurable, type ProcessorTime } from "./processor-time.ts";
import { loadNow, warnIfBusy } from "./report.ts";
import { withServer } from "./served.ts";
import { verifyWhole, type Verified } from "./verified.ts";

interface Target {
  readonly url: string;
  readonly measurable: Measurable | null;
}

export async function benchFlows(options: FlowsOptions): Promise<boolean> {
  const load = loadNow();
  warnIfBusy(load);
  if (options.url !== undefined) {
    const target = { url: options.url, measurable: options.measurable };
    const measured = await measure(target, options);
    return reportFlows(measured, { options, load, verified: null, database: { postgres: null, embedded: false } });
  }
  const { value, rest } = await withServer(
    (server) => {
      const measurable = { serverPid: server.pid, databasePid: null };
      return measure({ url: `${server.origin}/v1/awe`, measurable }, options);
    },
    (dataDir) => verifyData(dataDir),
  );
  const { verified, postgres } = rest;
  return reportFlows(value, { options, load, verified, database: { postgres, embedded: true } });
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
      console.log(
        `  run ${run + 1} of ${options.runs}, ${side.url}: ${last === undefined ? 0 : flowsPerSecond(last)} flows/s`,
      );
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
