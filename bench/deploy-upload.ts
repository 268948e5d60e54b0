/**
 * What does an archive cost on its way through the rack proxy? Time beside a bare Node proxy, and nginx where there is one, in the same run;
 * memory and event loop of the gate meanwhile (docs/spec/deploy.md R-PERF-4, R-PERF-5).
 *
 *     node --import tsx bench/deploy-upload.ts [MiB] [MiB of each of sixteen at once]
 */
import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { openConvoxRacks } from "../src/adapters/convox/convox-racks.ts";
import { treeRecordId } from "../src/app/deploy/tree-record-id.ts";
import { openDeployScene, type DeployScene, type MadeApproval } from "../test/support/deploy-scene.ts";
import { writeArchive, type WrittenArchive } from "./deploy-upload-archive.ts";
import type { Uploaded, Uploading } from "./deploy-upload-part.ts";
import { openNginx } from "./nginx.ts";
import { loadNow, warnIfBusy } from "./report.ts";
import { median } from "./summary.ts";
import { openWorkbench } from "./workbench.ts";

const PART = fileURLToPath(new URL("deploy-upload-part.ts", import.meta.url));
const PARALLEL = 16;
const ROUNDS = 3;
const MEBIBYTE = 1_048_576;
const SAMPLE_MS = 50;
const MILLISECOND_NS = 1e6;
/** Deploy R-PERF-4, R-PERF-5. */
const BOUNDS = { ratio: 3.6, loopMs: 50, oneMiB: 64, manyMiB: 256 } as const;

export interface DeployUploadOptions {
  readonly mebibytes: number;
  /** Of each of sixteen at once. */
  readonly parallelMebibytes: number;
}

export async function benchDeployUpload({ mebibytes, parallelMebibytes }: DeployUploadOptions): Promise<boolean> {
  warnIfBusy(loadNow());
  const folder = await mkdtemp(join(tmpdir(), "countersign-upload-"));
  const children: ChildProcess[] = [];
  const begin = (...role: readonly string[]): ChildProcess => {
    const child = fork(PART, [...role], { execArgv: ["--import", "tsx"] });
    children.push(child);
    return child;
  };
  const workbench = await openWorkbench();
  try {
    const rackUrl = await placeOf(begin("rack"));
    const bareUrl = await placeOf(begin("bare", rackUrl));
    const nginx = await openNginx(folder, rackUrl);
    if (nginx !== null) children.push(nginx.process);
    const driver = begin("client");
    await once(driver, "message");
    const racks = racksAt(rackUrl);
    const scene = await openDeployScene(workbench.url, {
      application: { orgId: workbench.tools.orgId },
      deploy: { racks },
    });
    try {
      const one = await writeArchive(join(folder, "one.tgz"), mebibytes * MEBIBYTE);
      const small = await writeArchive(join(folder, "small.tgz"), parallelMebibytes * MEBIBYTE);
      const others = { bareUrl, nginxUrl: nginx?.url ?? null };
      return await new Comparison(scene, driver, others).run(one, small);
    } finally {
      await scene.close();
      await racks.close();
    }
  } finally {
    for (const child of children) child.kill();
    await workbench.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const messages: readonly unknown[] = await once(child, "message");
  return messages[0];
}

async function placeOf(child: ChildProcess): Promise<string> {
  const place = await messageOf(child);
  if (typeof place === "object" && place !== null && "url" in place && typeof place.url === "string") return place.url;
  throw new Error("a part of the benchmark did not say where it listens");
}

function racksAt(host: string): ReturnType<typeof openConvoxRacks> {
  const info = { name: "production", alias: "production", displayName: "Production", tls: "system", enabled: true };
  return openConvoxRacks(
    [{ info: { ...info, tls: "system", host }, username: "convox", token: "bench", authoritiesPem: null }],
    { pins: { read: () => Promise.resolve(null), write: (_rack, certificate) => Promise.resolve(certificate) } },
  );
}

interface Others {
  readonly bareUrl: string;
  readonly nginxUrl: string | null;
}

type Line = readonly [what: string, figure: string, pass: boolean];

/** What the gate's process was like while something was done. */
interface Watched<Value> {
  readonly value: Value;
  /** By how much its resident memory grew at most. */
  readonly grownMiB: number;
  readonly loopP99Ms: number;
}

class Comparison {
  readonly #scene: DeployScene;
  readonly #driver: ChildProcess;
  readonly #others: Others;
  #names = 0;
  #approval: MadeApproval | null = null;

  constructor(scene: DeployScene, driver: ChildProcess, others: Others) {
    this.#scene = scene;
    this.#driver = driver;
    this.#others = others;
  }

  async run(one: WrittenArchive, small: WrittenArchive): Promise<boolean> {
    const scene = this.#scene;
    const direct = await scene.token(["convox:object:create"]);
    // The first one starts threads and fills pools: it belongs to no figure.
    const warm = await this.#gate(direct.bearer.authorization, small, "hashed");
    const approved = await this.#approvedToken(one);
    const seconds: { bare: number[]; nginx: number[]; gate: number[] } = { bare: [], nginx: [], gate: [] };
    const gates: Watched<Uploaded>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      seconds.bare.push((await this.#send([`${this.#others.bareUrl}${this.#path("bare")}`], one, null)).seconds);
      if (this.#others.nginxUrl !== null) {
        seconds.nginx.push((await this.#send([`${this.#others.nginxUrl}${this.#path("nginx")}`], one, null)).seconds);
      }
      const gate = await watched(() => this.#gate(approved, one, "gate"));
      gates.push(gate);
      seconds.gate.push(gate.value.seconds);
    }
    await this.#expectChecked();
    const urls = Array.from({ length: PARALLEL }, () => this.#gateUrl("many"));
    const many = await watched(() => this.#send(urls, small, direct.bearer.authorization));
    const lines: readonly Line[] = [
      hashLine(warm, small),
      ...ratioLines(seconds, one),
      ...[memoryLine(sizeOf(one), Math.max(...gates.map(({ grownMiB }) => grownMiB)), BOUNDS.oneMiB)],
      ...[memoryLine(`${String(PARALLEL)} at once, ${sizeOf(small)} each`, many.grownMiB, BOUNDS.manyMiB)],
      loopLine(gates.concat(many).map(({ loopP99Ms }) => loopP99Ms)),
    ];
    for (const [what, figure, pass] of lines) console.log(`${pass ? "ok  " : "MISS"} ${what}: ${figure}`);
    return lines.every(([, , pass]) => pass);
  }

  /** A token whose approval is for the commit that holds exactly the archive's files: everything about it is checked. */
  async #approvedToken({ files }: WrittenArchive): Promise<string> {
    const { app } = this.#scene.at;
    const treeId = createHash("sha1").update(JSON.stringify(files)).digest("hex");
    const { orgId, clock, scratch } = app;
    const facts = { ...NO_FACTS, repository: "myorg/app" };
    const id = treeRecordId({ record: { orgId, facts }, repository: null, treeId });
    await scratch.add("deployTree", { id, orgId, objectFormat: "sha1", readAt: clock(), files });
    const ci = await this.#scene.ciToken();
    const sourceTree = { state: "ready", treeId, fileCount: files.length } as const;
    this.#approval = await this.#scene.approved(ci, { record: { sourceTree, facts } });
    return ci.bearer.authorization;
  }

  /** Otherwise the figures are of something easier. */
  async #expectChecked(): Promise<void> {
    const approval = this.#approval;
    const record = approval === null ? null : await this.#scene.stored(approval);
    if (record?.uploadCount === ROUNDS && record.warnings.length === 0) return;
    throw new Error(`the archive was not compared with the commit: ${JSON.stringify(record?.warnings)}`);
  }

  #path(kind: string): string {
    this.#names += 1;
    return `/apps/myapp/objects/tmp/${kind}-${String(this.#names)}.tgz`;
  }

  #gateUrl(kind: string): string {
    return `${this.#scene.base}/api/v1/rack-proxy${this.#path(kind)}`;
  }

  #gate(authorization: string, archive: WrittenArchive, kind: string): Promise<Uploaded> {
    return this.#send([this.#gateUrl(kind)], archive, authorization);
  }

  async #send(
    urls: readonly string[],
    { file, bytes }: WrittenArchive,
    authorization: string | null,
  ): Promise<Uploaded> {
    this.#driver.send({ urls, file, bytes, authorization } satisfies Uploading);
    const done = await messageOf(this.#driver);
    if (isUploaded(done)) return done;
    throw new Error(`an upload failed: ${JSON.stringify(done)}`);
  }
}

function isUploaded(value: unknown): value is Uploaded {
  return typeof value === "object" && value !== null && "seconds" in value && "answers" in value;
}

async function watched<Value>(act: () => Promise<Value>): Promise<Watched<Value>> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, SAMPLE_MS);
  const lateness = monitorEventLoopDelay({ resolution: 10 });
  lateness.enable();
  try {
    const value = await act();
    lateness.disable();
    return { value, grownMiB: (most - before) / MEBIBYTE, loopP99Ms: lateness.percentile(99) / MILLISECOND_NS - 10 };
  } finally {
    clearInterval(timer);
  }
}

function sizeOf({ bytes }: WrittenArchive): string {
  return `${String(Math.round(bytes / MEBIBYTE))} MiB`;
}

function hashLine({ answers }: Uploaded, archive: WrittenArchive): Line {
  const isSame = answers.every((answer) => answer.includes(archive.sha256));
  return [`SHA-256 of ${sizeOf(archive)} at the rack`, isSame ? "that of the client" : "another one", isSame];
}

interface Seconds {
  readonly bare: readonly number[];
  readonly nginx: readonly number[];
  readonly gate: readonly number[];
}

/** The goal is nginx's; where there is none the bare proxy, about as fast, stands for it. */
function ratioLines({ bare, nginx, gate }: Seconds, archive: WrittenArchive): readonly Line[] {
  const line = (name: string, other: readonly number[], isGoal: boolean): Line => {
    const ratio = median(gate) / median(other);
    const what = `${sizeOf(archive)}, all checks: gate ${median(gate).toFixed(2)} s, ${name} ${median(other).toFixed(2)} s`;
    const goal = isGoal ? `, at most ${String(BOUNDS.ratio)}` : "";
    return [what, `ratio ${ratio.toFixed(2)}${goal}`, !isGoal || ratio <= BOUNDS.ratio];
  };
  const hasNginx = nginx.length > 0;
  return [line("bare Node proxy", bare, !hasNginx), ...(hasNginx ? [line("nginx", nginx, true)] : [])];
}

function memoryLine(what: string, grown: number, most: number): Line {
  return [`memory of the gate, ${what}`, `grew by ${grown.toFixed(0)} MiB, at most ${String(most)}`, grown < most];
}

function loopLine(delays: readonly number[]): Line {
  const worst = Math.max(...delays);
  return ["event loop of the gate, p99", `${worst.toFixed(1)} ms late, at most ${String(BOUNDS.loopMs)}`, worst <= 50];
}

const NO_FACTS = {
  ...{ repository: null, isDefaultBranch: null, commit: null, pullRequest: null, activeRelease: null },
  ...{ activeCommit: null, changes: null, commitUrl: null, branchUrl: null, prUrl: null, unmatchedAuthors: [] },
  workload: null,
};

const [, program = "", mebibytes = "1024", parallelMebibytes = "256"] = process.argv;
if (program === fileURLToPath(import.meta.url)) {
  const options = { mebibytes: Number(mebibytes), parallelMebibytes: Number(parallelMebibytes) };
  process.exitCode = (await benchDeployUpload(options)) ? 0 : 1;
}
