/**
 * Which rack and which app is a call of the deploy gate about? The path's rack, else the default one; what is not there, and what
 * the credential does not cover, is 404 alike (docs/spec/deploy.md R-RACK-2, R-WIRE-2).
 */
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { Rack } from "../../ports/rack.ts";
import type { RawExchange } from "../endpoint.ts";

type Addressed = Pick<RawExchange, "caller" | "params">;

export function rackOf({ caller, params }: Addressed): Rack | Refusal {
  const rack = caller.app.deploy.racks.find(params["rack"] ?? null);
  const allowed = caller.limits?.racks ?? null;
  const isCovered = rack !== undefined && (allowed?.includes(rack.info.name) ?? true);
  return isCovered ? rack : refuse("not_found", "rack not found");
}

export interface AppPlace {
  readonly rack: Rack;
  readonly scope: string;
  readonly appName: string;
}

export function appOf(addressed: Addressed): AppPlace | Refusal {
  const rack = rackOf(addressed);
  if ("refusal" in rack) return rack;
  const appName = addressed.params["app"] ?? "";
  const allowed = addressed.caller.limits?.apps ?? null;
  const isCovered = allowed?.includes(appName) ?? true;
  if (!APP_NAME.test(appName) || !isCovered) return refuse("not_found", "app not found");
  return { rack, scope: rack.info.name, appName };
}

/** R-REQ-1. */
const APP_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
