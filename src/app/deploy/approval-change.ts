/** Changes what an approval remembers, with the entries that say why, in one transaction (docs/spec/deploy.md R-STATE-3). */
import { isId } from "../../core/ids.ts";
import type { DescribedEntry } from "../../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import { NO_CHANGE } from "../no-change.ts";
import type { CallApproval } from "./call-entry.ts";
import { currentApproval, type CurrentApproval } from "./admit-call.ts";

export interface ApprovalChange<Answer> {
  readonly name: string;
  readonly approval: CallApproval;
  /** Null where nothing is to be changed any more; what is returned gets its version here. */
  change(
    current: CurrentApproval,
    world: World,
  ): {
    readonly record: DeployApprovalRecord;
    readonly entries: readonly DescribedEntry[];
    readonly answer: Answer;
  } | null;
  readonly otherwise: Answer;
}

export function approvalCommand<Answer>(act: ApprovalChange<Answer>): StoreCommand<Answer> {
  const { requestId, id } = act.approval;
  return {
    name: act.name,
    needs: {
      requestIds: isId<"request">(requestId) ? [requestId] : [],
      records: [recordsBy("deployApproval", "id", [id])],
    },
    carryOut(world): Carried<Answer> {
      const [current] = currentApproval(world, id);
      const made = current === undefined ? null : act.change(current, world);
      if (current === undefined || made === null) return { answer: act.otherwise, changes: NO_CHANGE };
      const record = { ...made.record, version: current.record.version + 1 };
      return { answer: made.answer, changes: { entries: made.entries, records: { deployApproval: [record] } } };
    },
  };
}
