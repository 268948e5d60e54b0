/** What an app's rack runs: the active release and a release's environment, by marks instead of values (docs/spec/deploy.md R-BIND-12). */
import { isJsonObject } from "../../core/json.ts";
import { environmentMarks, type RackState } from "../../gates/deploy/drift.ts";
import { readEnvironment } from "../../gates/deploy/environment.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { Rack, RackActor } from "../../ports/rack.ts";
import type { Application } from "../application.ts";

export interface RackStateAsk {
  readonly rack: Rack;
  readonly actor: RackActor;
  readonly appName: string;
  /** Whose environment it is; null is the active one. */
  readonly release: string | null;
}

const TIMEOUT_MS = 5_000;

/** Null where the rack does not tell. */
export async function rackStateOf(app: Application, ask: RackStateAsk): Promise<RackState | null> {
  const { rack, appName, release } = ask;
  const place = `/apps/${encodeURIComponent(appName)}`;
  const active = await memberOf(ask, place, "release");
  if (active === null) return null;
  const meant = release ?? active;
  const text = meant === "" ? "" : await memberOf(ask, `${place}/releases/${encodeURIComponent(meant)}`, "env");
  if (text === null) return null;
  const marks = environmentMarks(readEnvironment(text), `${rack.info.name}/${appName}`, app.deploy.environmentMarker);
  return { at: app.clock(), release: active, environment: marks };
}

/** Empty where the answer has none. */
async function memberOf({ rack, actor }: RackStateAsk, path: string, member: string): Promise<string | null> {
  try {
    const { status, json } = await rack.ask({ path, actor, timeoutMs: TIMEOUT_MS });
    if (status !== 200 || !isJsonObject(json)) return null;
    const value = json[member];
    return typeof value === "string" ? value : "";
  } catch (error) {
    if (error instanceof RackFault) return null;
    throw error;
  }
}
