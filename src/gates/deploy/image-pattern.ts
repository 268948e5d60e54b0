/**
 * Which expression must an image match? The look-up of patterns and what stands in them for the commit. Implements
 * docs/spec/deploy.md R-IMAGE-2 and R-IMAGE-3.
 */
import type { ManifestImage } from "./manifest-images.ts";

/** True of texts that an expression means as a whole. */
export type WholeMatch = (text: string) => boolean;

/** RE2; null where the source is no expression. */
export type CompileExpression = (source: string) => WholeMatch | null;

/** Setting `service_image_patterns`: service, `*`, `<s>.initContainer` or `resources.<r>`, and an expression. */
export type ImagePatterns = Readonly<Record<string, string>>;

/** Wherever it is written, it also takes what may follow the commit in a tag (deploy R-IMAGE-3). */
export const DEFAULT_PATTERN = ".*:{{GIT_COMMIT}}";
const VARIANT = "(?:[-._][0-9A-Za-z._-]{1,64})?";
const SHORTEST = 7;

/** The pattern of the setting for a position; null where no key covers it. */
export function explicitPattern(
  patterns: ImagePatterns,
  { kind, name, key }: Omit<ManifestImage, "image">,
): string | null {
  const keys = { service: [name, "*"], init_container: [key, name, "*"], resource: [key] }[kind];
  const own = new Map(Object.entries(patterns));
  return keys.map((candidate) => own.get(candidate)).find((pattern) => pattern !== undefined) ?? null;
}

/** Of the commit, a full id. */
export function patternSource(pattern: string, commit: string): string {
  const source = pattern.replaceAll("{{GIT_COMMIT_SHORT}}", prefixes(commit)).replaceAll("{{GIT_COMMIT}}", commit);
  return pattern === DEFAULT_PATTERN ? `${source}${VARIANT}` : source;
}

/** The first seven digits, and as many of the rest as there are. */
function prefixes(commit: string): string {
  const rest = Array.from(commit.slice(SHORTEST));
  return `${commit.slice(0, SHORTEST)}${rest.map((digit) => `(?:${digit}`).join("")}${")?".repeat(rest.length)}`;
}

/** What is wrong with a map of patterns that somebody wants to store; null if nothing is (deploy R-IMAGE-2). */
export function patternFault(patterns: ImagePatterns, compile: CompileExpression): string | null {
  const wrong = Object.entries(patterns).find(
    ([, pattern]) => compile(patternSource(pattern, "0".repeat(64))) === null,
  );
  return wrong === undefined ? null : `invalid image pattern for service ${wrong[0]}`;
}

/** The image with the full commit where it has only the beginning of it; null if that would not match either (deploy R-IMAGE-6). */
export function withFullCommit(image: string, commit: string, match: WholeMatch): string | null {
  for (let length = commit.length - 1; length >= SHORTEST; length -= 1) {
    const full = image.replace(commit.slice(0, length), commit);
    if (full !== image) return match(full) ? full : null;
  }
  return null;
}
