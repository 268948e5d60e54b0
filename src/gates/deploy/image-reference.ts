/**
 * What does an image reference name? Registry, repository, tag and digest, as the distribution specification writes them.
 * Implements the parts of docs/spec/deploy.md R-IMAGE-2 and R-IMAGE-7 that are about one reference.
 */

export interface ImageReference {
  /** Registry and path, the way they are compared: `docker.io/library/nginx` for `nginx`. */
  readonly repository: string;
  /** The same as it was written. */
  readonly name: string;
  readonly tag: string | null;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string | null;
  /** The whole reference without its digest: what patterns are matched with. */
  readonly withoutDigest: string;
}

const REFERENCE_MAX = 512;
const HOST = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?";
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(
  `^((?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/** Null where it is none. */
export function imageReference(text: string): ImageReference | null {
  const found = text.length > REFERENCE_MAX ? null : REFERENCE.exec(text);
  const name = found?.[1];
  if (found === null || name === undefined) return null;
  const [, , tag = null, digest = null] = found;
  return { repository: comparable(name), name, tag, digest, withoutDigest: tag === null ? name : `${name}:${tag}` };
}

/**
 * The repository of a reference that may have placeholders in its tag or digest, as committed manifests do; null where the
 * repository itself has one, or is none (deploy R-IMAGE-7).
 */
export function committedRepository(text: string): string | null {
  const marked = text.replace(/\$\{[^}]*\}|\{\{[^}]*\}\}|<[^>]*>/g, "$");
  const [beforeDigest = ""] = marked.split("@", 1);
  const name = beforeDigest.replace(/:[^:/]*$/, "");
  return imageReference(name)?.repository ?? null;
}

/** Of `image_repositories`: exactly this one, or with `/*` at the end all below it (deploy R-IMAGE-7). */
export function isInRepository(repository: string, allowed: string): boolean {
  if (!allowed.endsWith("/*")) return repository === comparable(allowed);
  const above = allowed.slice(0, -2);
  const isRegistry = !above.includes("/") && isHost(above);
  return repository.startsWith(`${isRegistry ? comparableHost(above) : comparable(above, "")}/`);
}

/** With the registry that is meant where none is written. `library` is where Docker Hub keeps names without a path. */
function comparable(name: string, official = "library/"): string {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const host = isHost(first) ? comparableHost(first) : "docker.io";
  const path = isHost(first) ? name.slice(slash + 1) : name;
  return `${host}/${host === "docker.io" && !path.includes("/") ? official : ""}${path}`;
}

function isHost(text: string): boolean {
  return /[.:A-Z]/.test(text) || text === "localhost";
}

function comparableHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === "index.docker.io" || lower === "registry-1.docker.io" ? "docker.io" : lower;
}
