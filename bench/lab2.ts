import { readFileSync } from "node:fs";
import { execSync } from "node:child_process";
import { createCommandStore } from "../src/adapters/postgres/command-store.ts";
import { prepareFlows, runFlows } from "./in-process-flows.ts";
import { openWorkbench } from "./workbench.ts";
import { PolicyCache } from "../src/adapters/postgres/working-set.ts";
const bench = await openWorkbench();
const c = Number(process.argv[2] ?? 1);
const url = bench.url + "&options=" + encodeURIComponent("-c log_min_duration_statement=0 -c log_duration=on " + (process.argv[3] ?? ""));
const store = createCommandStore({ ...bench.tools, policies: new PolicyCache(10), connectionString: url, isQuarantined: () => false });
const work = await prepareFlows(bench.application(store), { stages: 2, approvers: 2 });
await runFlows(work, 20, c);
const file = execSync(`find ${bench.dataDir} -name '*.log'`).toString().trim().split("\n");
const before = file.map((f) => readFileSync(f, "utf8").length);
await runFlows(work, 40 * Math.max(1, c / 4), c);
const m = new Map<string, number[]>();
file.forEach((f, i) => { for (const l of readFileSync(f, "utf8").slice(before[i]).split("\n")) {
  const x = /duration: ([\d.]+) ms\s+(parse|bind|execute|statement)\s?([a-z_0-9<>]*)/.exec(l); if (!x) continue;
  const k = `${x[3] || l.slice(l.indexOf("statement:") , l.indexOf("statement:") + 30)} ${x[2]}`; (m.get(k) ?? m.set(k, []).get(k)!).push(Number(x[1])); } });
for (const [k, v] of [...m].sort()) { v.sort((a, b) => a - b); console.log(k.padEnd(40), v.length, "p50", v[v.length >> 1]!.toFixed(3), "p10", v[Math.floor(v.length / 10)]!.toFixed(3), "sum", v.reduce((a, b) => a + b, 0).toFixed(0)); }
await store.close(); await bench.close();
