/** Which parameters of a rack changed, and what of it may be told? Implements docs/spec/deploy.md R-RACK-5; one rule of secrecy with R-ENV-1. */
import { isJsonObject } from "../../core/json.ts";
import { isSecret, secretMask, type SecrecyRules } from "./environment.ts";

export interface ParameterDifference {
  readonly name: string;
  /** Null where it was not set; masked where it is a secret. */
  readonly old: string | null;
  readonly new: string | null;
}

export type RackParameters = ReadonlyMap<string, string>;

/** Of the rack's own answer to `GET /system`; null where it has none that can be read. */
export function readRackParameters(system: unknown): RackParameters | null {
  const parameters = isJsonObject(system) ? system["parameters"] : undefined;
  if (!isJsonObject(parameters)) return null;
  return new Map(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Each once, by name. */
export function parameterDifferences(
  before: RackParameters,
  after: RackParameters,
  rules: SecrecyRules,
): readonly ParameterDifference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => {
      const [old, fresh] = [before.get(name) ?? null, after.get(name) ?? null];
      const isHidden = isSecret(name, old ?? "", rules) || isSecret(name, fresh ?? "", rules);
      const told = (value: string | null): string | null => (isHidden && value !== null ? secretMask : value);
      return { name, old: told(old), new: told(fresh) };
    });
}

const VALUE_MAX = 200;

/** One line per parameter, for people. */
export function parameterLine({ name, old, new: fresh }: ParameterDifference): string {
  const shown = (value: string | null): string =>
    value === null ? "not set" : value.length > VALUE_MAX ? `${value.slice(0, VALUE_MAX)}…` : `'${value}'`;
  return `${name}: ${shown(old)} to ${shown(fresh)}`;
}
