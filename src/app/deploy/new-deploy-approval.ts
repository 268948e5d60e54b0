/** A deploy approval as it is first written: the context that rules and approvers see, the record beside it, and what is told about it. Implements docs/spec/deploy.md R-REQ-7, R-REQ-8 and R-REQ-13. */
import type { RequestId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import { ciLink } from "../../gates/deploy/ci-links.ts";
import { ciProblems } from "../../gates/deploy/ci-problems.ts";
import { withFoundImages, type FoundImage } from "../../gates/deploy/image-digests.ts";
import type { RequestMembers } from "../../gates/deploy/request-members.ts";
import type {
  DeployApprovalRecord,
  DeployCi,
  DeployFacts,
  DeploySourceTree,
  DeployWarning,
} from "../../ports/deploy-records.ts";
import type { Application } from "../application.ts";
import { shownWorkload } from "../workload-identity.ts";
import { personName } from "./approval-exclusions.ts";
import { appLinks, ciSettingsOf } from "./app-repository.ts";
import { callingToken, type DeployCaller } from "./deploy-caller.ts";
import { authorNames, ciContext, type CommitKnown } from "./outside-facts.ts";
import type { DeployAppSettings } from "./settings-desk.ts";
import { ownersOf, targetKey, type DeployTargetFound } from "./target-token.ts";

/** All that is known before the transaction. */
export interface AskedDeploy {
  readonly caller: DeployCaller;
  readonly scope: string;
  readonly members: RequestMembers;
  readonly settings: DeployAppSettings;
  readonly target: DeployTargetFound;
  readonly known: CommitKnown;
  /** `""` before the first. */
  readonly activeRelease: string;
  /** What images of the committed manifest lead to, as far as they exist, and what the rack builds. */
  readonly images: readonly FoundImage[];
}

export function artifactOf({ scope, members, known }: AskedDeploy): string {
  return `${scope}/${members.app}@${known.commit}`;
}

export function liveKeyOf(asked: AskedDeploy): string {
  return `deploy:${artifactOf(asked)}#${targetKey(asked.target)}`;
}

function ciOf(app: Application, { settings, members }: AskedDeploy): DeployCi {
  const ci = ciSettingsOf(settings.app);
  const provider = app.deploy.ci(ci.provider);
  const { ciMetadata: metadata } = members;
  if (provider !== null) {
    const { ready, problems, url } = provider.describe(metadata, ci);
    return { provider: ci.provider, ready, problems, url };
  }
  const problems = ciProblems({ metadata, settings: ci, hasCredential: false });
  return { provider: ci.provider, ready: false, problems, url: ciLink(metadata, ci) };
}

export function contextOf(app: Application, asked: AskedDeploy, now: Instant): JsonObject {
  const { scope, members, known, target, settings, activeRelease } = asked;
  const ci = ciOf(app, asked);
  const at = new Date(now);
  return {
    ...{ scope, app: members.app, git_commit_hash: known.commit, git_branch: members.branch },
    ...{ target_api_token_id: target.kind === "token" ? target.token.id : "", message: members.message },
    pr_url: prUrl(app, asked),
    ci: ciContext(ci.provider ?? "", members.ciMetadata, ci.url),
    images: members.images,
    source_tree: "id" in known.tree ? known.tree.id : null,
    title: `Deploy ${members.app} to ${scope}`,
    is_default_branch: members.branch === null ? null : members.branch === settings.app.defaultBranch.value,
    pr: prContext(known),
    commit_authors: authorNames(known.authors),
    range_authors: authorNames(known.rangeAuthors),
    requester: requesterContext(asked),
    target_token: targetContext(target),
    images_pinned: Object.keys(members.images).length > 0,
    first_deploy: activeRelease === "",
    active_release: activeRelease === "" ? null : activeRelease,
    hour: at.getUTCHours(),
    weekday: at.getUTCDay(),
  };
}

function prUrl(app: Application, { settings, known }: AskedDeploy): string | null {
  const number = known.verified?.pull?.number;
  return number === undefined ? null : appLinks(app, settings.app).pull(number);
}

function prContext({ verified, reviewApprovals }: CommitKnown): JsonObject | null {
  const pull = verified?.pull ?? null;
  if (pull === null) return null;
  return { number: pull.number, author: pull.author, draft: pull.draft, approvals: reviewApprovals };
}

function requesterContext({ caller }: AskedDeploy): JsonObject {
  const { person } = caller.actor;
  if (person !== null) return { kind: "person", id: personName(person.id), roles: caller.roles };
  return { kind: "token", id: callingToken(caller), roles: [] };
}

function targetContext(target: DeployTargetFound): JsonObject {
  const owner = ownersOf(target).map(personName);
  if (target.kind === "person") return { id: null, name: null, owner, creator: null };
  const { id, name, createdBy } = target.token;
  return { id, name, owner, creator: createdBy };
}

/** The request's own id is the public one. */
export function recordOf(app: Application, asked: AskedDeploy, id: RequestId, now: Instant): DeployApprovalRecord {
  const { caller, scope, members, target, known } = asked;
  const ci = ciOf(app, asked);
  const sourceTree = sourceTreeOf(asked);
  return {
    ...{ id, requestId: id, orgId: app.orgId, scope, app: members.app, commit: known.commit, branch: members.branch },
    ...{ message: members.message, ciMetadata: members.ciMetadata, images: members.images },
    targetTokenId: target.kind === "token" ? target.token.id : null,
    targetPersonId: target.kind === "person" ? target.id : null,
    createdByTokenId: callingToken(caller),
    createdByPersonId: caller.actor.person?.id ?? null,
    ...{ createdAt: now, version: 0, facts: factsOf(app, asked), ci, ciJoined: [] },
    ...{ warnings: warningsOf(asked, { ci, sourceTree }), sourceTree },
    ...{ sourceDigest: null, objectKey: null, objectUrl: null, uploadCount: 0, builds: [], releaseId: null },
    ...{ promotes: [], processIds: [], execCommands: {}, commands: [], deployedAt: null },
    ...{ deployedByTokenId: null, deployedByPersonId: null, supersededBy: null },
    ...{ imageDigests: withFoundImages([], asked.images, now), imageChange: null, rackState: null, drift: null },
  };
}

function factsOf(app: Application, asked: AskedDeploy): DeployFacts {
  const { caller, members, settings, known, activeRelease } = asked;
  const { verified, lastCommit, changeCount } = known;
  const links = appLinks(app, settings.app);
  return {
    repository: settings.app.vcsRepo.value,
    isDefaultBranch: members.branch === null ? null : members.branch === settings.app.defaultBranch.value,
    commit: verified === null ? null : commitFacts(verified.facts),
    pullRequest: pullFacts(known),
    activeRelease: activeRelease === "" ? null : activeRelease,
    activeCommit: lastCommit,
    changes:
      changeCount === null ? null : { count: changeCount, compareUrl: links.compare(lastCommit ?? "", known.commit) },
    commitUrl: links.commit(known.commit),
    branchUrl: members.branch === null ? null : links.branch(members.branch),
    prUrl: prUrl(app, asked),
    unmatchedAuthors: known.unmatched,
    workload: caller.workload === null ? null : shownWorkload(caller.workload),
  };
}

type Facts = NonNullable<CommitKnown["verified"]>["facts"];

function commitFacts({ message, author, committedAt, tree }: Facts): DeployFacts["commit"] {
  const at = committedAt === null ? Number.NaN : Date.parse(committedAt);
  return {
    title: message.split("\n", 1)[0] ?? "",
    author: author.name === "" ? author.email : author.name,
    committedAt: Number.isNaN(at) ? null : at,
    treeId: tree,
  };
}

function pullFacts({ verified, reviewApprovals }: CommitKnown): DeployFacts["pullRequest"] {
  const pull = verified?.pull ?? null;
  if (pull === null) return null;
  const { number, title, author, draft, open } = pull;
  const state = open ? "open" : "closed";
  return { number, title, author: author ?? "", state, isDraft: draft, approvals: reviewApprovals };
}

/** What is not bound now is not read later either: the request has no other revision (R-REQ-7). */
function sourceTreeOf({ known: { tree } }: AskedDeploy): DeploySourceTree {
  return "id" in tree ? { state: "pending", treeId: tree.id } : { state: "unavailable", why: tree.why };
}

function warningsOf(
  { known, settings }: AskedDeploy,
  { ci, sourceTree }: { readonly ci: DeployCi; readonly sourceTree: DeploySourceTree },
): readonly DeployWarning[] {
  const isChecked = settings.app.verifySource.value !== "off";
  return [
    ...(known.isExpanded ? [warning("commit_expanded", `The commit is ${known.commit}.`)] : []),
    ...(known.whyUnverified === null
      ? []
      : [warning("vcs_not_configured", `The commit and its authors were not checked (${known.whyUnverified}).`)]),
    ...(isChecked ? sourceWarnings(sourceTree) : []),
    ...(ci.ready ? [] : [warning("ci_not_ready", ci.problems.map(({ message }) => message).join("; "))]),
    ...(known.unmatched.length === 0
      ? []
      : [warning("authors_unmatched", `Nobody here goes by: ${known.unmatched.join(", ")}.`)]),
  ];
}

/** At most one, and none while the files are still being read. */
export function sourceWarnings(sourceTree: DeploySourceTree): readonly DeployWarning[] {
  if (sourceTree.state !== "unavailable") return [];
  return [warning(SOURCE_UNVERIFIED, `Uploads cannot be compared with the commit: ${sourceTree.why}.`)];
}

export const SOURCE_UNVERIFIED = "source_unverified";

export function warning(code: string, message: string): DeployWarning {
  return { code, message };
}
