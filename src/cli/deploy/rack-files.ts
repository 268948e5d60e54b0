/** Files that come from a rack or go to one, however large: builds and the data of resources (docs/spec/deploy.md R-CLI-9, R-PROXY-7). */
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { request } from "undici";
import { Unreachable } from "../../client/api-refusal.ts";
import { deployHeaders } from "../../client/deploy-client.ts";
import { refusalOf } from "../../client/deploy-refusal.ts";
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { printJson, step, wantsJson } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { neededText, rackPath } from "./rack-wire.ts";

export interface FileFlags extends GatewayFlags {
  readonly file?: string;
  readonly id?: true;
}

/** The rack is silent while it packs. */
const ANSWER_MS = 310_000;

/** The exit status, here as below. */
export async function exportBuild(id: string, flags: FileFlags): Promise<number> {
  const path = rackPath`/apps/${chosenApp(flags.app)}/builds/${id}.tgz`;
  return exported("Exporting build", path, flags);
}

export async function exportResource(name: string, flags: FileFlags): Promise<number> {
  const path = rackPath`/apps/${chosenApp(flags.app)}/resources/${name}/data`;
  return exported("Exporting resource data", path, flags);
}

async function exported(doing: string, path: string, flags: FileFlags): Promise<number> {
  const { file } = flags;
  if (file === undefined && process.stdout.isTTY) {
    throw new CliFault("pipe this command into a file or specify --file");
  }
  const gateway = openGateway(flags);
  await step(flags, doing, () => download(gateway, path, () => (file === undefined ? process.stdout : fileAt(file))));
  return EXIT.done;
}

/** For its owner's eyes: builds and data may hold secrets. */
function fileAt(file: string): Writable {
  return createWriteStream(file, { mode: 0o600 });
}

/** `into` is opened once there is something to be written. */
function download(gateway: Gateway, path: string, into: () => Writable): Promise<void> {
  return gateway.withFactor(async (factor) => {
    const answer = await sent(gateway, path, { factor });
    if (answer.statusCode >= 300) throw await refused(answer);
    const target = into();
    // Standard output stays open for what else is to be said.
    await pipeline(answer.body, target, { end: target !== process.stdout });
  });
}

export async function importBuild(flags: FileFlags): Promise<number> {
  const { file } = flags;
  if (file === undefined) throw new CliFault("which file? --file <file>");
  const size = await stat(file).then(
    (found) => found.size,
    () => null,
  );
  if (size === null) throw new CliFault(`${file} cannot be read`);
  const gateway = openGateway(flags);
  const path = rackPath`/apps/${chosenApp(flags.app)}/builds/import`;
  const build = await step(flags, "Importing build", () =>
    gateway.withFactor(async (factor) => {
      const answer = await sent(gateway, path, { factor, file, size });
      if (answer.statusCode >= 300) throw await refused(answer);
      return answer.body.json();
    }),
  );
  if (wantsJson(flags)) printJson(build);
  else console.log(neededText(build, "release"));
  return EXIT.done;
}

type Answer = Awaited<ReturnType<typeof request>>;
type Sent = Pick<Parameters<typeof deployHeaders>[1], "factor"> & { readonly file?: string; readonly size?: number };

async function sent(gateway: Gateway, path: string, { factor = null, file, size = 0 }: Sent): Promise<Answer> {
  const client = await gateway.client();
  const headers = deployHeaders(client, { factor });
  if (file !== undefined) {
    headers.set("Content-Type", "application/octet-stream");
    headers.set("Content-Length", String(size));
  }
  try {
    return await request(`${client.url}/api/v1/rack-proxy${path}`, {
      ...{ method: file === undefined ? "GET" : "POST", headers: Object.fromEntries(headers) },
      ...{ body: file === undefined ? null : createReadStream(file) },
      ...{ headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS },
    });
  } catch (cause) {
    throw new Unreachable(`the transfer broke off: ${cause instanceof Error ? cause.message : "no reason given"}`, {
      cause,
    });
  }
}

async function refused(answer: Answer): Promise<Error> {
  const header = (name: string): string | null => {
    const value = answer.headers[name];
    return typeof value === "string" ? value : null;
  };
  return refusalOf({ status: answer.statusCode, statusText: "", text: await answer.body.text(), header });
}
