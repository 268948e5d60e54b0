/**
 * What does the rack proxy cost? Its throughput and latency beside a bare Node proxy, nginx where there is one, and the rack itself, in the same
 * run, each in a process of its own (docs/spec/deploy.md R-PERF-1, R-PERF-2).
 *
 *     node --import tsx bench/deploy-proxy.ts [requests]
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openConvoxRacks } from "../src/adapters/convox/convox-racks.ts";
import { buildServer } from "../src/http/build-server.ts";
import { machineOf, tokenOf } from "../test/support/machine-tokens.ts";
import { signedIn } from "../test/support/signed-in.ts";
import { openServer } from "../test/support/test-server.ts";
import type { Load, Measured } from "./deploy-proxy-part.ts";
import { openNginx } from "./nginx.ts";
import { openWorkbench } from "./workbench.ts";

const CONNECTIONS = 16;
/** Callers at once whose waiting is measured. */
const CROWD = 50;
const PART = fileURLToPath(new URL("deploy-proxy-part.ts", import.meta.url));

function begin(...role: readonly string[]): ChildProcess {
  return fork(PART, [...role], { execArgv: ["--import", "tsx"] });
}

async function told<Answer>(child: ChildProcess, isAnswer: (value: unknown) => value is Answer): Promise<Answer> {
  const ended = once(child, "exit").then((): unknown[] => []);
  const [answer]: unknown[] = await Promise.race([once(child, "message"), ended]);
  if (isAnswer(answer)) return answer;
  throw new Error("a part of the benchmark said something else than was asked");
}

function isPlace(value: unknown): value is { readonly url: string } {
  return typeof value === "object" && value !== null && "url" in value && typeof value.url === "string";
}

function isMeasured(value: unknown): value is Measured {
  return typeof value === "object" && value !== null && "perSecond" in value && "p50" in value && "p99" in value;
}

async function measured(load: Load): Promise<Measured> {
  const driver = begin("load");
  try {
    await told(driver, (value): value is "ready" => value === "ready");
    driver.send(load);
    return await told(driver, isMeasured);
  } finally {
    driver.kill();
  }
}

export interface DeployProxyOptions {
  readonly requests: number;
}

export async function benchDeployProxy({ requests }: DeployProxyOptions): Promise<boolean> {
  const rackProcess = begin("rack");
  const { url: rackUrl } = await told(rackProcess, isPlace);
  const bareProcess = begin("bare", rackUrl);
  const { url: bareUrl } = await told(bareProcess, isPlace);
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  const nginx = await openNginx(folder, rackUrl);
  const workbench = await openWorkbench();
  const info = {
    name: "production",
    alias: "production",
    displayName: "Production",
    tls: "system",
    enabled: true,
  } as const;
  const racks = openConvoxRacks(
    [{ info: { ...info, host: rackUrl }, username: "convox", token: "bench", authoritiesPem: null }],
    { pins: { read: () => Promise.resolve(null), write: (_rack, certificate) => Promise.resolve(certificate) } },
  );
  const at = await openServer(workbench.url, { application: { orgId: workbench.tools.orgId, deploy: { racks } } });
  // As the product has it: one application per organization, made once.
  const app: typeof at.app = { ...at.app, forOrganization: () => app };
  const server = await buildServer({ ...at.options, app, events: { subscribe: () => () => undefined } });
  const base = `${await server.listen({ host: "127.0.0.1", port: 0 })}/api/v1/rack-proxy`;
  try {
    const admin = await signedIn(at);
    const token = await tokenOf(admin, await machineOf(admin), { scopes: ["convox:app:read", "convox:app:update"] });
    return await compare({
      rackUrl,
      bareUrl,
      nginxUrl: nginx?.url ?? null,
      base,
      authorization: token.bearer.authorization,
      requests,
    });
  } finally {
    await server.close();
    await at.close();
    await racks.close();
    await workbench.close();
    for (const child of [rackProcess, bareProcess, nginx?.process]) child?.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Compared {
  readonly rackUrl: string;
  readonly bareUrl: string;
  /** Null where the machine has no nginx. */
  readonly nginxUrl: string | null;
  readonly base: string;
  readonly authorization: string;
  readonly requests: number;
}

async function compare({ rackUrl, bareUrl, nginxUrl, base, authorization, requests }: Compared): Promise<boolean> {
  const read = { method: "GET", requests } as const;
  const path = "/apps/myapp";
  const one = { connections: 1, requests: Math.ceil(requests / 4) };
  const wide = { ...read, connections: CONNECTIONS };
  const direct = await measured({ ...read, ...one, url: `${rackUrl}${path}`, authorization: null });
  const gate = await measured({ ...read, ...one, url: `${base}${path}`, authorization });
  const write = { method: "PUT", url: `${base}${path}/services/web`, authorization, connections: 1 };
  const written = await measured({ ...write, requests: Math.ceil(requests / 20) });
  const bareWide = await measured({ ...wide, url: `${bareUrl}${path}`, authorization: null });
  const nginxWide =
    nginxUrl === null ? null : await measured({ ...wide, url: `${nginxUrl}${path}`, authorization: null });
  const gateWide = await measured({ ...wide, url: `${base}${path}`, authorization });
  const crowd = { ...read, connections: CROWD };
  const rackCrowd = await measured({ ...crowd, url: `${rackUrl}${path}`, authorization: null });
  const gateCrowd = await measured({ ...crowd, url: `${base}${path}`, authorization });
  const ratio = gateWide.perSecond / bareWide.perSecond;
  const [added50, added99] = [gate.p50 - direct.p50, gate.p99 - direct.p99];
  const lines: readonly (readonly [string, string, boolean])[] = [
    [
      `GET, ${String(CONNECTIONS)} connections: gate ${gateWide.perSecond.toFixed(0)}/s, bare Node proxy ${bareWide.perSecond.toFixed(0)}/s`,
      `ratio ${ratio.toFixed(2)}, at least 0.50`,
      ratio >= 0.5,
    ],
    ...(nginxWide === null
      ? []
      : ([
          [
            `GET, ${String(CONNECTIONS)} connections: one nginx worker ${nginxWide.perSecond.toFixed(0)}/s`,
            `ratio ${(gateWide.perSecond / nginxWide.perSecond).toFixed(2)}, at least 0.20`,
            gateWide.perSecond / nginxWide.perSecond >= 0.2,
          ],
        ] as const)),
    [
      `GET, ${String(CROWD)} connections: p99 beside the rack's own of ${rackCrowd.p99.toFixed(1)} ms`,
      `p50 ${gateCrowd.p50.toFixed(1)} ms, p99 ${gateCrowd.p99.toFixed(1)} ms: shown, not judged`,
      true,
    ],
    [
      `GET, added to the rack's own p50 of ${direct.p50.toFixed(3)} ms`,
      `${added50.toFixed(3)} ms, at most 0.6`,
      added50 <= 0.6,
    ],
    [
      `GET, added to the rack's own p99 of ${direct.p99.toFixed(3)} ms`,
      `${added99.toFixed(3)} ms, at most 5`,
      added99 <= 5,
    ],
    ["write with durable entries, p50", `${written.p50.toFixed(2)} ms, at most 8`, written.p50 <= 8],
    ["write with durable entries, p99", `${written.p99.toFixed(2)} ms, at most 40`, written.p99 <= 40],
  ];
  for (const [what, figure, pass] of lines) console.log(`${pass ? "ok  " : "MISS"} ${what}: ${figure}`);
  return lines.every(([, , pass]) => pass);
}

const [, program = "", requests = "8000"] = process.argv;
if (program === fileURLToPath(import.meta.url)) {
  process.exitCode = (await benchDeployProxy({ requests: Number(requests) })) ? 0 : 1;
}
