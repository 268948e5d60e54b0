/** `deploy`, `build` and `releases promote`: from a directory to a running release (docs/spec/deploy.md R-CLI-9). */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { textIn } from "../../client/api-client.ts";
import { Unreachable } from "../../client/api-refusal.ts";
import { deployHeaders } from "../../client/deploy-client.ts";
import { refusalOf } from "../../client/deploy-refusal.ts";
import { approvalToDeploy, warnBeforeEnd } from "./check-approval.ts";
import { chosenApp, writtenApp } from "./chosen-app.ts";
import { sourceCommit } from "./chosen-commit.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { printJson, step, wantsJson, warn } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { neededText, rackCall, rackPath } from "./rack-wire.ts";
import { streamFromRack } from "./rack-socket.ts";
import { packSource } from "./source-archive.ts";

export interface BuildFlags extends GatewayFlags {
  readonly description?: string;
  readonly manifest?: string;
  /** Another name of the manifest. */
  readonly file?: string;
  /** False with `--no-cache`. */
  readonly cache?: boolean;
  readonly buildArgs?: readonly string[];
  readonly gitSha?: string;
  readonly id?: true;
  /** For tests: what is needed to develop is built too. */
  readonly development?: true;
}

export interface DeployFlags extends BuildFlags {
  readonly wait?: true;
  readonly force?: true;
}

const BUILD_POLL_MS = 500;
const UPLOAD_ANSWER_MS = 310_000;

/** The exit status, here as below. */
export async function buildCommand(directory: string | undefined, flags: BuildFlags): Promise<number> {
  const built = await buildSource(openGateway(flags), directory, flags);
  if (wantsJson(flags)) printJson(built);
  else if (flags.id === true) console.log(built.release);
  else console.log(`Build:   ${built.build}\nRelease: ${built.release}`);
  return EXIT.done;
}

/** Only where an approval allows it, or none is needed. */
export async function buildSource(gateway: Gateway, directory: string | undefined, flags: BuildFlags): Promise<Built> {
  const deploying = await deployingOf(directory, flags);
  await approvalToDeploy(gateway, deploying);
  return build(gateway, deploying, flags);
}

export async function deployCommand(directory: string | undefined, flags: DeployFlags): Promise<number> {
  const gateway = openGateway(flags);
  const deploying = await deployingOf(directory, flags);
  const approval = await approvalToDeploy(gateway, deploying);
  const built = await build(gateway, deploying, flags);
  if (approval !== null) await warnBeforeEnd(gateway, approval);
  await promote(gateway, { app: deploying.app, release: built.release }, flags);
  if (wantsJson(flags)) printJson(built);
  else if (flags.id === true) console.log(built.release);
  return EXIT.done;
}

interface Source {
  readonly directory: string;
  readonly app: string;
  readonly commit: string | null;
}

async function deployingOf(given: string | undefined, flags: BuildFlags): Promise<Source> {
  const directory = resolve(given ?? ".");
  const isOwn = flags.app === undefined && (process.env["CONVOX_APP"] ?? "") === "";
  const app = (isOwn ? writtenApp(directory) : null) ?? chosenApp(flags.app, directory);
  return { directory, app, commit: await sourceCommit(flags.gitSha, directory) };
}

export interface Built {
  readonly app: string;
  readonly build: string;
  readonly release: string;
}

async function build(gateway: Gateway, source: Source, flags: BuildFlags): Promise<Built> {
  const manifest = flags.manifest ?? flags.file ?? "convox.yml";
  const folder = await mkdtemp(join(tmpdir(), "rack-gateway-"));
  try {
    const archive = join(folder, "source.tgz");
    const packed = await step(flags, "Packaging source", () => packSource(source.directory, archive, [manifest]));
    for (const path of packed.leftOut) warn(`${path} is neither a file nor a link: left out`);
    const url = await step(flags, "Uploading source", () => upload(gateway, source, archive));
    const started = await step(flags, "Starting build", () =>
      rackCall(gateway, "POST", rackPath`/apps/${source.app}/builds`, { form: formOf(url, manifest, source, flags) }),
    );
    return await finished(gateway, source.app, neededText(started, "id"), flags);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function formOf(
  url: string,
  manifest: string,
  { commit }: Source,
  flags: BuildFlags,
): Readonly<Record<string, string>> {
  const { description, cache, development, buildArgs = [] } = flags;
  return {
    url,
    ...(commit === null ? {} : { "git-sha": commit }),
    ...(description === undefined ? {} : { description }),
    ...(manifest === "convox.yml" ? {} : { manifest }),
    ...(cache === false ? { "no-cache": "true" } : {}),
    ...(development === true ? { development: "true" } : {}),
    ...(buildArgs.length === 0 ? {} : { "build-args": buildArgs.join(",") }),
  };
}

/** The archive from the disk, however large; a refusal that comes meanwhile is what is told. */
async function upload(gateway: Gateway, { app, commit }: Source, archive: string): Promise<string> {
  const client = await gateway.client();
  const key = `tmp/${randomBytes(16).toString("hex")}.tgz`;
  const own = commit === null ? {} : { "Countersign-Git-Sha": commit };
  const headers = deployHeaders(client, { headers: { ...own, "Content-Type": "application/octet-stream" } });
  headers.set("Content-Length", String((await stat(archive)).size));
  const target = `${client.url}/api/v1/rack-proxy${rackPath`/apps/${app}/objects/tmp/${key.slice("tmp/".length)}`}`;
  const [answer, text] = await sent(target, headers, archive);
  if (answer.statusCode >= 300) {
    const header = (name: string): string | null => {
      const value = answer.headers[name];
      return typeof value === "string" ? value : null;
    };
    throw refusalOf({ status: answer.statusCode, statusText: "", text, header });
  }
  return neededText(parsed(text), "Url");
}

type Answer = Awaited<ReturnType<typeof request>>;

async function sent(target: string, headers: Headers, archive: string): Promise<readonly [Answer, string]> {
  try {
    const answer = await request(target, {
      ...{ method: "POST", headers: Object.fromEntries(headers), body: createReadStream(archive) },
      ...{ headersTimeout: UPLOAD_ANSWER_MS, bodyTimeout: UPLOAD_ANSWER_MS },
    });
    return [answer, await answer.body.text()];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "no reason given";
    throw new Unreachable(`the upload broke off: ${reason}`, { cause });
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new CliFault("the rack answered something else than an object");
  }
}

/** Its log as it comes, on standard output unless a program reads that. */
async function finished(gateway: Gateway, app: string, id: string, flags: BuildFlags): Promise<Built> {
  const log = wantsJson(flags) || flags.id === true ? process.stderr : process.stdout;
  await streamFromRack(gateway, {
    path: rackPath`/apps/${app}/builds/${id}/logs`,
    onOutput: (bytes) => log.write(bytes),
  });
  for (;;) {
    const build = await rackCall(gateway, "GET", rackPath`/apps/${app}/builds/${id}`);
    const status = neededText(build, "status");
    if (status === "complete") return { app, build: id, release: neededText(build, "release") };
    if (status === "failed") {
      const reason = textIn(build, "reason") ?? "";
      throw new CliFault(`build ${id} failed${reason === "" ? "" : `: ${reason}`}`);
    }
    await sleep(BUILD_POLL_MS);
  }
}

export interface Promoting {
  readonly app: string;
  readonly release: string;
}

/** The rack's status code says whether it was accepted; with `--wait` it is followed to its end. */
export async function promote(
  gateway: Gateway,
  { app, release }: Promoting,
  flags: Pick<DeployFlags, "wait" | "force" | "quiet">,
): Promise<void> {
  await step(flags, `Promoting ${release}`, async () => {
    const form = flags.force === true ? { force: "true" } : {};
    await rackCall(gateway, "POST", rackPath`/apps/${app}/releases/${release}/promote`, { form });
    if (flags.wait === true) await settled(gateway, { app, release });
  });
}

async function settled(gateway: Gateway, { app, release }: Promoting): Promise<void> {
  for (;;) {
    const answer = await rackCall(gateway, "GET", rackPath`/apps/${app}`);
    const status = textIn(answer, "status");
    if (status !== "updating") {
      const active = textIn(answer, "release") ?? "";
      if (active === release) return;
      throw new CliFault(`${release} was rolled back: ${active} is active`);
    }
    await sleep(BUILD_POLL_MS);
  }
}

/** `releases promote [release]`: without one, the newest. */
export async function promoteCommand(release: string | undefined, flags: DeployFlags): Promise<number> {
  const gateway = openGateway(flags);
  const app = chosenApp(flags.app);
  const chosen = release ?? (await newestRelease(gateway, app));
  await promote(gateway, { app, release: chosen }, flags);
  return EXIT.done;
}

async function newestRelease(gateway: Gateway, app: string): Promise<string> {
  const releases = await rackCall(gateway, "GET", `${rackPath`/apps/${app}/releases`}?limit=1`);
  const [newest] = Array.isArray(releases) ? releases.map((one: unknown) => textIn(one, "id")) : [];
  if (newest === undefined || newest === null) throw new CliFault(`no releases for app: ${app}`);
  return newest;
}
