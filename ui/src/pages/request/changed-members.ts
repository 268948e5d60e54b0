import type { Json, JsonObject } from "../../api/read.ts";

/** The top-level members of a context that differ between two revisions. */
export function changedMembers(before: JsonObject, after: JsonObject): readonly string[] {
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return members.filter((member) => !sameJson(before[member], after[member]));
}

function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  const keys = Object.keys(left);
  const entries = new Map(Object.entries(right));
  return (
    Array.isArray(left) === Array.isArray(right) &&
    keys.length === entries.size &&
    Object.entries(left).every(([key, value]) => sameJson(value, entries.get(key)))
  );
}
