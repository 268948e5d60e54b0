/** `npm run bench [-- name] [options]`: runs one benchmark, or all of them with small sizes (docs/benchmarks.md). */
import { parseArgs } from "node:util";
import { benchDeployProxy } from "./deploy-proxy.ts";
import { benchDeployUpload } from "./deploy-upload.ts";
import { benchFlows } from "./flows.ts";
import { benchGroupCommit } from "./group-commit.ts";
import { benchLedgerVerify } from "./ledger-verify.ts";
import type { Measurable } from "./processor-time.ts";
import { benchStart } from "./start.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string" },
    "server-pid": { type: "string" },
    "database-pid": { type: "string" },
    "baseline-url": { type: "string" },
    "baseline-server-pid": { type: "string" },
    "baseline-database-pid": { type: "string" },
    n: { type: "string" },
    stages: { type: "string" },
    approvers: { type: "string" },
    concurrency: { type: "string" },
    parallel: { type: "boolean" },
    runs: { type: "string" },
    "warm-up": { type: "string" },
    help: { type: "boolean" },
  },
});

const HELP = `npm run bench                     every benchmark, with small sizes
npm run bench -- flows            the workload over HTTP
    --url URL                     a running server, such as http://127.0.0.1:8000/v1/awe; else one is started
    --baseline-url URL            another implementation of the same API, driven in turn
    --server-pid, --database-pid, --baseline-server-pid, --baseline-database-pid
                                  whose processor time is counted
    --n 250 --stages 2 --approvers 2 --concurrency 32 --runs 5 --warm-up 50
    --parallel                    all approvals of a stage at once
npm run bench -- group-commit     commands per second with group commit, and one by one
    --concurrency 1,8,32,64 --runs 5
npm run bench -- start            cold and warm start to the first answer
    --runs 5
npm run bench -- ledger-verify    entries per second of verification
    --n 100000 --runs 5
npm run bench -- deploy-proxy     calls through the deploy gate, beside a bare proxy
    --n 8000
npm run bench -- deploy-upload    an archive through the deploy gate: time, memory, event loop
    --n 1024                      MiB of the archive; sixteen at once have a quarter of it each`;

const MOST = 1_000_000;

function whole(name: "n" | "stages" | "approvers" | "runs" | "warm-up", otherwise: number): number {
  return parsed(name, values[name] ?? String(otherwise));
}

function parsed(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${MOST}, not ${text}`);
}

function measurable(server: string | undefined, database: string | undefined): Measurable | null {
  if (server === undefined) return null;
  return {
    serverPid: parsed("server-pid", server),
    databasePid: database === undefined ? null : parsed("database-pid", database),
  };
}

interface Sizes {
  readonly flows: number;
  readonly runs: number;
  readonly entries: number;
  readonly calls: number;
  readonly mebibytes: number;
}

const FULL: Sizes = { flows: 250, runs: 5, entries: 100_000, calls: 8_000, mebibytes: 1_024 };
const LONE_TURNS = 4;
const LONE_FLOWS = 12;
const SMALL: Sizes = { flows: 100, runs: 2, entries: 20_000, calls: 4_000, mebibytes: 256 };

function flows(sizes: Sizes): Promise<boolean> {
  return benchFlows({
    url: values.url,
    baselineUrl: values["baseline-url"],
    measurable: measurable(values["server-pid"], values["database-pid"]),
    baselineMeasurable: measurable(values["baseline-server-pid"], values["baseline-database-pid"]),
    flows: whole("n", sizes.flows),
    stages: whole("stages", 2),
    approvers: whole("approvers", 2),
    concurrency: parsed("concurrency", values.concurrency ?? "32"),
    parallel: values.parallel === true,
    runs: whole("runs", sizes.runs),
    warmUpFlows: whole("warm-up", 50),
  });
}

function groupCommit(sizes: Sizes): Promise<boolean> {
  const concurrencies = (values.concurrency ?? "1,8,32,64").split(",").map((text) => parsed("concurrency", text));
  return benchGroupCommit({
    ...{ concurrencies, stages: 2, approvers: 2 },
    // A lone command is compared to a few hundredths: many short turns, so that a busy moment hits both sides.
    runsAt: (concurrency) => whole("runs", sizes.runs) * (concurrency === 1 ? LONE_TURNS : 1),
    flowsAt: (concurrency) => (concurrency === 1 ? LONE_FLOWS : Math.max(40, Math.min(sizes.flows, concurrency * 4))),
    warmUpFlows: whole("warm-up", 50),
  });
}

/** Each answers whether its goals were met. */
const benchmarks: Readonly<Record<string, (sizes: Sizes) => boolean | Promise<boolean>>> = {
  flows,
  "group-commit": groupCommit,
  start: (sizes) => benchStart({ runs: whole("runs", sizes.runs) }),
  "ledger-verify": (sizes) =>
    benchLedgerVerify({ entries: whole("n", sizes.entries), runs: whole("runs", sizes.runs) }),
  "deploy-proxy": (sizes) => benchDeployProxy({ requests: whole("n", sizes.calls) }),
  "deploy-upload": (sizes) => {
    const mebibytes = whole("n", sizes.mebibytes);
    return benchDeployUpload({ mebibytes, parallelMebibytes: Math.max(1, Math.floor(mebibytes / 4)) });
  },
};

async function run(): Promise<boolean> {
  const [name] = positionals;
  if (name !== undefined) {
    const benchmark = benchmarks[name];
    if (benchmark === undefined) throw new Error(`There is no benchmark ${name}.\n\n${HELP}`);
    console.log(`${name} ...`);
    return await benchmark(FULL);
  }
  let passed = true;
  for (const [each, benchmark] of Object.entries(benchmarks)) {
    console.log(`\n${each} ...`);
    passed = (await benchmark(SMALL)) && passed;
  }
  return passed;
}

if (values.help === true) console.log(HELP);
else {
  process.exitCode = await run().then(
    (passed) => (passed ? 0 : 1),
    (error: unknown) => {
      console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
      return 2;
    },
  );
}
