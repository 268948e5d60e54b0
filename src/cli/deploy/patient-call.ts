/** A call that outlives restarts of the server: what may pass is tried again, what will not ends at once (docs/spec/deploy.md R-CLI-7). */
import { setTimeout as sleep } from "node:timers/promises";
import { Unreachable } from "../../client/api-refusal.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";

/** In a row. */
const PATIENCE_MS = 300_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** When waiting ends; `Infinity` for never. */
export type Deadline = number;

export function deadlineIn(timeoutMs: number): Deadline {
  return timeoutMs === 0 ? Infinity : Date.now() + timeoutMs;
}

/** How time passes. */
export interface Passing {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

const PASSING: Passing = {
  now: () => Date.now(),
  async sleep(milliseconds) {
    await sleep(milliseconds);
  },
};

export async function patientCall<Value>(
  work: () => Promise<Value>,
  deadline: Deadline,
  passing = PASSING,
): Promise<Value> {
  const givesUpAt = passing.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const asked = pauseAsked(error);
      if (asked === null || passing.now() > givesUpAt) throw error;
      await pauseUntil(Math.max(asked, pause), deadline, passing);
    }
  }
}

/** Sleeps, and ends the command where the time is up first. */
export async function pauseUntil(milliseconds: number, deadline: Deadline, passing = PASSING): Promise<void> {
  const left = deadline - passing.now();
  await passing.sleep(Math.max(0, Math.min(milliseconds, left)));
  if (left <= milliseconds) throw new CliFault("timed out waiting for approval", EXIT.timedOut);
}

/** Milliseconds the server asks for, 0 where it does not say; null where trying again cannot help. */
function pauseAsked(error: unknown): number | null {
  if (error instanceof Unreachable) return 0;
  if (!(error instanceof DeployRefusal)) return null;
  const { status, retryAfter } = error.parts;
  return status === 429 || status >= 500 ? (retryAfter ?? 0) * 1_000 : null;
}
