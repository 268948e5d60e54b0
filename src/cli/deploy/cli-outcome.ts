/** How a command ends: what it says of a failure, and its exit status (docs/spec/deploy.md R-CLI-4). */
import { ApiRefusal, Unreachable } from "../../client/api-refusal.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { CliConfigFault } from "../cli-config-fault.ts";
import { SignedOut } from "../signed-in-client.ts";

export const EXIT = {
  ...{ done: 0, rejected: 10, expired: 11, cancelled: 12, superseded: 13, timedOut: 14, failed: 20, interrupted: 130 },
} as const;

/** A failure that is the person's to read; it ends the command with its status. */
export class CliFault extends Error {
  override readonly name = "CliFault";
  readonly exitStatus: number;

  constructor(message: string, exitStatus: number = EXIT.failed) {
    super(message);
    this.exitStatus = exitStatus;
  }
}

/** Runs a command, says what went wrong, and answers the exit status. */
export async function exitStatusOf(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    console.error(`Error: ${sentenceOf(error)}`);
    return error instanceof CliFault ? error.exitStatus : EXIT.failed;
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof DeployRefusal) return [error.message, error.parts.hint].filter((part) => part !== "").join("\n");
  if (!(error instanceof Error)) return String(error);
  const isTold = [CliFault, Unreachable, ApiRefusal, SignedOut, CliConfigFault].some((kind) => error instanceof kind);
  // Whatever is not expected is a bug: its trace helps whoever reports it.
  return isTold ? error.message : (error.stack ?? error.message);
}
