/**
 * The API as the person who signed in at this terminal. Where an act needs a factor it is asked for at the terminal, or taken
 * from `--code`; exit statuses are the same for every command.
 */
import { createInterface } from "node:readline/promises";
import { createApiClient, type ApiCall, type ApiClient } from "../client/api-client.ts";
import { ApiRefusal, Unreachable } from "../client/api-refusal.ts";
import { productVersion } from "../main/product-version.ts";
import { CliConfigFault } from "./cli-config-fault.ts";
import { knownServer } from "./cli-config.ts";

export interface ApiFlags {
  /** Another server than the current one. */
  readonly server?: string;
  readonly org?: string;
  /** A code of the authenticator or a backup code, for acts that need one. */
  readonly code?: string;
}

/** 0 done, 1 refused, 2 could not be asked. */
const EXIT = { done: 0, refused: 1, unasked: 2 } as const;

/** Nobody is signed in here. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

export function userAgent(): string {
  return `countersign/${productVersion()}`;
}

export function signedInClient({ server, org, code }: ApiFlags): ApiClient {
  const known = knownServer(server ?? null);
  if (known === null) throw new SignedOut("You are not signed in: countersign login <address of the server>");
  const { url } = known;
  const client = createApiClient({ url, token: known.token(), userAgent: userAgent(), organization: org ?? null });
  return { ...client, call: (call) => withFactor(client, call, code ?? null) };
}

/** Acts that need a factor say so; a person at the terminal is asked for one, once. */
async function withFactor(client: ApiClient, call: ApiCall, given: string | null): Promise<unknown> {
  try {
    return await client.call({ ...call, code: given });
  } catch (error) {
    const asks = error instanceof ApiRefusal && ASKING.has(error.problem.code);
    if (!asks || given !== null || !process.stdin.isTTY) throw error;
    const code = await answerTo(`${error.problem.detail}\nCode of your authenticator, or a backup code: `);
    if (code === "") throw error;
    return await client.call({ ...call, code });
  }
}

const ASKING: ReadonlySet<string> = new Set(["mfa_required", "mfa_step_up_required", "step_up_required"]);

/** What the person at the terminal types. */
export async function answerTo(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

/** Runs a command, says what went wrong, and answers the exit status. */
export async function exitStatusOf(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return EXIT.done;
  } catch (error) {
    if (error instanceof ApiRefusal) {
      console.error(`${error.message} (${error.problem.code})`);
      return EXIT.refused;
    }
    const isTold = error instanceof Unreachable || error instanceof SignedOut || error instanceof CliConfigFault;
    console.error(isTold ? error.message : error);
    return EXIT.unasked;
  }
}
