/**
 * A simulated Convox rack: the wire of a real one over HTTP, HTTPS and WebSockets, its state in memory, its faults at a switch
 * (deploy R-RACKSIM-1). It says that it is a simulator in `GET /system` and in its log. No container runs in it.
 *
 *     const simulator = await openRackSimulator();
 *     simulator.addApp({ name: "myapp", manifest, env: { PORT: "3000" } });
 *     simulator.faults.add({ method: "POST", path: "/apps/{app}/builds", kind: "status", status: 500, times: 1 });
 *     …
 *     expect(simulator.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([…]);
 *     await simulator.close();
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { RackObjects, type StoredObject } from "./rack-objects.ts";
import { RackServer } from "./rack-server.ts";
import { RackTimers } from "./rack-timers.ts";
import { newSelfSignedCertificate } from "./self-signed-certificate.ts";
import { SimulatedRack, type RackSurroundings } from "./simulated-rack.ts";
import type { RackFaults } from "./rack-faults.ts";
import type { RackCall } from "./recorded-call.ts";
import type { Pace, SimulatedApp } from "./simulated-app.ts";

export interface RackSimulatorOptions {
  readonly name?: string;
  /** Random unless given; with an empty one every caller is let in. */
  readonly password?: string;
  readonly port?: number;
  readonly httpsPort?: number;
  readonly now?: () => Date;
  readonly log?: (line: string) => void;
  /** False: objects are hashed and not kept, so that a large one costs no memory, and none can be built. */
  readonly keepObjects?: boolean;
  /** A larger object is only hashed. */
  readonly objectBytesMax?: number;
  /** Once there are more calls, the older half is forgotten. */
  readonly callsMax?: number;
  /** When builds, promotes and started processes advance; at once (0) unless given. */
  readonly paces?: { readonly builds?: Pace; readonly promotes?: Pace; readonly processes?: Pace };
  readonly onExec?: RackSurroundings["onExec"];
  readonly onLogs?: RackSurroundings["onLogs"];
  readonly onBuild?: RackSurroundings["onBuild"];
  readonly onPromote?: RackSurroundings["onPromote"];
}

export interface RackSimulator {
  readonly url: string;
  readonly httpsUrl: string;
  /** Of the certificate that is presented now. */
  readonly certificatePem: string;
  readonly certificateFingerprint: string;
  readonly username: string;
  readonly password: string;
  /** In the order in which they came, with what was cut off or refused. */
  readonly calls: readonly RackCall[];
  readonly faults: RackFaults;
  readonly rack: SimulatedRack;
  readonly apps: ReadonlyMap<string, SimulatedApp>;
  /** By `app/key`. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  addApp: SimulatedRack["addApp"];
  setActiveRelease: SimulatedRack["setActiveRelease"];
  forgetCalls(): void;
  /** From now on HTTPS presents another certificate; connections under the old one end. */
  renewCertificate(): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const USERNAME = "convox";
const CALLS_MAX = 10_000;
const OBJECT_BYTES_MAX = 67_108_864;
const HEADER_BYTES_MAX = 1_048_576;
const SERVER_OPTIONS = {
  ...{ maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 120_000 },
};

const BY_DEFAULT = {
  ...{ name: "simulator", keepObjects: true, objectBytesMax: OBJECT_BYTES_MAX, paces: {}, now: () => new Date() },
  ...{ onExec: () => ({}), onLogs: () => null, onBuild: () => null, onPromote: () => "running" as const },
} as const;

export async function openRackSimulator(options: RackSimulatorOptions = {}): Promise<RackSimulator> {
  const timers = new RackTimers();
  const around = surroundings(options, timers);
  const rack = new SimulatedRack(around);
  const server = new RackServer(rack, { timers, callsMax: options.callsMax ?? CALLS_MAX });
  let certificate = newSelfSignedCertificate();
  const plain = createServer(SERVER_OPTIONS);
  const secure = createTlsServer({
    ...{ ...SERVER_OPTIONS, minVersion: "TLSv1.2", key: certificate.privateKeyPem, cert: certificate.certificatePem },
  });
  const plainEnd = await listen(plain, server, options.port ?? 0);
  const secureEnd = await listen(secure, server, options.httpsPort ?? 0);
  const url = `http://${HOST}:${String(plainEnd.port)}`;
  const httpsUrl = `https://${HOST}:${String(secureEnd.port)}`;
  const line = `rack simulator "${rack.name}" listens at ${url} and ${httpsUrl}: it is a simulator, nothing is deployed by it`;
  options.log?.(line);
  rack.log.write(`${line}\n`);
  return {
    ...{ url, httpsUrl, username: USERNAME, password: around.password, rack, apps: rack.apps, faults: server.faults },
    get certificatePem() {
      return certificate.certificatePem;
    },
    get certificateFingerprint() {
      return certificate.fingerprint;
    },
    calls: server.calls,
    objects: rack.objects.stored,
    addApp: (app) => rack.addApp(app),
    setActiveRelease: (app, release) => rack.setActiveRelease(app, release),
    forgetCalls() {
      server.calls.length = 0;
    },
    renewCertificate() {
      certificate = newSelfSignedCertificate();
      secure.setSecureContext({ key: certificate.privateKeyPem, cert: certificate.certificatePem });
      secureEnd.hangUp();
    },
    async close() {
      timers.stop();
      await Promise.all([plainEnd.close(), secureEnd.close()]);
    },
  };
}

function surroundings(options: RackSimulatorOptions, timers: RackTimers): RackSurroundings {
  const { name, keepObjects, objectBytesMax, paces, now, ...scripts } = { ...BY_DEFAULT, ...options };
  return {
    ...{ name, now, onExec: scripts.onExec, onLogs: scripts.onLogs },
    ...{ onBuild: scripts.onBuild, onPromote: scripts.onPromote },
    password: options.password ?? randomBytes(16).toString("hex"),
    objects: new RackObjects({ bytesMax: keepObjects ? objectBytesMax : -1 }),
    paces: { builds: 0, promotes: 0, processes: 0, ...paces },
    later: (milliseconds, work) => timers.later(milliseconds, work),
  };
}

interface Listening {
  readonly port: number;
  hangUp(): void;
  close(): Promise<void>;
}

async function listen(http: Server, server: RackServer, port: number): Promise<Listening> {
  const connections = new Set<Socket>();
  const answer =
    (expectsContinue: boolean): RequestListener =>
    (request, response) => {
      void server.handle(request, response, expectsContinue ? () => response.writeContinue() : null);
    };
  http.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  http.on("request", answer(false));
  http.on("checkContinue", answer(true));
  http.on("upgrade", (request, socket, head) => {
    void server.upgrade(request, socket, head);
  });
  http.on("clientError", (error, socket) => {
    server.disturbed(error, socket);
  });
  await once(http.listen(port, HOST), "listening");
  const address = http.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  const hangUp = (): void => {
    for (const socket of connections) socket.destroy();
  };
  return {
    port: address.port,
    hangUp,
    async close() {
      const closed = once(http.close(), "close");
      hangUp();
      await closed;
    },
  };
}
