/** Results on standard output, everything else on standard error (docs/spec/deploy.md R-CLI-4). */
import type { GatewayFlags } from "./gateway-flags.ts";

export function wantsJson({ json, output }: Pick<GatewayFlags, "json" | "output">): boolean {
  return json === true || output === "json";
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Progress, which `--quiet` leaves out. */
export function notice({ quiet }: Pick<GatewayFlags, "quiet">, text: string): void {
  if (quiet !== true) console.error(text);
}

/** What a person should know although the command goes on. */
export function warn(text: string): void {
  console.error(`Warning: ${text}`);
}

/** `Doing it... OK`, in two steps. */
export async function step<Value>(
  { quiet }: Pick<GatewayFlags, "quiet">,
  text: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const say = (part: string): void => {
    if (quiet !== true) process.stderr.write(part);
  };
  say(`${text}... `);
  try {
    const value = await work();
    say("OK\n");
    return value;
  } catch (error) {
    say("\n");
    throw error;
  }
}

/** Control characters of what others wrote could move the cursor; lines stay lines. */
export function plain(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Control}\p{Format}]/gu, "\ufffd");
}
