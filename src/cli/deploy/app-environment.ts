/** `env`: the environment of an app (docs/spec/deploy.md R-CLI-9, section 10). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memberOf, textIn } from "../../client/api-client.ts";
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { plain, printJson, step, wantsJson } from "./cli-output.ts";
import { promote } from "./deploy-source.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";

export interface EnvFlags extends GatewayFlags {
  readonly secrets?: true;
  readonly promote?: true;
  readonly wait?: true;
}

type Environment = Readonly<Record<string, string>>;

interface Place {
  readonly gateway: Gateway;
  readonly app: string;
  readonly path: string;
}

function placeOf(flags: EnvFlags): Place {
  const app = chosenApp(flags.app);
  return { gateway: openGateway(flags), app, path: `/apps/${encodeURIComponent(app)}/env` };
}

async function read({ gateway, path }: Place, query: Readonly<Record<string, string>>): Promise<Environment> {
  const text = new URLSearchParams(query).toString();
  const env = memberOf(await gateway.call({ method: "GET", path: text === "" ? path : `${path}?${text}` }), "env");
  if (typeof env !== "object" || env === null)
    throw new CliFault("the gateway answered something else than an environment");
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

/** The exit status, here as below. */
export async function listEnvironment(flags: EnvFlags): Promise<number> {
  const env = await read(placeOf(flags), secretsQuery(flags));
  if (wantsJson(flags)) printJson(env);
  else if (Object.keys(env).length > 0) console.log(plain(linesOf(env)));
  return EXIT.done;
}

export async function getEnvironment(name: string, flags: EnvFlags): Promise<number> {
  const env = await read(placeOf(flags), { key: name, ...secretsQuery(flags) });
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value === undefined) throw new CliFault(`env not found: ${name}`);
  if (wantsJson(flags)) printJson({ [name]: value });
  else console.log(value);
  return EXIT.done;
}

export async function setEnvironment(pairs: readonly string[], flags: EnvFlags): Promise<number> {
  const place = placeOf(flags);
  const set = pairsOf(pairs);
  return change(place, `Setting ${Object.keys(set).join(", ")}`, { set, remove: [] }, flags);
}

export async function unsetEnvironment(names: readonly string[], flags: EnvFlags): Promise<number> {
  return change(placeOf(flags), `Unsetting ${names.join(", ")}`, { set: {}, remove: names }, flags);
}

/** In `$EDITOR`; masked values that stay as they are keep what they hide. */
export async function editEnvironment(flags: EnvFlags): Promise<number> {
  const place = placeOf(flags);
  const before = await read(place, secretsQuery(flags));
  const after = pairsOf(edited(linesOf(before)).split("\n"));
  const set = Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
  const remove = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  if (Object.keys(set).length + remove.length === 0) {
    console.error("Nothing was changed.");
    return EXIT.done;
  }
  return change(place, "Setting environment", { set, remove }, flags);
}

interface Change {
  readonly set: Environment;
  readonly remove: readonly string[];
}

async function change(place: Place, text: string, body: Change, flags: EnvFlags): Promise<number> {
  const { gateway, app, path } = place;
  const answer = await step(flags, text, () => gateway.call({ method: "PUT", path, body }));
  const release = textIn(answer, "release_id") ?? "";
  if (flags.promote === true && release !== "") await promote(gateway, { app, release }, flags);
  if (wantsJson(flags)) printJson(answer);
  else console.log(`Release: ${release}`);
  return EXIT.done;
}

function secretsQuery({ secrets }: EnvFlags): Readonly<Record<string, string>> {
  return secrets === true ? { secrets: "true" } : {};
}

function linesOf(env: Environment): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("\n");
}

function pairsOf(lines: readonly string[]): Environment {
  const pairs = lines
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"))
    .map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new CliFault(`not NAME=VALUE: ${line}`);
      return [line.slice(0, at).trim(), line.slice(at + 1)] as const;
    });
  if (pairs.length === 0 && lines.length === 0) throw new CliFault("which variables? NAME=VALUE");
  return Object.fromEntries(pairs);
}

/** In a file that only its owner can read, and that is gone afterwards. */
function edited(text: string): string {
  const editor = process.env["EDITOR"] ?? process.env["VISUAL"] ?? "";
  if (editor === "") throw new CliFault("set EDITOR to the program that you edit with");
  const folder = mkdtempSync(join(tmpdir(), "rack-gateway-"));
  try {
    const file = join(folder, "environment");
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    const [program = "", ...before] = editor.split(/\s+/);
    const { status, error } = spawnSync(program, [...before, file], { stdio: "inherit" });
    if (status !== 0) throw new CliFault(`${editor} failed${error === undefined ? "" : `: ${error.message}`}`);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
