/** What the rack answers about apps, their objects, builds, releases and processes (deploy R-RACKSIM-1, R-ROUTE-1). */
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import {
  bytesAnswer,
  doneAnswer,
  emptyAnswer,
  jsonAnswer,
  notFound,
  RackError,
  type RackAnswer,
} from "./rack-answer.ts";
import { cleanKey } from "./rack-objects.ts";
import { extractSource } from "./source-extraction.ts";
import { wholeNumber, type RackExchange, type RackRoute } from "./rack-route.ts";
import { buildToWire, checkBuildArguments, processToWire, releaseToWire, type SimulatedApp } from "./simulated-app.ts";

const LIST_MAX = 10;
const IMPORT_BYTES_MAX = 67_108_864;

/** The options of a process start, which are headers and nothing else. */
const START_OPTIONS = [
  ...["Command", "Cpu", "Cpu-Limit", "Environment", "Gpu", "Gpu-Vendor", "Height", "Image", "Memory", "Memory-Limit"],
  ...["Node-Labels", "Privileged", "Release", "System-Critical", "Use-Service-Volume", "Volumes", "Width"],
] as const;

const NUMBERS: readonly string[] = ["Cpu", "Cpu-Limit", "Gpu", "Height", "Memory", "Memory-Limit", "Width"];

export const APP_ROUTES: readonly RackRoute[] = [
  { method: "POST", path: "/apps/{app}/cancel", answer: change((app) => app.cancelPromote()) },
  { method: "POST", path: "/apps", answer: createApp },
  { method: "DELETE", path: "/apps/{app}", answer: deleteApp },
  { method: "GET", path: "/apps/{app}", answer: read((app) => app.toWire()) },
  { method: "GET", path: "/apps", answer: listApps },
  { method: "GET", path: "/apps/{app}/metrics", answer: read(() => []) },
  { method: "PUT", path: "/apps/{app}", answer: updateApp },
  { method: "POST", path: "/apps/{app}/restart", answer: change((app) => restart(app, "*")) },
  { method: "GET", path: "/apps/{app}/balancers", answer: read(() => []) },
  { method: "POST", path: "/apps/{app}/builds", answer: createBuild },
  { method: "GET", path: "/apps/{app}/builds/{id}.tgz", answer: exportBuild },
  { method: "GET", path: "/apps/{app}/builds/{id}", answer: readBuild },
  { method: "POST", path: "/apps/{app}/builds/import", streams: true, answer: importBuild },
  { method: "POST", path: "/apps/{app}/builds/{id}/image", answer: importImage },
  { method: "GET", path: "/apps/{app}/builds", answer: listBuilds },
  { method: "PUT", path: "/apps/{app}/builds/{id}", answer: updateBuild },
  { method: "POST", path: "/apps/{app}/objects/{key:*}", streams: true, answer: storeObject },
  { method: "GET", path: "/apps/{app}/processes/{pid}", answer: readProcess },
  { method: "GET", path: "/apps/{app}/processes", answer: listProcesses },
  { method: "DELETE", path: "/apps/{app}/processes/{pid}", answer: stopProcess },
  { method: "POST", path: "/apps/{app}/services/{service}/processes", answer: startProcess },
  { method: "POST", path: "/apps/{app}/releases", answer: createRelease },
  { method: "GET", path: "/apps/{app}/releases/{id}", answer: readRelease },
  { method: "GET", path: "/apps/{app}/releases", answer: listReleases },
  { method: "POST", path: "/apps/{app}/releases/{id}/promote", answer: promote },
  { method: "GET", path: "/apps/{app}/resources/{name}/data", answer: exportResource },
  { method: "GET", path: "/apps/{app}/resources/{name}", answer: readResource },
  { method: "GET", path: "/apps/{app}/resources", answer: read(resourcesOf) },
  { method: "GET", path: "/apps/{app}/services", answer: read(servicesOf) },
  { method: "POST", path: "/apps/{app}/services/{name}/restart", answer: restartService },
  { method: "PUT", path: "/apps/{app}/services/{name}", answer: updateService },
];

function appOf({ rack, parameter }: Pick<RackExchange, "rack" | "parameter">): SimulatedApp {
  return rack.app(parameter("app"));
}

function read(of: (app: SimulatedApp) => unknown): (exchange: RackExchange) => RackAnswer {
  return (exchange) => jsonAnswer(of(appOf(exchange)));
}

function change(work: (app: SimulatedApp) => void): (exchange: RackExchange) => RackAnswer {
  return (exchange) => {
    work(appOf(exchange));
    return doneAnswer();
  };
}

// --- apps

function createApp({ rack, form }: RackExchange): RackAnswer {
  return jsonAnswer(rack.addApp({ name: form.value("name") }).toWire());
}

function deleteApp({ rack, parameter }: RackExchange): RackAnswer {
  rack.deleteApp(parameter("app"));
  return doneAnswer();
}

function listApps({ rack }: RackExchange): RackAnswer {
  const names = [...rack.apps.keys()].sort();
  return jsonAnswer(names.map((name) => rack.app(name).toWire()));
}

function updateApp(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const { form } = exchange;
  if (form.option("lock") !== null) app.locked = form.flag("lock");
  Object.assign(app.parameters, form.map("parameters"));
  return doneAnswer();
}

function restart(app: SimulatedApp, service: string): void {
  app.restarts[service] = (app.restarts[service] ?? 0) + 1;
}

function restartService(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  restart(app, serviceNamed(app, exchange.parameter("name")));
  return doneAnswer();
}

function updateService(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const name = serviceNamed(app, exchange.parameter("name"));
  const scale = { ...app.scales.get(name) };
  for (const key of ["count", "cpu", "memory", "gpu", "min", "max"]) {
    const value = wholeNumber(exchange.form.option(key));
    if (value !== null) scale[key] = value;
  }
  app.scales.set(name, scale);
  return doneAnswer();
}

function serviceNamed(app: SimulatedApp, name: string): string {
  if (!app.manifest().services.some((service) => service.name === name)) throw notFound("service", name);
  return name;
}

function servicesOf(app: SimulatedApp): unknown {
  return app.manifest().services.map(({ name }) => {
    const { count = 1, cpu = 250, memory = 512, gpu = 0 } = app.scales.get(name) ?? {};
    const domain = `${name}.${app.name}.rack.simulator`;
    return { count, cpu, domain, gpu, "gpu-vendor": "", memory, name, nlb: [], ports: app.ports.get(name) ?? [] };
  });
}

// --- objects

async function storeObject({ rack, parameter, body }: RackExchange): Promise<RackAnswer> {
  const app = parameter("app");
  const key = cleanKey(parameter("key"));
  rack.app(app);
  await rack.objects.receive(app, key, body);
  return jsonAnswer({ Url: `object://${app}/${key}` });
}

// --- builds

function createBuild(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const { form, rack } = exchange;
  const buildArguments = form.list("build-args");
  checkBuildArguments(buildArguments);
  const build = app.newBuild({
    url: form.value("url"),
    gitSha: form.option("git-sha") ?? "",
    description: form.option("description") ?? "",
    manifest: form.option("manifest") ?? "convox.yml",
    buildArguments,
    flags: ["development", "external", "no-cache", "wildcard-domain"].filter((name) => form.flag(name)),
  });
  if (build.flags.includes("external")) {
    build.repository = `https://convox:${rack.around.password}@api.rack.simulator/${app.name}`;
  } else {
    app.startBuild(build);
  }
  const ordered = { ...build, status: build.repository === "" ? "running" : "created", release: "" } as const;
  return jsonAnswer(buildToWire(app.name, ordered));
}

async function readBuild(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  await app.settled();
  return jsonAnswer(buildToWire(app.name, app.build(exchange.parameter("id"))));
}

async function listBuilds(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  await app.settled();
  const builds = [...app.builds.values()].reverse().slice(0, limitOf(exchange));
  return jsonAnswer(builds.map((build) => buildToWire(app.name, build)));
}

function limitOf({ form }: RackExchange): number {
  return wholeNumber(form.queryOption("limit")) ?? LIST_MAX;
}

function updateBuild(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const build = app.build(exchange.parameter("id"));
  const { form } = exchange;
  build.manifest = form.option("manifest") ?? build.manifest;
  build.release = form.option("release") ?? build.release;
  build.logsUrl = form.option("logs") ?? build.logsUrl;
  build.entrypoint = form.option("entrypoint") ?? build.entrypoint;
  const status = (["created", "running", "complete", "failed"] as const).find(
    (known) => known === form.option("status"),
  );
  build.status = status ?? build.status;
  return jsonAnswer(buildToWire(app.name, build));
}

async function exportBuild(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  const described = JSON.stringify(buildToWire(app.name, app.build(exchange.parameter("id"))), null, 2);
  const packing = pack();
  packing.entry({ name: "build.json", mode: 0o600 }, described);
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return bytesAnswer(gzipSync(Buffer.concat(chunks)), "application/x-gzip");
}

async function importBuild(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  const archive = await exchange.body.whole(IMPORT_BYTES_MAX);
  if (archive === null) throw new Error("import is too large for the simulator");
  const manifest = await importedManifest(archive);
  const build = app.newBuild({ url: "" });
  build.manifest = manifest;
  build.release = app.addRelease({ build: build.id }).id;
  build.status = "complete";
  build.log.end();
  return jsonAnswer(buildToWire(app.name, build));
}

async function importedManifest(archive: Buffer): Promise<string> {
  const { wanted } = await extractSource(archive, "build.json");
  const described: unknown = JSON.parse(wanted?.toString("utf8") ?? "{}");
  const isBuild = typeof described === "object" && described !== null && "manifest" in described;
  return isBuild && typeof described.manifest === "string" ? described.manifest : "";
}

function importImage(exchange: RackExchange): RackAnswer {
  appOf(exchange).build(exchange.parameter("id"));
  if (exchange.form.value("image") === "") throw new RackError(422, "image param required");
  return emptyAnswer(202);
}

// --- releases

function createRelease(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const { form } = exchange;
  const release = app.addRelease({
    ...{ build: form.option("build"), env: form.option("env"), description: form.option("description") },
    parent: form.option("parent-release"),
  });
  return jsonAnswer(releaseToWire(app.name, release));
}

async function readRelease(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  await app.settled();
  return jsonAnswer(releaseToWire(app.name, app.releaseNamed(exchange.parameter("id"))));
}

async function listReleases(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  await app.settled();
  const releases = [...app.releases].reverse().slice(0, limitOf(exchange));
  return jsonAnswer(releases.map((release) => releaseToWire(app.name, release)));
}

async function promote(exchange: RackExchange): Promise<RackAnswer> {
  const app = appOf(exchange);
  const { form } = exchange;
  for (const name of ["min", "max", "timeout"]) wholeNumber(form.option(name));
  await app.settled();
  app.promote(exchange.parameter("id"));
  return doneAnswer();
}

// --- processes

function startProcess(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const options: Record<string, string> = {};
  for (const name of START_OPTIONS) {
    const value = exchange.call.header(name);
    if (value === null) continue;
    if (NUMBERS.includes(name)) wholeNumber(value);
    options[name] = value;
  }
  const process = app.runProcess(exchange.parameter("service"), options);
  const answer = jsonAnswer(processToWire(app.name, process));
  app.afterStart(process);
  return answer;
}

function readProcess(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  return jsonAnswer(processToWire(app.name, app.process(exchange.parameter("pid"))));
}

function listProcesses(exchange: RackExchange): RackAnswer {
  const app = appOf(exchange);
  const service = exchange.form.queryOption("service");
  const release = exchange.form.queryOption("release");
  const processes = [...app.processes.values()]
    .filter((process) => service === null || process.service === service)
    .filter((process) => release === null || process.release === release);
  return jsonAnswer(processes.map((process) => processToWire(app.name, process)));
}

function stopProcess(exchange: RackExchange): RackAnswer {
  appOf(exchange).stopProcess(exchange.parameter("pid"));
  return doneAnswer();
}

// --- resources

function resourcesOf(app: SimulatedApp): readonly { readonly name: string }[] {
  return app.manifest().resources.map(({ name, type }) => ({
    ...{ name, status: "running", type, url: `${type}://app:password@${name}.${app.name}.simulator/app` },
  }));
}

function resourceNamed(exchange: RackExchange): { readonly name: string } {
  const name = exchange.parameter("name");
  const resource = resourcesOf(appOf(exchange)).find((candidate) => candidate.name === name);
  if (resource === undefined) throw notFound("resource", name);
  return resource;
}

function readResource(exchange: RackExchange): RackAnswer {
  return jsonAnswer(resourceNamed(exchange));
}

function exportResource(exchange: RackExchange): RackAnswer {
  const { name } = resourceNamed(exchange);
  const data = appOf(exchange).resourceData.get(name) ?? Buffer.from(`simulated data of ${name}\n`);
  return bytesAnswer(data, "application/octet-stream");
}
