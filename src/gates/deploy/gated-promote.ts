/**
 * May this release be promoted under an approval? Only the one release of the approved build, as the rack itself tells it.
 * Implements docs/spec/deploy.md R-BIND-10, R-STATE-6 and R-STATE-7.
 */
import {
  alreadyDeployed,
  promoteAttempts,
  promoteInProgress,
  rackUnreachable,
  releaseMismatch,
} from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { DeployApproval, DeployBuild } from "./deploy-records.ts";
import { deployStatus } from "./deploy-status.ts";
import {
  approvalsOfCall,
  latestBuild,
  liveApprovals,
  paramOf,
  type GatedCall,
  type GatedFacts,
  type GatedVerdict,
  type RackBuild,
} from "./gated-facts.ts";
import { missingApproval } from "./missing-approval.ts";
import { approvedPromoteForm } from "./promote-form.ts";

/** Promotes of one approval. */
export const promotesMax = 10;

export function judgePromote(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const releaseId = paramOf(call, "id");
  const live = liveApprovals(call, facts);
  if (live.length === 0) return { refusal: withoutApproval(call, facts, releaseId) };
  const body = approvedPromoteForm(call.headers.contentType, call.body);
  if (typeof body !== "string") return { refusal: body };
  const found = approvalOfRelease(releaseId, live, facts);
  if (!("approval" in found)) return found;
  const { approval, build } = found;
  const refusal = attemptRefusal(approval);
  if (refusal !== null) return { refusal };
  const answer = facts.answers.build;
  if (answer === null) return { ask: { kind: "build", id: build.id } };
  if (answer === "silent") return { refusal: rackUnreachable() };
  if (answer === "gone") return { refusal: releaseMismatch(`The rack has no build ${build.id}.`) };
  const mismatch = mismatchOf(answer, { approval, build, releaseId }, facts);
  if (mismatch !== null) return { refusal: releaseMismatch(mismatch) };
  const attempt = approval.promotes.length + 1;
  return { permit: { action: "release_promote", approval, build, releaseId, body, attempt } };
}

/** After a deploy its release is not promoted again; anything else has no approval (deploy R-STATE-7). */
function withoutApproval(call: GatedCall, facts: GatedFacts, releaseId: string): DeployRefusal {
  const ofRelease = approvalsOfCall(call, facts).find(({ builds }) =>
    builds.some((one) => one.releaseId === releaseId),
  );
  if (ofRelease !== undefined && deployStatus(ofRelease.standing, facts.now) === "deployed") return alreadyDeployed();
  return missingApproval(call, facts, ofRelease?.commit ?? null);
}

/** A build that the rack has named. */
type NamedBuild = DeployBuild & { readonly id: string };

interface Promotable {
  readonly approval: DeployApproval;
  readonly build: NamedBuild;
}

/** By our own record, else by what the rack says the release was built from; the build must be the approval's latest. */
function approvalOfRelease(
  releaseId: string,
  live: readonly DeployApproval[],
  { answers }: GatedFacts,
): Promotable | GatedVerdict {
  const recorded = live.flatMap(({ builds }) => builds).find((build) => build.releaseId === releaseId);
  const buildId = recorded?.id ?? buildOfAnswer(releaseId, answers.release);
  if (buildId === null) return { ask: { kind: "release", id: releaseId } };
  if (typeof buildId !== "string") return { refusal: buildId };
  const approval = live.find(({ builds }) => builds.some(({ id }) => id === buildId));
  const latest = approval === undefined ? undefined : latestBuild(approval);
  if (approval === undefined || latest === undefined) {
    return { refusal: releaseMismatch(`Release ${releaseId} was not built under this approval.`) };
  }
  if (latest.id === null || latest.id !== buildId) {
    return { refusal: releaseMismatch(`Release ${releaseId} is not of the latest build.`) };
  }
  return { approval, build: { ...latest, id: latest.id } };
}

function buildOfAnswer(releaseId: string, answer: GatedFacts["answers"]["release"]): string | null | DeployRefusal {
  if (answer === null) return null;
  if (answer === "silent") return rackUnreachable();
  if (answer === "gone" || answer.id !== releaseId) return releaseMismatch(`The rack has no release ${releaseId}.`);
  return answer.build;
}

function attemptRefusal({ id, promotes }: DeployApproval): DeployRefusal | null {
  if (promotes.some(({ outcome }) => outcome === "pending")) return promoteInProgress(id);
  return promotes.length >= promotesMax ? promoteAttempts(promotesMax) : null;
}

/** What the rack says of the build, compared with what was approved; the sentence, or null where all agrees. */
function mismatchOf(
  answer: RackBuild,
  { approval, build, releaseId }: Promotable & { readonly releaseId: string },
  { objects }: GatedFacts,
): string | null {
  if (answer.id !== build.id) return `The rack answered with build ${answer.id}.`;
  if (answer.status !== "complete") return `Build ${build.id} is ${answer.status}, not complete.`;
  if (answer.release !== releaseId) return `The release of build ${build.id} is ${answer.release}.`;
  if (answer.gitSha !== "" && answer.gitSha !== approval.commit) return `Build ${build.id} is of another commit.`;
  const object = objects.find(
    ({ scope, app, key }) => scope === approval.scope && app === approval.app && key === build.objectKey,
  );
  const captured = object?.manifests.find(({ path }) => path === build.manifest);
  if (captured === undefined) return `The manifest of build ${build.id} is not on record.`;
  const isSame = answer.manifest === "" || answer.manifest === captured.text;
  return isSame ? null : `The manifest of build ${build.id} is not the one that was uploaded.`;
}
