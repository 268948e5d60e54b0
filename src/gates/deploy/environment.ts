/**
 * Who sees which environment variable, and who may change it? One rule of secrecy for every path. Implements
 * docs/spec/deploy.md R-ENV-1 to R-ENV-5; everything here is given the environment in the clear and decides what leaves.
 */
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";
import { utf8Length } from "./utf8-length.ts";

export type Environment = ReadonlyMap<string, string>;

/** Stands for every secret value, whatever its length. */
export const secretMask = "********************";

/** Names that are secret by decree: the installation's `CONVOX_SECRET_ENV_VARS` and the app's settings. */
export interface SecrecyRules {
  readonly secretNames: readonly string[];
  readonly protectedNames: readonly string[];
}

export function isSecret(name: string, value: string, rules: SecrecyRules): boolean {
  const upper = name.toUpperCase();
  if (SECRET_WORDS.some((word) => upper.includes(word))) return true;
  if (SECRET_ENDS.some((end) => upper.endsWith(end))) return true;
  if (rules.secretNames.includes(name) || rules.protectedNames.includes(name)) return true;
  return URL_WITH_PASSWORD.test(value);
}

const SECRET_WORDS = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE"] as const;
const SECRET_ENDS = ["_KEY", "_KEY_ID", "_DSN"] as const;

/** Rather one too many: passwords hold slashes, lists hold several URLs. */
const URL_WITH_PASSWORD = /[A-Za-z][A-Za-z0-9+.-]*:\/\/[^@\s]*:[^@\s]+@/;

/** The rack's own text, as it reads it: a line without `=` says nothing, the last of two equal names counts. */
export function readEnvironment(text: string): Environment {
  const environment = new Map<string, string>();
  for (const [name, value] of linesOf(text)) if (name !== null && name !== "") environment.set(name, value);
  return environment;
}

export function writeEnvironment(environment: Environment): string {
  return [...environment].map(([name, value]) => `${name}=${value}`).join("\n");
}

/** How much of an environment a caller may see (deploy R-ENV-2): `secret:read`, `env:read`, or neither. */
export type EnvironmentSight = "plain" | "masked" | "nothing";

/** The `env` of a release answer for this caller. What is no variable is masked too: it may be the rest of a secret. */
export function shownEnvironment(text: string, sight: EnvironmentSight, rules: SecrecyRules): string {
  if (sight === "plain") return text;
  if (sight === "nothing") return "";
  return linesOf(text)
    .map(([name, value]) => {
      if (name === null) return value === "" ? "" : secretMask;
      return `${name}=${isSecret(name, value, rules) ? secretMask : value}`;
    })
    .join("\n");
}

export const environmentBytesMax = 1_048_576;
export const valueBytesMax = 65_536;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** What somebody sent to be set: strict, so that the rack cannot read it in another way. */
export function parseEnvironment(text: string): Environment | DeployRefusal {
  const environment = new Map<string, string>();
  for (const [name, value] of linesOf(text)) {
    if (name === null && value.trim() === "") continue;
    if (name === null) return envForm("a line is not KEY=VALUE");
    if (environment.has(name)) return envForm(`'${name}' is set twice`);
    environment.set(name, value);
  }
  return checkEnvironment(environment) ?? environment;
}

export function isEnvironment(value: Environment | DeployRefusal): value is Environment {
  return value instanceof Map;
}

export interface EnvironmentRequest {
  readonly set: Environment;
  readonly remove: readonly string[];
}

/** The whole text that a partial change asks for; removing what is not there is no change. */
export function requestedEnvironment(
  base: Environment,
  { set, remove }: EnvironmentRequest,
): Environment | DeployRefusal {
  const fault = checkEnvironment(set);
  if (fault !== null) return fault;
  const kept = [...base].filter(([name]) => !remove.includes(name));
  return new Map([...kept, ...set]);
}

export type EnvironmentDifference =
  | { readonly action: "env.set"; readonly name: string; readonly old: string | null; readonly new: string }
  | { readonly action: "env.unset"; readonly name: string; readonly old: string | null; readonly new: null }
  | { readonly action: "secret.set" | "secret.unset"; readonly name: string };

export interface EnvironmentChange {
  readonly environment: Environment;
  /** Each once, by name; values of secrets never (deploy R-ENV-4). */
  readonly differences: readonly EnvironmentDifference[];
}

export interface EnvironmentWriter extends SecrecyRules {
  /** Holds `convox:secret:set`. */
  readonly maySetSecrets: boolean;
}

/** `base` is the newest release's, `submitted` the whole that is to be (deploy R-ENV-3). */
export function changeEnvironment(
  base: Environment,
  submitted: Environment,
  writer: EnvironmentWriter,
): EnvironmentChange | DeployRefusal {
  const environment = new Map<string, string>();
  for (const [name, value] of submitted) {
    const kept = value === secretMask ? base.get(name) : value;
    if (kept === undefined) return envMasked(name);
    environment.set(name, kept);
  }
  const names = [...new Set([...base.keys(), ...environment.keys()])].sort();
  const changed = names.filter((name) => base.get(name) !== environment.get(name));
  const refusal = changedByRight(changed, base, environment, writer) ?? checkEnvironment(environment);
  if (refusal !== null) return refusal;
  return { environment, differences: changed.map((name) => difference(name, base, environment, writer)) };
}

export function isEnvironmentChange(value: EnvironmentChange | DeployRefusal): value is EnvironmentChange {
  return "differences" in value;
}

export function environmentMoved(): DeployRefusal {
  return refuseDeploy("env_conflict", "environment changed meanwhile", ["Read it again and repeat the change."]);
}

function changedByRight(
  changed: readonly string[],
  base: Environment,
  environment: Environment,
  writer: EnvironmentWriter,
): DeployRefusal | null {
  const guarded = changed.find((name) => writer.protectedNames.includes(name));
  if (guarded !== undefined) {
    const message = "This environment variable is protected and cannot be changed.";
    return refuseDeploy("env_protected", message, [guarded]);
  }
  const secret = changed.find((name) => touchesSecret(name, base, environment, writer));
  if (secret === undefined || writer.maySetSecrets) return null;
  const hint = [`${secret} is a secret: changing it needs the permission convox:secret:set.`];
  return refuseDeploy("permission_denied", "You don't have permission to modify secrets.", hint);
}

/** A variable is a secret if it was one or becomes one. */
function touchesSecret(name: string, base: Environment, environment: Environment, rules: SecrecyRules): boolean {
  return isSecret(name, base.get(name) ?? "", rules) || isSecret(name, environment.get(name) ?? "", rules);
}

function difference(
  name: string,
  base: Environment,
  environment: Environment,
  rules: SecrecyRules,
): EnvironmentDifference {
  const now = environment.get(name);
  if (touchesSecret(name, base, environment, rules)) {
    return { action: now === undefined ? "secret.unset" : "secret.set", name };
  }
  const old = base.get(name) ?? null;
  return now === undefined ? { action: "env.unset", name, old, new: null } : { action: "env.set", name, old, new: now };
}

/** Name and value; a null name where a line has no `=`. As the rack does, a line loses one carriage return. */
function linesOf(text: string): readonly (readonly [name: string | null, value: string])[] {
  if (text === "") return [];
  return text.split("\n").map((raw) => {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const equals = line.indexOf("=");
    return equals < 0 ? [null, line] : [line.slice(0, equals).trim(), line.slice(equals + 1)];
  });
}

function checkEnvironment(environment: Environment): DeployRefusal | null {
  for (const [name, value] of environment) {
    if (!NAME.test(name)) return envForm(`'${name}' is not a name`);
    if (/[\0\n]/.test(value) || value.endsWith("\r"))
      return envForm(`the value of '${name}' holds a line break or a NUL`);
    if (utf8Length(value) > valueBytesMax) return envForm(`the value of '${name}' is larger than 64 KiB`);
  }
  return utf8Length(writeEnvironment(environment)) > environmentBytesMax ? envForm("it is larger than 1 MiB") : null;
}

function envForm(detail: string): DeployRefusal {
  return refuseDeploy("env_form", `environment is not acceptable: ${detail}`);
}

function envMasked(name: string): DeployRefusal {
  const message = "Masked secret value submitted without an existing secret.";
  return refuseDeploy("env_masked", message, [`Give ${name} a value of its own.`]);
}
