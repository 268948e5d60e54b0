/**
 * Has what a release runs with changed since it was approved? The environment by keyed marks, never by its values, and the release that
 * was active. Implements docs/spec/deploy.md R-BIND-12.
 */
import type { Instant } from "../../core/person.ts";
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";
import type { Environment } from "./environment.ts";

/** Marks a value so that only this installation can compare it, for one app and one name. */
export interface EnvironmentMarker {
  /** Which key it was: marks of another one say nothing. */
  readonly keyId: string;
  mark(place: string, name: string, value: string): string;
}

/** An environment by the mark of each key. */
export interface EnvironmentMarks {
  readonly keyId: string;
  readonly keys: Readonly<Record<string, string>>;
}

/** What ran when it was approved. */
export interface RackState {
  readonly at: Instant;
  /** Empty before the first. */
  readonly release: string;
  /** Null where there are too many variables to keep. */
  readonly environment: EnvironmentMarks | null;
}

/** What differs at a promote. */
export interface Drift {
  readonly at: Instant;
  /** Names of variables, the first hundred of each; null where it cannot be compared. */
  readonly environment: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  } | null;
  /** Of the active release; null where that is not known. */
  readonly base: { readonly approved: string; readonly found: string } | null;
}

/** Settings `drift_env` and `drift_base`. */
export interface DriftRules {
  readonly environment: "record" | "deny";
  readonly base: "record" | "deny";
}

const KEYS_MAX = 2_000;
const NAMES_MAX = 100;

/** `place` tells scope and app apart, so that equal values of two apps have different marks. */
export function environmentMarks(
  environment: Environment,
  place: string,
  marker: EnvironmentMarker,
): EnvironmentMarks | null {
  if (environment.size > KEYS_MAX) return null;
  const keys = Object.fromEntries(
    [...environment].map(([name, value]) => [name, marker.mark(place, name, value)] as const),
  );
  return { keyId: marker.keyId, keys };
}

/** `base` as it was at approval, `now` the active release with the environment of the one to be promoted. */
export function driftOf(base: RackState | null, now: RackState): Drift {
  return {
    at: now.at,
    environment: environmentDrift(base?.environment ?? null, now.environment),
    base: base === null ? null : { approved: base.release, found: now.release },
  };
}

function environmentDrift(before: EnvironmentMarks | null, after: EnvironmentMarks | null): Drift["environment"] {
  if (before === null || before.keyId !== after?.keyId) return null;
  const [old, fresh] = [new Map(Object.entries(before.keys)), new Map(Object.entries(after.keys))];
  const first = (names: Iterable<string>): readonly string[] => [...names].sort().slice(0, NAMES_MAX);
  return {
    added: first([...fresh.keys()].filter((name) => !old.has(name))),
    removed: first([...old.keys()].filter((name) => !fresh.has(name))),
    changed: first([...old.keys()].filter((name) => fresh.has(name) && fresh.get(name) !== old.get(name))),
  };
}

/** Something differs, or cannot be told. */
export function isDrift({ environment, base }: Drift): boolean {
  return environment === null || isEnvironmentDrift(environment) || base === null || base.approved !== base.found;
}

function isEnvironmentDrift({ added, removed, changed }: NonNullable<Drift["environment"]>): boolean {
  return added.length + removed.length + changed.length > 0;
}

/** The same finding, whenever it was made. */
export function isSameDrift(one: Drift | null, other: Drift): boolean {
  return (
    one !== null && JSON.stringify([one.environment, one.base]) === JSON.stringify([other.environment, other.base])
  );
}

/** Only what the settings deny; what cannot be told is no permission. */
export function driftRefusal({ environment, base }: Drift, rules: DriftRules): DeployRefusal | null {
  if (rules.environment === "deny") {
    if (environment === null) return stale("the environment at approval is not known", []);
    const { added, removed, changed } = environment;
    const lines = [named("Added", added), named("Removed", removed), named("Changed", changed)];
    if (isEnvironmentDrift(environment)) return stale("the environment changed since approval", lines);
  }
  if (rules.base === "record") return null;
  if (base === null) return stale("the active release at approval is not known", []);
  if (base.approved === base.found) return null;
  const line = `Active then: ${base.approved === "" ? "none" : base.approved}; now: ${base.found === "" ? "none" : base.found}.`;
  return stale("the active release changed since approval", [line]);
}

function stale(message: string, lines: readonly string[]): DeployRefusal {
  const told = lines.filter((line) => line !== "");
  return refuseDeploy("approval_stale", message, [...told, "Make a new approval request."]);
}

const SHOWN_MAX = 20;

function named(word: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const rest = names.length > SHOWN_MAX ? " and more" : "";
  return `${word}: ${names.slice(0, SHOWN_MAX).join(", ")}${rest}.`;
}
