/**
 * Whom does the context bar? `forbidden_approvers` are dot paths into it; the text found there, alone or in a list, names
 * people who may not approve. Implements docs/spec/engine.md R-SOD-1 and R-AUTH-5: an unsure match forbids.
 */
import type { PersonId } from "./ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { foldName, type Person } from "./person.ts";

export interface ForbiddenNames {
  readonly path: string;
  /** Folded. Null where nothing at the path names anybody: that bars nobody, and is shown (R-SOD-6). */
  readonly names: ReadonlySet<string> | null;
}

export function forbiddenNames(paths: readonly string[], context: JsonObject): readonly ForbiddenNames[] {
  return paths.map((path) => ({ path, names: namesIn(valueAt(context, path)) }));
}

/** The first path at which this person is named, under any name known of them or by their id. */
export function forbiddingPath(paths: readonly string[], context: JsonObject, person: Person): string | null {
  if (paths.length === 0) return null;
  const own = [...person.foldedNames, foldName(person.assignee), foldName(idText(person.id))];
  const found = forbiddenNames(paths, context).find(({ names }) => own.some((name) => names?.has(name) === true));
  return found?.path ?? null;
}

/** As the ledger and our own API write it. */
function idText(id: PersonId): string {
  return `usr_${id.replaceAll("-", "")}`;
}

function namesIn(value: JsonValue | undefined): ReadonlySet<string> | null {
  const items = Array.isArray(value) ? value : [value];
  const texts = items.filter((item) => typeof item === "string");
  const names = texts.map(foldName).filter((name) => name !== "");
  return names.length === 0 ? null : new Set(names);
}

/** Own members only: nothing of `Object.prototype` names anybody. */
function valueAt(context: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = context;
  for (const name of path.split(".")) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
