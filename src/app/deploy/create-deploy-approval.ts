/**
 * Somebody asks for approval to deploy one commit: what has to be asked outside is asked first, and everything that can have changed
 * meanwhile is looked at again in the transaction. Implements docs/spec/deploy.md R-REQ-1 to R-REQ-15 in the order of R-REQ-2.
 */
import { isDeployRefusal, refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { isRequestMembers, readRequestMembers, type RequestMembers } from "../../gates/deploy/request-members.ts";
import { approvalsDisabled, foreignCommit } from "../../gates/deploy/request-refusals.ts";
import type { Refusal } from "../../core/refusal.ts";
import type { Rack } from "../../ports/rack.ts";
import type { Application } from "../application.ts";
import { once, type Once, type Replay } from "../idempotency.ts";
import { tooManyRequests } from "../request-rate.ts";
import { boundCommit, withOwnRun } from "../workload-identity.ts";
import { spendingOnce, type SpentOnce } from "../workload-single-use.ts";
import { coversPlace, type DeployCaller } from "./deploy-caller.ts";
import { creationCommand, type DeployCreated } from "./creation-command.ts";
import type { AskedDeploy } from "./new-deploy-approval.ts";
import { activeRelease, knownCommit } from "./outside-facts.ts";
import { isGateRefusal, refusedByGate } from "./refused-by-gate.ts";
import { committedImages } from "./resolve-images.ts";
import { findTarget } from "./target-token.ts";

export interface NewDeploy {
  readonly rack: Rack;
  readonly body: unknown;
}

/** Too many were made: seconds to wait. */
export interface Limited {
  readonly waitSeconds: number;
}

export type CreateCall = Once<DeployCreated> | SpentOnce<DeployCreated> | null;

export async function createDeployApproval(
  app: Application,
  caller: DeployCaller,
  { rack, body }: NewDeploy,
  call: CreateCall,
): Promise<DeployCreated | Refusal | Replay | Limited> {
  const members = readRequestMembers(body);
  if (!isRequestMembers(members)) return refusedByGate(members);
  const ciMetadata = withOwnRun(members.ciMetadata, caller.workload);
  const asked = await askedDeploy(app, caller, { rack, members: { ...members, ciMetadata } });
  if ("waitSeconds" in asked) return asked;
  if (isDeployRefusal(asked)) return refusedByGate(asked);
  return submit(app, asked, call);
}

const ATTEMPTS_MAX = 3;

/** Again where the settings named another policy meanwhile. */
async function submit(
  app: Application,
  first: AskedDeploy,
  call: CreateCall,
): Promise<DeployCreated | Refusal | Replay> {
  let asked = first;
  for (let attempt = 1; ; attempt += 1) {
    const command = creationCommand(app, asked);
    const answer = await app.store.submit(
      call !== null && "singleUse" in call ? spendingOnce(command, call) : once(command, call, ({ id }) => id),
    );
    const isOver = attempt === ATTEMPTS_MAX || !("refusal" in answer) || !isGateRefusal(answer);
    if (isOver || answer.gate.code !== "policy_unavailable") return answer;
    app.deploy.settings.drop();
    const settings = await app.deploy.settings.ofApp(app, asked.scope, asked.members.app);
    if (settings.app.deployPolicy.value === asked.settings.app.deployPolicy.value) return answer;
    asked = { ...asked, settings };
  }
}

interface Outside {
  readonly rack: Rack;
  readonly members: RequestMembers;
}

async function askedDeploy(
  app: Application,
  caller: DeployCaller,
  { rack, members }: Outside,
): Promise<AskedDeploy | DeployRefusal | Limited> {
  const scope = rack.info.name;
  const place = { scope, app: members.app };
  const settings = await app.deploy.settings.ofApp(app, scope, members.app);
  if (!settings.global.deployApprovalsEnabled.value) return approvalsDisabled();
  const waitSeconds = await tooManyRequests(app, caller.actor, () =>
    app.reader.openDeployApprovals(caller.actor.subject),
  );
  if (waitSeconds !== null) return { waitSeconds };
  if (!coversPlace(caller.limits, place)) {
    return refuseDeploy("permission_denied", "you do not have permission to request a deploy approval", [
      "The credential is not for this rack or app.",
    ]);
  }
  const running = await activeRelease(rack, caller.actor, members.app);
  if (isDeployRefusal(running)) return running;
  const forEveryone = settings.global.requiredFor.value === "everyone";
  const target = await findTarget(app, caller, { asked: members.targetToken, ...place, forEveryone });
  if ("code" in target) return target;
  const known = await knownCommit(app, { scope, members, settings: settings.app });
  if (isDeployRefusal(known)) return known;
  const foreign = foreignCommit(known.commit, boundCommit(caller.workload));
  if (foreign !== null) return foreign;
  const images = "id" in known.tree ? await committedImages(app, settings.app, known.commit) : [];
  return { caller, scope, members, settings, target, known, activeRelease: running.release, images };
}
