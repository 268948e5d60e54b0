/**
 * May this build be created under an approval? Implements docs/spec/deploy.md R-BIND-7 to R-BIND-9: the commit, the archive,
 * the manifest and one build at a time.
 */
import { checkBuildForm, encodeBuildForm, isApprovedBuildForm, isBuildForm, readBuildForm } from "./build-form.ts";
import type { ApprovedBuildForm } from "./build-form.ts";
import {
  buildAttempts,
  buildExists,
  gitShaRequired,
  manifestInvalid,
  objectUnknown,
  rackUnreachable,
} from "./call-refusals.ts";
import type { DeployApproval, DeployObject } from "./deploy-records.ts";
import { latestBuild, liveApprovals, type GatedCall, type GatedFacts, type GatedVerdict } from "./gated-facts.ts";
import { missingApproval } from "./missing-approval.ts";

export function judgeBuildCreate(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const live = liveApprovals(call, facts);
  if (live.length === 0) return { refusal: missingApproval(call, facts, null) };
  const form = readBuildForm(call.headers.contentType, call.body);
  if (!isBuildForm(form)) return { refusal: form };
  if (form.gitSha === null || form.gitSha === "") return { refusal: gitShaRequired() };
  const approval = live.find(({ commit }) => commit === form.gitSha);
  if (approval === undefined) return { refusal: missingApproval(call, facts, form.gitSha) };
  const checked = checkBuildForm(form, facts.settings);
  if (!isApprovedBuildForm(checked)) return { refusal: checked };
  const object = facts.objects.find((one) => isArchiveOf(one, checked, approval, facts));
  if (object === undefined) return { refusal: objectUnknown() };
  if (!object.manifests.some(({ path }) => path === checked.manifest)) {
    return { refusal: manifestInvalid(`${checked.manifest} not found in tarball`) };
  }
  return afterEarlierBuilds(approval, object, checked, facts);
}

/** Uploaded by this caller, under this approval, and the content that it is pinned to, if it is (deploy R-BIND-6). */
function isArchiveOf(
  object: DeployObject,
  { url }: ApprovedBuildForm,
  approval: DeployApproval,
  { caller }: GatedFacts,
): boolean {
  const isOwn = "tokenId" in caller ? object.tokenId === caller.tokenId : object.personId === caller.personId;
  const isOfApp = object.scope === approval.scope && object.app === approval.app;
  const isNamed = object.url === url && url === `object://${object.app}/${object.key}`;
  const isPinnable = approval.sourceDigest === null || approval.sourceDigest === object.sourceDigest;
  return isOwn && isOfApp && isNamed && isPinnable && object.approvalIds.includes(approval.id);
}

/** One build at a time; a failed one may be tried again (deploy R-BIND-8). */
function afterEarlierBuilds(
  approval: DeployApproval,
  object: DeployObject,
  form: ApprovedBuildForm,
  facts: GatedFacts,
): GatedVerdict {
  const earlier = earlierBuild(approval, facts);
  if (earlier !== null) return earlier;
  const { maxBuildAttempts } = facts.settings;
  if (approval.builds.length >= maxBuildAttempts) return { refusal: buildAttempts(maxBuildAttempts) };
  const attempt = (latestBuild(approval)?.attempt ?? 0) + 1;
  return { permit: { action: "build_create", approval, object, form, body: encodeBuildForm(form), attempt } };
}

/** What the latest build says against another one; null where it has failed, or there is none. */
function earlierBuild(approval: DeployApproval, { answers }: GatedFacts): GatedVerdict | null {
  const build = latestBuild(approval);
  if (build === undefined || build.status === "failed" || build.status === "gone") return null;
  if (build.id === null) return { refusal: buildExists("The rack has not answered yet: it is still being created.") };
  const answer = answers.build;
  if (answer === null) return { ask: { kind: "build", id: build.id } };
  if (answer === "gone") return null;
  if (answer === "silent" || answer.id !== build.id) return { refusal: rackUnreachable() };
  if (answer.status === "failed") return null;
  const next = answer.status === "complete" ? ` Promote release ${answer.release}.` : " Wait for it.";
  return { refusal: buildExists(`Build ${build.id} is ${answer.status}.${next}`) };
}
