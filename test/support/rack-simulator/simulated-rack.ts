/** The state of the simulated rack, which a test may read and change at any time; nothing of it outlives the process. */
import { randomBytes } from "node:crypto";
import { notFound, RackError } from "./rack-answer.ts";
import { writeEnvironment } from "./environment.ts";
import { RackLog } from "./rack-log.ts";
import type { RackObjects } from "./rack-objects.ts";
import { SimulatedApp, type AppSurroundings, type SimulatedRelease } from "./simulated-app.ts";

export type Chunk = Buffer | string;

export interface ExecCall {
  readonly app: string;
  readonly pid: string;
  readonly command: string;
  readonly entrypoint: boolean;
  readonly tty: boolean;
  readonly disableStdin: boolean;
  readonly height: number | null;
  readonly width: number | null;
}

/** What a command in a process does: its output, then an echo of its input until that ends, then its exit code. */
export interface ExecScript {
  /** Each chunk is one text frame, whatever its bytes; an endless one ends with its reader. */
  readonly output?: Iterable<Chunk> | AsyncIterable<Chunk>;
  readonly echo?: boolean;
  readonly exitCode?: number;
}

export interface LogStream {
  readonly of: "app" | "service" | "process" | "system";
  /** Empty for the system. */
  readonly app: string;
  readonly id: string;
}

export interface RackRegistry {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

export interface RackCertificate {
  readonly id: string;
  readonly domains: readonly string[];
  readonly expiration: Date;
}

export interface RackInstance {
  readonly id: string;
  readonly privateIp: string;
  readonly started: Date;
}

export interface NewApp {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** With it the app starts with a build and an active release. */
  readonly manifest?: string;
  readonly gitSha?: string;
}

export interface RackSurroundings extends AppSurroundings {
  readonly name: string;
  readonly password: string;
  readonly onExec: (exec: ExecCall) => ExecScript;
  /** Null: what was written to the log. */
  readonly onLogs: (stream: LogStream) => Iterable<Chunk> | AsyncIterable<Chunk> | null;
}

const YEAR_MS = 31_536_000_000;
const RESERVED: readonly string[] = ["rack", "system"];

export class SimulatedRack {
  readonly name: string;
  readonly objects: RackObjects;
  readonly apps = new Map<string, SimulatedApp>();
  readonly registries = new Map<string, RackRegistry>();
  readonly certificates = new Map<string, RackCertificate>();
  readonly instances = new Map<string, RackInstance>();
  readonly parameters: Record<string, string> = { high_availability: "true", node_type: "simulated" };
  readonly log = new RackLog();
  count = 3;
  type = "simulated";
  /** A client compares it as text with `20180708231844`. */
  version = "20260101000000";
  readonly around: RackSurroundings;

  constructor(around: RackSurroundings) {
    this.name = around.name;
    this.around = around;
    this.objects = around.objects;
    for (const number of ["1", "2", "3"]) {
      const id = `simulated-${number}`;
      this.instances.set(id, { id, privateIp: `10.0.0.${number}`, started: around.now() });
    }
  }

  app(name: string): SimulatedApp {
    const app = this.apps.get(name);
    if (app === undefined) throw notFound("app", name);
    return app;
  }

  addApp({ name, env, manifest, gitSha }: NewApp): SimulatedApp {
    if (RESERVED.includes(name) || name === "") throw new RackError(400, "app name is reserved");
    if (this.apps.has(name)) throw new RackError(409, `app already exists: ${name}`);
    const app = new SimulatedApp(name, this.around);
    this.apps.set(name, app);
    if (env !== undefined || manifest !== undefined) {
      this.setActiveRelease(name, { ...(env && { env }), ...(manifest && { manifest }), ...(gitSha && { gitSha }) });
    }
    return app;
  }

  /** As if somebody else had deployed it: no call is recorded. */
  setActiveRelease(
    name: string,
    release: string | { env?: Readonly<Record<string, string>>; manifest?: string; gitSha?: string },
  ): SimulatedRelease {
    const app = this.app(name);
    const id = typeof release === "string" ? release : madeRelease(app, release, this.around.now());
    app.activate(id);
    app.status = "running";
    return app.releaseNamed(id);
  }

  deleteApp(name: string): void {
    if (this.app(name).locked) throw new RackError(409, `app is locked: ${name}`);
    this.app(name).log.end();
    this.apps.delete(name);
  }

  addCertificate(domains: readonly string[]): RackCertificate {
    const id = `cert-${randomBytes(6).toString("hex")}`;
    const certificate = { id, domains, expiration: new Date(this.around.now().getTime() + YEAR_MS) };
    this.certificates.set(id, certificate);
    return certificate;
  }

  instance(id: string): RackInstance {
    const instance = this.instances.get(id);
    if (instance === undefined) throw notFound("instance", id);
    return instance;
  }

  systemToWire(): Record<string, unknown> {
    const domain = "rack.simulator";
    return {
      ...{ count: this.count, domain, name: this.name, outputs: { Domain: domain }, parameters: this.parameters },
      ...{ provider: "simulator", "rack-domain": domain, region: "simulated", status: "running" },
      ...{ type: this.type, version: this.version },
    };
  }
}

function madeRelease(
  app: SimulatedApp,
  { env, manifest, gitSha }: { env?: Readonly<Record<string, string>>; manifest?: string; gitSha?: string },
  now: Date,
): string {
  const values = env === undefined ? null : writeEnvironment(env);
  if (manifest === undefined) return app.addRelease({ env: values }).id;
  const build = app.newBuild({ url: "", ...(gitSha !== undefined && { gitSha }) });
  build.manifest = manifest;
  build.status = "complete";
  build.ended = now;
  build.log.end();
  build.release = app.addRelease({ build: build.id, env: values }).id;
  return build.release;
}
