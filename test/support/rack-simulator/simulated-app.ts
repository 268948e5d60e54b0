/**
 * One app of the simulated rack: its builds, releases and processes, and how they advance (deploy R-RACKSIM-1). The members of
 * the wire are named here once, in the order in which a rack writes them.
 */
import { randomInt } from "node:crypto";
import { goTime, messageOf, notFound, RackError } from "./rack-answer.ts";
import { environmentChanges, readEnvironment } from "./environment.ts";
import { RackLog } from "./rack-log.ts";
import { readManifest, type RackManifest } from "./rack-manifest.ts";
import { extractSource } from "./source-extraction.ts";
import type { RackObjects } from "./rack-objects.ts";

/** At once when next asked for (0), after so many milliseconds, or when a test says so. */
export type Pace = number | "by_step";

export interface SimulatedBuild {
  readonly id: string;
  readonly description: string;
  readonly gitSha: string;
  readonly url: string;
  readonly manifestPath: string;
  readonly buildArguments: readonly string[];
  /** What a client asked for beside: `development`, `external`, `no-cache`, `wildcard-domain`. */
  readonly flags: readonly string[];
  readonly started: Date;
  readonly log: RackLog;
  entrypoint: string;
  logsUrl: string;
  manifest: string;
  process: string;
  release: string;
  repository: string;
  reason: string;
  status: "created" | "running" | "complete" | "failed";
  ended: Date | null;
  /** Of a complete build: what each service runs, after interpolation; null where the rack built it. */
  images: Readonly<Record<string, string | null>>;
}

export interface SimulatedPort {
  readonly balancer: number;
  readonly certificate: string;
  readonly container: number;
}

export interface SimulatedRelease {
  readonly id: string;
  readonly build: string;
  readonly env: string;
  readonly manifest: string;
  readonly description: string;
  readonly created: Date;
}

export interface SimulatedProcess {
  readonly id: string;
  readonly service: string;
  readonly command: string;
  readonly image: string;
  readonly release: string;
  readonly started: Date;
  /** The option headers it was started with. */
  readonly options: Readonly<Record<string, string>>;
  /** Whether it belongs to a service, and not to a client that started it. */
  readonly isService: boolean;
  readonly log: RackLog;
  status: "pending" | "running";
}

export interface BuildOrder {
  readonly url: string;
  readonly gitSha?: string;
  readonly description?: string;
  readonly manifest?: string;
  readonly buildArguments?: readonly string[];
  readonly flags?: readonly string[];
}

export interface AppSurroundings {
  readonly now: () => Date;
  readonly objects: RackObjects;
  readonly paces: { readonly builds: Pace; readonly promotes: Pace; readonly processes: Pace };
  /** A reason lets the build fail. */
  readonly onBuild: (app: string, build: SimulatedBuild) => string | null;
  /** Where a promote ends. */
  readonly onPromote: (app: string, release: string) => "running" | "rollback";
  /** Lets `work` happen after so long; the simulator cancels it when it closes. */
  readonly later: (milliseconds: number, work: () => void) => void;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const POD_LETTERS = "bcdfghjklmnpqrstvwxz2456789";
const DEFAULT_MANIFEST = "convox.yml";
const NO_BUILD = { manifest: "", description: "" } as const;

export class SimulatedApp {
  readonly name: string;
  readonly builds = new Map<string, SimulatedBuild>();
  /** The oldest first. */
  readonly releases: SimulatedRelease[] = [];
  readonly processes = new Map<string, SimulatedProcess>();
  readonly parameters: Record<string, string> = {};
  readonly scales = new Map<string, Readonly<Record<string, number>>>();
  /** Of services that listen beside what their manifest says, as a rack of the first generation lists them. */
  readonly ports = new Map<string, readonly SimulatedPort[]>();
  readonly resourceData = new Map<string, Buffer>();
  readonly log = new RackLog();
  status: "running" | "updating" | "rollback" = "running";
  /** The active one; empty before the first promote. */
  release = "";
  locked = false;
  /** How often each service was restarted; the whole app under `*`. */
  readonly restarts: Record<string, number> = {};
  readonly #around: AppSurroundings;
  readonly #jobs = new Map<string, Promise<void>>();
  #promoting: string | null = null;

  constructor(name: string, around: AppSurroundings) {
    this.name = name;
    this.#around = around;
  }

  toWire(): Record<string, unknown> {
    return {
      generation: "3",
      locked: this.locked,
      name: this.name,
      release: this.release,
      router: "nginx",
      status: this.status,
      parameters: this.parameters,
    };
  }

  /** What runs, by the active release. */
  manifest(): RackManifest {
    const active = this.releases.find(({ id }) => id === this.release);
    return active === undefined
      ? { services: [], resources: [] }
      : readManifest(active.manifest, readEnvironment(active.env));
  }

  // --- builds

  build(id: string): SimulatedBuild {
    const build = this.builds.get(id);
    if (build === undefined) throw notFound("build", id);
    return build;
  }

  newBuild(order: BuildOrder): SimulatedBuild {
    const build: SimulatedBuild = {
      ...{ id: newId("B"), description: order.description ?? "", gitSha: order.gitSha ?? "", url: order.url },
      ...{ manifestPath: order.manifest ?? DEFAULT_MANIFEST, buildArguments: order.buildArguments ?? [] },
      ...{ flags: order.flags ?? [], started: this.#around.now(), log: new RackLog(), entrypoint: "", logsUrl: "" },
      ...{ manifest: "", process: "", release: "", repository: "", reason: "", status: "created", ended: null },
      images: {},
    };
    this.builds.set(build.id, build);
    return build;
  }

  startBuild(build: SimulatedBuild): void {
    build.process = newPodName("build");
    build.status = "running";
    const { builds: pace } = this.#around.paces;
    if (pace === 0) this.#jobs.set(build.id, this.#run(build));
    else if (pace !== "by_step") this.#around.later(pace, () => this.#jobs.set(build.id, this.#run(build)));
  }

  /** Lets a running build come to its end. */
  async stepBuild(id: string): Promise<SimulatedBuild> {
    const build = this.build(id);
    if (build.status === "running") {
      const job = this.#jobs.get(id) ?? this.#run(build);
      this.#jobs.set(id, job);
      await job;
    }
    return build;
  }

  /** Until the builds that complete at once are complete. */
  async settled(): Promise<void> {
    await Promise.all(this.#jobs.values());
  }

  async #run(build: SimulatedBuild): Promise<void> {
    try {
      await this.#perform(build);
      build.release = this.addRelease({ build: build.id }).id;
      build.status = "complete";
    } catch (error) {
      build.reason = messageOf(error);
      build.log.write(`ERROR: ${build.reason}\n`);
      build.status = "failed";
    }
    build.ended = this.#around.now();
    const { key } = this.#around.objects.put(this.name, `build/${build.id}/logs`, Buffer.from(build.log.text));
    build.logsUrl = `object://${this.name}/${key}`;
    build.log.end();
  }

  async #perform(build: SimulatedBuild): Promise<void> {
    const { wanted } = await extractSource(this.#sourceOf(build), build.manifestPath);
    if (wanted === null) throw new Error(`open ${build.manifestPath}: no such file or directory`);
    build.manifest = wanted.toString("utf8");
    const environment = new Map(readEnvironment(this.releases.at(-1)?.env ?? ""));
    for (const argument of build.buildArguments) {
      const at = argument.indexOf("=");
      environment.set(argument.slice(0, at), argument.slice(at + 1));
    }
    const { services } = readManifest(build.manifest, environment);
    for (const { image, buildPath } of services) {
      build.log.write(image === null ? `Building: ${buildPath}\n` : `Running: docker pull ${image}\n`);
    }
    build.images = Object.fromEntries(services.map(({ name, image }) => [name, image]));
    const reason = this.#around.onBuild(this.name, build);
    if (reason !== null) throw new Error(reason);
  }

  #sourceOf({ url }: SimulatedBuild): Buffer {
    const [, app = "", key = ""] = /^object:\/\/([^/]*)\/(.*)$/.exec(url) ?? [];
    if (app === "") throw new Error("unknown source type");
    const object = this.#around.objects.get(app, key);
    if (object === null) throw new Error(`object not found: ${key}`);
    if (object.body === null) throw new Error(`object was too large for the simulator to keep: ${key}`);
    return object.body;
  }

  // --- releases

  releaseNamed(id: string): SimulatedRelease {
    const release = this.releases.find((candidate) => candidate.id === id);
    if (release === undefined) throw notFound("release", id);
    return release;
  }

  /** Continues the newest release, or the one named, with what is given. */
  addRelease(given: {
    readonly build?: string | null;
    readonly env?: string | null;
    readonly description?: string | null;
    readonly parent?: string | null;
  }): SimulatedRelease {
    const { env: envBefore, build: buildBefore } = this.#parentOf(given.parent ?? "");
    const build = given.build ?? buildBefore;
    const built = build === "" ? NO_BUILD : this.build(build);
    const env = given.env ?? envBefore;
    const changes = environmentChanges(envBefore, env);
    const release: SimulatedRelease = {
      ...{ id: newId("R"), build, env, manifest: built.manifest, created: this.#around.now() },
      description: given.description ?? (changes === "" ? built.description : `env ${changes}`),
    };
    this.releases.push(release);
    return release;
  }

  #parentOf(named: string): Pick<SimulatedRelease, "build" | "env"> {
    return (named === "" ? this.releases.at(-1) : this.releaseNamed(named)) ?? { build: "", env: "" };
  }

  /** The app is `updating` until the promote has come to its end. */
  promote(id: string): void {
    const { manifest, env } = this.releaseNamed(id);
    readManifest(manifest, readEnvironment(env));
    this.status = "updating";
    this.#promoting = id;
    const { promotes: pace } = this.#around.paces;
    if (pace === 0) this.stepPromote();
    else if (pace !== "by_step") this.#around.later(pace, () => this.stepPromote());
  }

  /** Lets the promote under way end; without one nothing happens. */
  stepPromote(outcome?: "running" | "rollback"): void {
    const id = this.#promoting;
    if (id === null) return;
    this.#promoting = null;
    this.status = outcome ?? this.#around.onPromote(this.name, id);
    if (this.status === "running") this.activate(id);
  }

  cancelPromote(): void {
    if (this.#promoting !== null) this.stepPromote("rollback");
  }

  activate(id: string): void {
    const { manifest, env } = this.releaseNamed(id);
    const { services } = readManifest(manifest, readEnvironment(env));
    this.release = id;
    for (const process of this.processes.values()) if (process.isService) this.stopProcess(process.id);
    for (const { name, image } of services) {
      const started = this.#place({ service: name, release: id, command: "", options: {}, isService: true }, image);
      started.status = "running";
    }
  }

  // --- processes

  process(id: string): SimulatedProcess {
    const process = this.processes.get(id);
    if (process === undefined) throw notFound("process", id);
    return process;
  }

  runProcess(service: string, options: Readonly<Record<string, string>>): SimulatedProcess {
    const release = options["Release"] ?? this.release;
    if (release !== "") this.releaseNamed(release);
    const command = options["Command"] ?? "";
    return this.#place({ service, release, command, options, isService: false }, options["Image"] ?? null);
  }

  /** Once the start was answered. */
  afterStart(process: SimulatedProcess): void {
    const { processes: pace } = this.#around.paces;
    if (pace === 0) process.status = "running";
    else if (pace !== "by_step") this.#around.later(pace, () => (process.status = "running"));
  }

  stopProcess(id: string): void {
    this.process(id).log.end();
    this.processes.delete(id);
  }

  #place(
    started: Pick<SimulatedProcess, "service" | "release" | "command" | "options" | "isService">,
    image: string | null,
  ): SimulatedProcess {
    const { build = "" } = this.releases.find(({ id }) => id === started.release) ?? {};
    const process: SimulatedProcess = {
      ...started,
      ...{ id: newPodName(started.service), started: this.#around.now(), status: "pending", log: new RackLog() },
      image: image ?? `registry.simulator/${this.name}:${started.service}.${build}`,
    };
    this.processes.set(process.id, process);
    return process;
  }
}

export function buildToWire(app: string, build: SimulatedBuild): Record<string, unknown> {
  return {
    id: build.id,
    app,
    description: build.description,
    entrypoint: build.entrypoint,
    "git-sha": build.gitSha,
    logs: build.logsUrl,
    manifest: build.manifest,
    process: build.process,
    release: build.release,
    reason: build.reason,
    repository: build.repository,
    status: build.status,
    started: goTime(build.started),
    ended: goTime(build.ended),
  };
}

export function releaseToWire(app: string, release: SimulatedRelease): Record<string, unknown> {
  const { id, build, env, manifest, description, created } = release;
  return { id, app, build, env, manifest, description, created: goTime(created) };
}

export function processToWire(app: string, process: SimulatedProcess): Record<string, unknown> {
  const { id, command, image, service, release, started, status } = process;
  return {
    ...{ id, app, command, cpu: 0, host: "10.0.0.1", image, instance: "simulated-1", memory: 0, name: service },
    ...{ ports: [], release, started: goTime(started), status },
  };
}

/** Build arguments that a rack refuses when the build is ordered. */
export function checkBuildArguments(buildArguments: readonly string[]): void {
  const wrong = buildArguments.find((argument) => !argument.includes("="));
  if (wrong !== undefined) throw new RackError(500, `invalid build args:${wrong}`);
}

/** A letter and ten more. */
function newId(kind: "B" | "R"): string {
  return kind + Array.from({ length: 10 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}

function newPodName(service: string): string {
  return `${service}-${Array.from({ length: 5 }, () => POD_LETTERS[randomInt(POD_LETTERS.length)]).join("")}`;
}
