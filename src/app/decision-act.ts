/**
 * What a proof for decisions is bound to: the revision and the payload that the decider can see now (docs/spec/identity.md
 * R-STEP-2, R-STEP-5). The texts themselves are made by `proof-act.ts`.
 */
import type { TaskId } from "../core/ids.ts";
import type { DecisionAction } from "../core/request.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Application } from "./application.ts";
import type { DecidedRevision } from "./proof-act.ts";

export interface IntendedDecision {
  readonly taskId: TaskId;
  readonly action: DecisionAction;
}

/** In the order given; tasks that the viewer cannot see are left out, as they cannot be decided. */
export async function decidedRevisions(
  app: Application,
  viewer: Viewer,
  intended: readonly IntendedDecision[],
): Promise<readonly DecidedRevision[]> {
  const found: DecidedRevision[] = [];
  for (const { taskId, action } of intended) {
    const view = await app.reader.task(taskId, viewer);
    if (view === undefined) continue;
    const { revision, digest } = view.request;
    found.push({ taskId, decision: action, revision, digest });
  }
  return found;
}
