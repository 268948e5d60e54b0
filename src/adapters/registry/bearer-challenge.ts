/**
 * What does a registry want before it answers? The challenges of the distribution specification's token authentication and of Basic,
 * as `WWW-Authenticate` writes them. Implements the part of docs/spec/deploy.md R-IMAGE-8 that is about credentials.
 */

export type RegistryChallenge =
  { readonly kind: "basic" } | { readonly kind: "bearer"; readonly realm: string; readonly service: string | null };

const SCHEME = /^\s*(?:,\s*)*([A-Za-z]+)(?:\s+|$)/;
const PARAMETER = /^\s*,?\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/;
const HEADER_MAX = 4_096;

/** Bearer before Basic; null where the header asks for neither. */
export function registryChallenge(header: string | null): RegistryChallenge | null {
  const all = header === null || header.length > HEADER_MAX ? [] : challengesIn(header);
  const bearer = all.find(({ scheme }) => scheme === "bearer");
  const realm = bearer?.parameters.get("realm");
  if (bearer !== undefined && realm !== undefined) {
    return { kind: "bearer", realm, service: bearer.parameters.get("service") ?? null };
  }
  return all.some(({ scheme }) => scheme === "basic") ? { kind: "basic" } : null;
}

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

function challengesIn(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header;
  for (let scheme = SCHEME.exec(rest); scheme !== null; scheme = SCHEME.exec(rest)) {
    rest = rest.slice(scheme[0].length);
    const parameters = new Map<string, string>();
    for (let one = PARAMETER.exec(rest); one !== null; one = PARAMETER.exec(rest)) {
      const [whole, name = "", quoted, plain = ""] = one;
      rest = rest.slice(whole.length);
      parameters.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1"));
    }
    challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters });
  }
  return challenges;
}
