/** The same call twice acts once. Implements docs/spec/api.md R-IDEMP-1 to R-IDEMP-4. */
import type { RequestId } from "../core/ids.ts";
import type { JsonValue } from "../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";

/** A call that carries an Idempotency-Key, and how its answer looks on the wire. */
export interface Once<Answer> {
  /** SHA-256 over caller and route, hex. */
  readonly scope: string;
  readonly key: string;
  /** SHA-256 over the canonical body, the effective requester included, hex. */
  readonly bodyHash: string;
  render(answer: Answer): { readonly status: number; readonly body: JsonValue };
}

/** The stored answer of an earlier identical call. */
export interface Replay {
  readonly replayed: true;
  readonly status: number;
  readonly body: JsonValue;
}

export function isReplay(value: object): value is Replay {
  return "replayed" in value;
}

/** What an identical call was answered before; null when this is the first. */
export function earlierAnswer<Answer>(
  app: Pick<Application, "store">,
  call: Once<Answer>,
): Promise<Replay | Refusal | null> {
  return app.store.submit<Replay | Refusal | null>({
    name: "find_earlier_answer",
    needs: { idempotency: { scope: call.scope, key: call.key } },
    carryOut: (world) => ({ answer: storedAnswer(world, call), changes: NO_CHANGE }),
  });
}

function storedAnswer<Answer>(world: World, call: Once<Answer>): Replay | Refusal | null {
  const stored = world.idempotent(call.scope, call.key);
  if (stored === undefined) return null;
  return stored.bodyHash === call.bodyHash
    ? { replayed: true, status: stored.status, body: stored.body }
    : refuse("idempotency_conflict", CONFLICT);
}

const CONFLICT = "Idempotency-Key was already used with a different payload";

/**
 * Only answers that changed something are stored, in the command's own transaction: refused calls may be repeated.
 * Identical calls at once meet in the same line: the first acts, the others find its answer (R-IDEMP-3).
 */
export function once<Answer extends object>(
  command: StoreCommand<Answer | Refusal>,
  call: Once<Answer> | null,
  requestId: (answer: Answer) => RequestId | null,
): StoreCommand<Answer | Refusal | Replay> {
  if (call === null) return command;
  return {
    ...command,
    needs: { ...command.needs, idempotency: { scope: call.scope, key: call.key } },
    carryOut(world, facts): Carried<Answer | Refusal | Replay> {
      const earlier = storedAnswer(world, call);
      if (earlier !== null) return { answer: earlier, changes: NO_CHANGE };
      const carried = command.carryOut(world, facts);
      if (isRefusal(carried.answer)) return carried;
      const { status, body } = call.render(carried.answer);
      const record = {
        scope: call.scope,
        key: call.key,
        bodyHash: call.bodyHash,
        status,
        body,
        requestId: requestId(carried.answer),
        createdAt: world.now,
      };
      return { answer: carried.answer, changes: { ...carried.changes, idempotency: [record] } };
    },
  };
}
