/** `countersign config check`: what is set, and by what; and which of it leaves a door open (identity R-IDP-12). */
import { ConfigFault, loadConfig, type Setting } from "../main/config.ts";
import { openDoors } from "../main/start-rules.ts";

/** The exit status. */
export function checkConfig(json: boolean): number {
  try {
    const { config, settings } = loadConfig(process.env);
    console.log(json ? JSON.stringify(settings, null, 2) : table(settings));
    // Beside the settings, so that a program that reads them reads nothing else.
    for (const door of openDoors(config, false, process.env)) console.error(door);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    for (const problem of error.problems) console.error(problem);
    return 2;
  }
}

function table(settings: readonly Setting[]): string {
  const rows = settings.map(({ key, value, source }) => [key, JSON.stringify(value), source] as const);
  const keyWidth = Math.max(...rows.map(([key]) => key.length));
  const valueWidth = Math.min(40, Math.max(...rows.map(([, value]) => value.length)));
  return rows
    .map(([key, value, source]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${source}`)
    .join("\n");
}
