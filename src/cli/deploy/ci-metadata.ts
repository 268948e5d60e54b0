/** `--ci-metadata`: what the CI says of itself, with the variables that a single-quoted text could not expand (docs/spec/deploy.md R-CLI-5). */
import { CliFault } from "./cli-outcome.ts";

const VARIABLE = /^\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))$/;
/** No other variable can leave the machine this way. */
const ALLOWED = /^(?:CIRCLE|GITHUB|CI|GITLAB|BUILDKITE|BUILD|JOB)_/;

export interface CiMetadata {
  readonly value: Readonly<Record<string, unknown>>;
  /** Names that were replaced. */
  readonly expanded: readonly string[];
}

export function ciMetadataFrom(text: string, environment: NodeJS.ProcessEnv = process.env): CiMetadata {
  const parsed = parse(text);
  const expanded: string[] = [];
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (isMembers(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item)]));
    const [, braced, bare] = typeof value === "string" ? (VARIABLE.exec(value) ?? []) : [];
    const name = braced ?? bare ?? "";
    const found = ALLOWED.test(name) ? environment[name] : undefined;
    if (found === undefined) return value;
    expanded.push(name);
    return found;
  };
  const value = replace(parsed);
  if (!isMembers(value)) throw new CliFault("invalid --ci-metadata JSON: it must be an object");
  return { value, expanded };
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw new CliFault(`invalid --ci-metadata JSON: ${error instanceof Error ? error.message : "it cannot be read"}`);
  }
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
