/** Which app a command is about (docs/spec/deploy.md R-CLI-2). */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CliFault } from "./cli-outcome.ts";

const APP_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The flag, the environment, `.convox/app` here or above, the directory's name. */
export function chosenApp(given: string | undefined, directory = process.cwd()): string {
  const named = given ?? process.env["CONVOX_APP"] ?? "";
  if (named !== "") return named;
  const written = writtenApp(directory);
  if (written !== null) return written;
  const name = basename(directory);
  if (APP_NAME.test(name)) return name;
  throw new CliFault("missing app: use -a <app> or set CONVOX_APP or add .convox/app");
}

/** Null where no directory up to the root says it. */
export function writtenApp(directory: string): string | null {
  try {
    const text = readFileSync(join(directory, ".convox", "app"), "utf8").trim();
    if (text !== "") return text;
  } catch {
    // The next directory may have one.
  }
  const above = dirname(directory);
  return above === directory ? null : writtenApp(above);
}
