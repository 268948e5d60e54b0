/** How a test starts one of our programs: as `npm test` built it, or from its sources when vitest was called by itself. */
import { join } from "node:path";
import { packageRoot } from "../../src/main/package-root.ts";

/** The arguments of `node` before those of the program. */
export function program(name: "countersign" | "rack-gateway"): readonly string[] {
  // Set by scripts/test.mjs, which has just built exactly these sources.
  if (process.env["COUNTERSIGN_TEST_BUILT"] === "1") return [join(packageRoot(), "dist", "src", "cli", `${name}.js`)];
  const loader = join(packageRoot(), "node_modules", "tsx", "dist", "loader.mjs");
  return ["--import", loader, join(packageRoot(), "src", "cli", `${name}.ts`)];
}
