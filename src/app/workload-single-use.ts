/**
 * A workload's token makes one request: presented again it gets the first one's answer, whatever it asks for. Implements
 * docs/spec/identity.md R-WID-3.
 */
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { Carried, StoreCommand } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Replay } from "./idempotency.ts";
import { NO_CHANGE } from "./no-change.ts";
import type { SingleUse } from "./workload-caller.ts";

export interface SpentOnce<Answer> {
  readonly singleUse: SingleUse;
  readonly render: (answer: Answer) => { readonly status: number; readonly body: JsonValue };
}

/** Spent in the command's own transaction, and only by what changed something: a refused call may be repeated. */
export function spendingOnce<Answer extends object>(
  command: StoreCommand<Answer | Refusal>,
  { singleUse, render }: SpentOnce<Answer>,
): StoreCommand<Answer | Refusal | Replay> {
  const { scope, value, expiresAt } = singleUse;
  const records = [...(command.needs.records ?? []), recordsBy("spentProof", "value", [value])];
  return {
    ...command,
    needs: { ...command.needs, records },
    carryOut(world, facts): Carried<Answer | Refusal | Replay> {
      const spent = world.records("spentProof", "value", value).find((proof) => proof.scope === scope);
      if (spent !== undefined) return { answer: replayOf(spent.answer), changes: NO_CHANGE };
      const carried = command.carryOut(world, facts);
      if (isRefusal(carried.answer)) return carried;
      const answer = { ...render(carried.answer) };
      const proof = { scope, value, answer, spentAt: world.now, expiresAt };
      const changes = { ...carried.changes, records: { ...carried.changes.records, spentProof: [proof] } };
      return { answer: carried.answer, changes };
    },
  };
}

function replayOf(answer: JsonValue): Replay {
  const kept = isJsonObject(answer) ? answer : {};
  const status = kept["status"];
  return { replayed: true, status: typeof status === "number" ? status : 200, body: kept["body"] ?? null };
}
