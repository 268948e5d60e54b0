/**
 * Values of a path. What cannot be the name of anything is the name of nothing: 404 with the resource's own code, never a
 * fault of the input (R-API-9).
 */
import { isId } from "../core/ids.ts";
import type { DelegationId, RequestId, TaskId } from "../core/ids.ts";
import { textFault } from "../contract/policy-json.ts";

type Params = Readonly<Record<string, string>>;

export function pathText(params: Params, name: string): string {
  return params[name] ?? "";
}

export function requestIdIn(params: Params): RequestId | null {
  const id = lowered(params, "id");
  return isId<"request">(id) ? id : null;
}

export function taskIdIn(params: Params): TaskId | null {
  const id = lowered(params, "id");
  return isId<"task">(id) ? id : null;
}

export function delegationIdIn(params: Params): DelegationId | null {
  const id = lowered(params, "id");
  return isId<"delegation">(id) ? id : null;
}

/** UUID text is the same in either letter case (RFC 9562). */
function lowered(params: Params, name: string): string {
  return pathText(params, name).toLowerCase();
}

/** Null when no policy can be called so. */
export function policyKeyIn(params: Params): string | null {
  const key = pathText(params, "key");
  return key === "" || key.length > 128 || textFault(key) !== null ? null : key;
}

/** Versions count from 1, without sign or leading zero. */
export function versionIn(params: Params): number | null {
  const version = pathText(params, "version");
  return /^[1-9][0-9]{0,8}$/.test(version) ? Number(version) : null;
}

export function nameIn(params: Params): string | null {
  const name = pathText(params, "name");
  return name === "" || name.length > 255 || textFault(name) !== null ? null : name;
}
