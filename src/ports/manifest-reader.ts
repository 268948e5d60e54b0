/** The three small languages in which people write manifests, image patterns and path globs (docs/spec/deploy.md section 5). */
import type { JsonValue } from "../core/json.ts";

/** True of texts that an expression or glob means as a whole; in time that grows with the text only. */
export type WholeMatch = (text: string) => boolean;

export interface ManifestReader {
  /** The manifest as JSON, or why not, as it continues `manifest validation failed: ` (deploy R-MANIFEST-4). */
  yaml(text: string): { readonly value: JsonValue } | { readonly why: string };
  /** An RE2 expression (deploy R-IMAGE-2); null where it is none. */
  expression(source: string): WholeMatch | null;
  /** Paths that one of the globs names: `*`, `**`, `?`, `[a-z]`, `{a,b}` (deploy R-SOURCE-3); null where one is no glob. */
  globs(patterns: readonly string[]): WholeMatch | null;
}
