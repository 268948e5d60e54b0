/** How long does a newcomer wait for the first answer, and how long on every day after? */
import { rm } from "node:fs/promises";
import { openHttpClient, unsignedToken } from "./http-client.ts";
import { loadNow, printTable, warnIfBusy, writeReport } from "./report.ts";
import { serve } from "./served.ts";
import { rounded, summarize, type Summary } from "./summary.ts";
import { makeDataDirectory } from "./workbench.ts";

export interface StartOptions {
  readonly runs: number;
}

interface Started {
  /** Milliseconds from the start of the process to the first answer over HTTP. */
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

const GOALS_MS = { cold: 10_000, warm: 3_000 } as const;
const READER = unsignedToken("bench-reader");

export async function benchStart({ runs }: StartOptions): Promise<boolean> {
  const load = loadNow();
  warnIfBusy(load);
  const started = await measure(runs);
  const results = { cold: summarize(started.cold, "ms"), warm: summarize(started.warm, "ms") };
  console.log("\nStart of the process to the first answer, embedded database");
  printTable(
    ["", "p50 ms", "p95 ms", "goal ms"],
    (["cold", "warm"] as const).map((kind) => [kind, results[kind].p50, results[kind].p95, GOALS_MS[kind]]),
  );
  const passes = (["cold", "warm"] as const).map((kind) =>
    report(kind, started[kind], { result: results[kind], load }),
  );
  return passes.every((pass) => pass);
}

/** Cold: an empty data directory. Warm: the same directory again, after a clean end. */
async function measure(runs: number): Promise<Started> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const dataDir = await makeDataDirectory();
    try {
      cold.push(await firstAnswer(dataDir));
      warm.push(await firstAnswer(dataDir));
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
    console.log(
      `  run ${run + 1} of ${runs}: ${Math.round(cold.at(-1) ?? 0)} ms cold, ${Math.round(warm.at(-1) ?? 0)} ms warm`,
    );
  }
  return { cold, warm };
}

async function firstAnswer(dataDir: string): Promise<number> {
  const server = await serve(dataDir);
  try {
    const askedAt = performance.now();
    const client = openHttpClient(`${server.origin}/v1/awe`, 1);
    const answer = await client.call({ method: "GET", path: "/tasks", token: READER });
    const answeredMs = performance.now() - askedAt;
    client.close();
    if (answer.status !== 200) throw new Error(`The first answer was ${answer.status}`);
    return rounded(server.readyMs + answeredMs);
  } finally {
    await server.stop();
  }
}

function report(
  kind: keyof Started,
  samples: readonly number[],
  { result, load }: { readonly result: Summary; readonly load: number },
): boolean {
  const pass = result.p95 <= GOALS_MS[kind];
  const file = writeReport(
    {
      name: `start-${kind}`,
      params: { runs: samples.length },
      ...{ samples, result, baseline: null, ratio: null },
      goal: `at most ${GOALS_MS[kind]} ms`,
      pass,
      details: {},
    },
    { postgres: null, embedded: true },
    load,
  );
  console.log(`${pass ? "pass" : "FAIL"}. ${file}`);
  return pass;
}
