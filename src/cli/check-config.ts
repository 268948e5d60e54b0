/** `countersign config check`: what is set, and by what. */
import { ConfigFault, loadConfig, type Setting } from "../main/config.ts";

/** The exit status. */
export function checkConfig(json: boolean): number {
  try {
    const { settings } = loadConfig(process.env);
    console.log(json ? JSON.stringify(settings, null, 2) : table(settings));
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
