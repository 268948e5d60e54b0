import { createCommandStore } from "../src/adapters/postgres/command-store.ts";
import { prepareFlows, runFlows } from "./in-process-flows.ts";
import { openWorkbench } from "./workbench.ts";
import { median } from "./summary.ts";
import { processorTime } from "./processor-time.ts";
import { PolicyCache } from "../src/adapters/postgres/working-set.ts";
const bench = await openWorkbench();
const opt = (o: string) => bench.url + "&options=" + encodeURIComponent(o);
const all: Record<string,string> = { now: bench.url, generic: opt("-c plan_cache_mode=force_generic_plan"), norepl: opt("-c plan_cache_mode=force_generic_plan -c session_replication_role=replica") };
const variants = Object.fromEntries((process.argv[2] ?? "now,generic,norepl").split(",").map((n) => [n, all[n] ?? opt(n)]));
const sides: any[] = [];
for (const [name, url] of Object.entries(variants)) {
  const store = createCommandStore({ ...bench.tools, policies: new PolicyCache(10), connectionString: url, isQuarantined: () => false });
  sides.push({ name, store, work: await prepareFlows(bench.application(store), { stages: 2, approvers: 2 }), m: [] });
}
for (const c of (process.argv[3] ?? "1,32").split(",").map(Number)) {
  for (const s of sides) { s.m = []; s.cpu = []; await runFlows(s.work, 20, c); }
  for (let r = 0; r < 4; r++) for (const s of sides) {
    const t0 = processorTime(process.pid)!; 
    const m = await runFlows(s.work, c === 1 ? 30 : 250, c);
    const t1 = processorTime(process.pid)!;
    const n = m.create.length + m.decide.length;
    s.m.push(m); s.cpu.push([(t1.serverMs - t0.serverMs) / n, (t1.databaseMs - t0.databaseMs) / n]);
  }
  for (const s of sides) console.log(c, s.name.padEnd(10), "cps", Math.round(median(s.m.map((m: any) => m.commandsPerSecond))), "create", median(s.m.map((m: any) => median(m.create))).toFixed(2), "decide", median(s.m.map((m: any) => median(m.decide))).toFixed(2), "cpu node", median(s.cpu.map((x: any) => x[0])).toFixed(2), "pg", median(s.cpu.map((x: any) => x[1])).toFixed(2));
}
for (const s of sides) await s.store.close();
await bench.close();
