/** A `convox.yml` as a rack reads it: interpolated first, parsed after (deploy R-RACKSIM-1, row "build"). */
import { parse } from "yaml";

export interface ManifestService {
  readonly name: string;
  /** Null when the rack builds it from the source. */
  readonly image: string | null;
  readonly buildPath: string;
}

export interface ManifestResource {
  readonly name: string;
  readonly type: string;
}

export interface RackManifest {
  readonly services: readonly ManifestService[];
  readonly resources: readonly ManifestResource[];
}

/** A name without a value becomes nothing. */
function interpolated(text: string, environment: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{([^}]*?)\}/g, (_whole, name: string) => environment.get(name) ?? "");
}

export function readManifest(text: string, environment: ReadonlyMap<string, string>): RackManifest {
  const document: unknown = parse(interpolated(text, environment), { merge: true });
  const services = membersOf(memberOf(document, "services")).map(([name, service]) => ({
    name,
    image: textOf(memberOf(service, "image")),
    buildPath: textOf(memberOf(service, "build")) ?? textOf(memberOf(memberOf(service, "build"), "path")) ?? ".",
  }));
  const resources = membersOf(memberOf(document, "resources")).map(([name, resource]) => ({
    name,
    type: textOf(memberOf(resource, "type")) ?? "",
  }));
  return { services, resources };
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function memberOf(value: unknown, name: string): unknown {
  return membersOf(value).find(([other]) => other === name)?.[1];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
