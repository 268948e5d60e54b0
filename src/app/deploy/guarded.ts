/** An act on a request with a condition of its gate that must hold in the act's own transaction, such as `If-Match` (deploy R-STATE-4). */
import type { Refusal } from "../../core/refusal.ts";
import type { Needs, StoreCommand, World } from "../../ports/command-store.ts";
import type { Application } from "../application.ts";
import { NO_CHANGE } from "../no-change.ts";

export interface Guard {
  readonly needs: Pick<Needs, "requestIds" | "records">;
  /** Null where the act may go on. */
  refusal(world: World): Refusal | null;
}

/** Every command of the act runs under the guard: once it refuses, nothing of that command is written. */
export async function guarded<Answer>(
  app: Application,
  guard: Guard,
  act: (app: Application) => Promise<Answer>,
): Promise<Answer | Refusal> {
  const found: { refused: Refusal | null } = { refused: null };
  const under = <Own>(command: StoreCommand<Own>): StoreCommand<Own> => ({
    ...command,
    needs: {
      ...command.needs,
      requestIds: [...(command.needs.requestIds ?? []), ...(guard.needs.requestIds ?? [])],
      records: [...(command.needs.records ?? []), ...(guard.needs.records ?? [])],
    },
    carryOut(world, facts) {
      // It may run again: what the last run found is what counts.
      found.refused = guard.refusal(world);
      const carried = command.carryOut(world, facts);
      return found.refused === null ? carried : { answer: carried.answer, changes: NO_CHANGE };
    },
  });
  const answer = await act({ ...app, store: { submit: (command) => app.store.submit(under(command)) } });
  return found.refused ?? answer;
}
