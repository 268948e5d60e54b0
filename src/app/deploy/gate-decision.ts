/**
 * What the deploy gate says of a decision on a task of one of its requests, whichever route it came by: whether the commit is still
 * the one to deploy, whether its files are known, and how long the approval will last. Implements docs/spec/deploy.md R-VCS-3,
 * R-SOURCE-1 (`enforce`), R-EXPIRY-1 and R-BIND-12.
 */
import type { TaskId } from "../../core/ids.ts";
import type { Refusal } from "../../core/refusal.ts";
import type { DecisionAction } from "../../core/request.ts";
import { rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import type { RackState } from "../../gates/deploy/drift.ts";
import { sourceNotReady } from "../../gates/deploy/request-refusals.ts";
import type { World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { askStillCurrent } from "../commit-verification.ts";
import type { GrantWindow } from "../grant-window.ts";
import { commitQuestion, repositoryOf } from "./app-repository.ts";
import { rackStateOf } from "./rack-state.ts";
import { refusedByGate } from "./refused-by-gate.ts";
import type { DeployAppSettings } from "./settings-desk.ts";

/** For version control at the deciding moment. */
const VCS_BUDGET_MS = 5_000;

/** Null where no gate has a say: another gate's request, or no approval. */
export async function deployDecision(
  app: Application,
  { taskId, action }: { readonly taskId: TaskId; readonly action: DecisionAction },
): Promise<GrantWindow | Refusal | null> {
  if (action !== "approve") return null;
  const record = await app.reader.deployApprovalOfTask(taskId);
  if (record === undefined) return null;
  const settings = await app.deploy.settings.ofApp(app, record.scope, record.app);
  const stale = sourceRefusal(record, settings) ?? (await commitRefusal(app, record, settings));
  if (stale !== null) return stale;
  const rackState = await stateAtApproval(app, record);
  const isDenied = settings.app.driftEnv.value === "deny" || settings.app.driftBase.value === "deny";
  if (rackState === null && isDenied) return refusedByGate(rackUnreachable(), record.id);
  return windowOf(app, record, rackState);
}

/** Null where the rack does not tell: what changed since then will not be known (R-BIND-12). */
async function stateAtApproval(
  app: Application,
  { scope, app: appName }: DeployApprovalRecord,
): Promise<RackState | null> {
  const rack = app.deploy.racks.find(scope);
  return rack === undefined ? null : rackStateOf(app, { rack, actor: GATE, appName, release: null });
}

const GATE = { name: "countersign", email: "" } as const;

function sourceRefusal({ id, sourceTree }: DeployApprovalRecord, { app }: DeployAppSettings): Refusal | null {
  const isMissing = app.verifySource.value === "enforce" && sourceTree.state !== "ready";
  return isMissing ? refusedByGate(sourceNotReady(), id) : null;
}

/** Only what was verified when it was asked for can have become untrue. */
async function commitRefusal(
  app: Application,
  record: DeployApprovalRecord,
  settings: DeployAppSettings,
): Promise<Refusal | null> {
  if (record.facts.commit === null || !settings.app.githubVerification.value) return null;
  const repository = repositoryOf(app, settings.app, VCS_BUDGET_MS);
  if (repository === null) return null;
  const refusal = await askStillCurrent(repository, commitQuestion(settings.app, record));
  return refusal === null ? null : refusedByGate(refusal, record.id);
}

function windowOf(
  app: Application,
  { id, scope, app: appName }: DeployApprovalRecord,
  rackState: RackState | null,
): GrantWindow {
  const desk = app.deploy.settings;
  return {
    needs: { records: [desk.needs(app), recordsBy("deployApproval", "id", [id])] },
    approved: (world) => {
      const [record] = world.records("deployApproval", "id", id);
      if (record === undefined || rackState === null || record.rackState !== null) return {};
      return { deployApproval: [{ ...record, version: record.version + 1, rackState }] };
    },
    minutes: (world: World) => desk.at(world, app, { scope, app: appName }).app.windowMinutes.value,
  };
}
