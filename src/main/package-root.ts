/** Where do the files lie that come with the program but are no code? In the package's root, whether we run from src or from dist. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!isOurs(join(directory, "package.json"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error("The files of Countersign are incomplete: package.json was not found");
    directory = parent;
  }
  return directory;
}

function isOurs(manifestFile: string): boolean {
  if (!existsSync(manifestFile)) return false;
  const manifest: unknown = JSON.parse(readFileSync(manifestFile, "utf8"));
  return typeof manifest === "object" && manifest !== null && "name" in manifest && manifest.name === "countersign";
}
