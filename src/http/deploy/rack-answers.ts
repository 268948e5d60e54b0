/** What a rack says of builds, releases, processes and archives, as far as the gate reads it (docs/spec/deploy.md R-BIND-9, R-PROXY-7). */
import { isJsonObject } from "../../core/json.ts";
import type { RackAnswers, RackBuild, RackQuestion, RackRelease } from "../../gates/deploy/gated-facts.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { Rack, RackActor } from "../../ports/rack.ts";

/** Undefined for what is no JSON. */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

export function textMember(value: unknown, name: string): string {
  const found = isJsonObject(value) ? value[name] : undefined;
  return typeof found === "string" ? found : "";
}

/** Null without an id. */
export function buildIn(json: unknown): RackBuild | null {
  const id = textMember(json, "id");
  if (id === "") return null;
  return {
    ...{ id, status: textMember(json, "status"), release: textMember(json, "release") },
    ...{ gitSha: textMember(json, "git-sha"), manifest: textMember(json, "manifest") },
  };
}

function releaseIn(json: unknown): RackRelease | null {
  const id = textMember(json, "id");
  return id === "" ? null : { id, build: textMember(json, "build") };
}

/** Ten seconds, and then the rack is silent. */
export async function askRack(
  rack: Rack,
  { appName, actor }: { readonly appName: string; readonly actor: RackActor },
  { kind, id }: RackQuestion,
): Promise<RackAnswers[RackQuestion["kind"]]> {
  const folder = kind === "build" ? "builds" : "releases";
  const path = `/apps/${encodeURIComponent(appName)}/${folder}/${encodeURIComponent(id)}`;
  try {
    const { status, json } = await rack.ask({ path, actor });
    if (status === 404) return "gone";
    if (status !== 200) return "silent";
    return (kind === "build" ? buildIn(json) : releaseIn(json)) ?? "silent";
  } catch (error) {
    if (error instanceof RackFault) return "silent";
    throw error;
  }
}
