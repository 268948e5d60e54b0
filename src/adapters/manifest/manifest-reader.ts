/** The reader of manifests, image patterns and path globs, put together. */
import type { ManifestReader } from "../../ports/manifest-reader.ts";
import { wholeExpression } from "./expression.ts";
import { pathGlobs } from "./path-globs.ts";
import { readYaml } from "./read-yaml.ts";

export const manifestReader: ManifestReader = { yaml: readYaml, expression: wholeExpression, globs: pathGlobs };
