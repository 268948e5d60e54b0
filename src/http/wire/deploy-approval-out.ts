/** A deploy approval request on the wire: the members that clients of the deploy gate know, and ours (docs/spec/deploy.md section 2.2). */
import { statusOf, wireVersion } from "../../app/deploy/act-on-approval.ts";
import { approvalStanding } from "../../app/deploy/approval-standing.ts";
import type { DeployIdentity } from "../../app/deploy/deploy-caller.ts";
import { approvalProgress, viewerRights, type ViewerRights } from "../../app/deploy/deploy-reads.ts";
import type { Application } from "../../app/application.ts";
import { requestPage } from "../../app/request-page.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { PersonId } from "../../core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Decision, Request } from "../../core/request.ts";
import { isDrift } from "../../gates/deploy/drift.ts";
import { endedAt, type DeployStatus } from "../../gates/deploy/deploy-status.ts";
import type { DeployApprovalView, DeployPerson } from "../../ports/deploy-reader.ts";
import type {
  DeployApprovalRecord,
  DeployPullRequest,
  DeploySourceTree,
  DeployVcsChanges,
  DeployVcsFactsRecord,
} from "../../ports/deploy-records.ts";

/** With what version control was last heard to say, for whoever reviews it. */
export function reviewedApprovalOut(
  app: Application,
  view: DeployApprovalView,
  { caller, outside }: { readonly caller: DeployIdentity; readonly outside: DeployVcsFactsRecord | null },
): JsonObject {
  const shown = deployApprovalOut(app, view, caller);
  return outside === null ? shown : { ...shown, ...outsideOut(outside, shown) };
}

/** Without a caller it says nothing of what anybody may do: so it is told to other systems. */
export function deployApprovalOut(
  app: Application,
  view: DeployApprovalView,
  caller: DeployIdentity | null = null,
): JsonObject {
  const { record, request } = view;
  const status = statusOf(app, view);
  const end = endedAt(approvalStanding(request, record), app.clock());
  return {
    ...{ public_id: record.id, page_url: requestPage(app.identity.publicUrl, request) },
    ...{ message: record.message, status, app: record.app, scope: record.scope },
    ...{ created_at: wireTime(record.createdAt), updated_at: wireTime(request.updatedAt), version: wireVersion(view) },
    ...askedBy(view),
    ...approvedOut(view),
    ...endOut(view, status, end),
    ...changedOut(record),
    ...commitOut(view),
    ...ranOut(view),
    ...{ payload_digest: request.digest, request_expires_at: wireTime(request.expiresAt) },
    extensions: request.grant?.extensions ?? 0,
    policy: { name: request.policy.key, version: request.policy.version },
    approvals: progressOut(view),
    ci: ciOut(view),
    ...given({ ci_joined: [...record.ciJoined] }),
    effects: view.effects.map((effect) => effectOut(app, effect)),
    warnings: record.warnings.map(({ code, message }) => ({ code, message })),
    unmatched_authors: [...record.facts.unmatchedAuthors],
    ...given({ workload: record.facts.workload }),
    ...(caller === null ? {} : { viewer: rightsOut(viewerRights(caller, view, status)) }),
  };
}

/** Without the members that have nothing to say. */
function given(members: Members): JsonObject {
  const told = Object.entries(members).filter((entry): entry is [string, JsonValue] => !isEmpty(entry[1]));
  return Object.fromEntries(told);
}

function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function time(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : wireTime(at);
}

function personOf({ people }: DeployApprovalView, id: PersonId | string | null | undefined): DeployPerson | undefined {
  return people.find((person) => person.id === id);
}

function tokenName({ tokens }: DeployApprovalView, id: string | null): string | null {
  return tokens.find((token) => token.id === id)?.name ?? null;
}

function askedBy(view: DeployApprovalView): JsonObject {
  const { record } = view;
  const person = personOf(view, record.createdByPersonId);
  return {
    target_api_token_id: record.targetTokenId ?? "",
    ...given({
      created_by_email: person?.email,
      created_by_name: person?.name,
      created_by_api_token_id: record.createdByTokenId,
      created_by_api_token_name: tokenName(view, record.createdByTokenId),
      target_api_token_name: tokenName(view, record.targetTokenId),
      target_user_email: personOf(view, record.targetPersonId)?.email,
    }),
  };
}

function approvedOut(view: DeployApprovalView): JsonObject {
  const { grant } = view.request;
  const last = decisionsOf(view.request, "approve").at(-1);
  const isApproved = grant !== null;
  const person = isApproved ? personOf(view, last?.personId) : undefined;
  return given({
    approved_by_email: person?.email,
    approved_by_name: person?.name,
    approved_by_user_id: person?.number,
    approved_at: time(grant?.notBefore),
    approval_expires_at: time(grant?.expiresAt),
    approval_assurance: isApproved && last !== undefined ? assuranceOf(last) : null,
    approval_notes: notesOf(view),
  });
}

/** Those that still count, oldest first. */
function decisionsOf({ stages }: Request, action: Decision["action"]): readonly Decision[] {
  return stages
    .flatMap(({ decisions }) => decisions)
    .filter((decision) => decision.action === action && decision.voidedAt === null)
    .toSorted((one, other) => one.createdAt - other.createdAt);
}

function assuranceOf({ assurance, method }: Decision): string | null {
  if (assurance === "signed") return "signed";
  if (method === null) return null;
  return `mfa:${method === "passkey" ? "webauthn" : method}`;
}

/** What those who decided wrote; a later word follows the earlier ones (docs/spec/deploy.md R-STATE-2). */
function notesOf({ request }: DeployApprovalView): string {
  const { stages, outcome, grant } = request;
  const said = stages
    .flatMap(({ decisions }) => decisions)
    .toSorted((one, other) => one.createdAt - other.createdAt)
    .map(({ comment }) => comment);
  const administrative = outcome?.cause === "rejected" ? outcome.comment : null;
  const takenBack = grant?.revokedReason === "rejected" ? grant.revokedComment : null;
  return [...said, administrative, takenBack].filter((note) => note !== null && note !== "").join("\n\n");
}

function endOut(view: DeployApprovalView, status: DeployStatus, at: number | null): JsonObject {
  const end = END_MEMBERS[status]({ view, at, endedAt: time(view.end?.at ?? at), by: enderOf(view) });
  return given({ ...deployedMembers(view, view.record.deployedAt), ...end });
}

interface End {
  readonly view: DeployApprovalView;
  /** When it ended, as far as it has. */
  readonly at: number | null;
  readonly endedAt: string | null;
  readonly by: DeployPerson | undefined;
}

type Members = Readonly<Record<string, JsonValue | undefined>>;

const END_MEMBERS: Readonly<Record<DeployStatus, (end: End) => Members>> = {
  pending: () => ({}),
  approved: () => ({}),
  rejected: ({ view, endedAt: rejectedAt, by }) => ({
    ...{ rejected_at: rejectedAt, rejected_by_email: by?.email, rejected_by_name: by?.name },
    outcome_reason: reasonOf(view.request),
  }),
  cancelled: ({ view, endedAt: cancelledAt, by }) => ({
    ...{ cancelled_at: cancelledAt, cancelled_by_email: by?.email, outcome_reason: reasonOf(view.request) },
  }),
  superseded: ({ view }) => ({
    superseded_by: view.request.outcome?.supersededBy,
    outcome_reason: "superseded by a newer request",
  }),
  expired: ({ view, at }) => ({
    expired_at: time(at),
    outcome_reason: view.request.grant === null ? "nobody decided in time" : "the approval's window ended",
  }),
  deployed: ({ view, at }) => deployedMembers(view, view.record.deployedAt ?? at),
};

/** Also of an approval that was taken back while the rack was deploying: that is not undone, and told (docs/spec/deploy.md R-STATE-9). */
function deployedMembers(view: DeployApprovalView, at: number | null): Members {
  return {
    deployed_at: time(at),
    deployed_by_api_token_id: view.record.deployedByTokenId,
    deployed_by_email: personOf(view, view.record.deployedByPersonId)?.email,
  };
}

function enderOf(view: DeployApprovalView): DeployPerson | undefined {
  const { end, people, request } = view;
  const decided = decisionsOf(request, "reject").at(-1);
  if (end === null || end.type === "request_rejected") return personOf(view, decided?.personId);
  return people.find(({ assignee }) => assignee === end.actorId);
}

const TOKEN_DELETED = "target token deleted";

function reasonOf({ outcome, grant }: Request): string | null {
  if (outcome?.cause === "token_deleted") return TOKEN_DELETED;
  return grant === null ? (outcome?.comment ?? outcome?.reason ?? null) : grant.revokedComment;
}

function commitOut({ record, request }: DeployApprovalView): JsonObject {
  const { facts } = record;
  const { pullRequest: pr, commit, changes } = facts;
  const prUrl = request.context["pr_url"];
  return {
    git_commit_hash: record.commit,
    source_verification: sourceText(record.sourceTree),
    images: imagesOut(record),
    ...given({
      git_branch: record.branch,
      pr_url: typeof prUrl === "string" ? prUrl : facts.prUrl,
      ci_metadata: record.ciMetadata,
      commit_url: facts.commitUrl,
      branch_url: facts.branchUrl,
      pr: pullRequestOut(pr),
      active_release: facts.activeRelease,
      commit:
        commit === null
          ? null
          : { title: commit.title, author: commit.author, ...given({ committed_at: time(commit.committedAt) }) },
      changes: changes === null ? null : { count: changes.count, ...given({ compare_url: changes.compareUrl }) },
    }),
  };
}

function pullRequestOut(pr: DeployPullRequest | null): JsonObject | null {
  if (pr === null) return null;
  const { number, title, author, state, isDraft, approvals } = pr;
  return { ...{ number, title, author, state, draft: isDraft }, ...given({ approvals }) };
}

function outsideOut({ facts, readAt }: DeployVcsFactsRecord, shown: JsonObject): JsonObject {
  const { changes, reviews, checks } = facts;
  const { pr } = shown;
  const isReviewed = isJsonObject(pr) && reviews !== null && reviews.length > 0;
  return {
    vcs_read_at: wireTime(readAt),
    ...given({
      checks,
      pr: isReviewed ? { ...pr, reviews: reviews.map(({ author, state }) => ({ author, state })) } : pr,
      changes: changes === null ? shown["changes"] : changesOut(changes),
    }),
  };
}

function changesOut({ count, compareUrl, commits }: DeployVcsChanges): JsonObject {
  return {
    ...{ count, ...given({ compare_url: compareUrl }) },
    commits: commits.map(({ sha, title, author, committedAt, url }) => ({
      ...{ sha, title, author },
      ...given({ committed_at: time(committedAt), url }),
    })),
  };
}

function sourceText(tree: DeploySourceTree): string {
  switch (tree.state) {
    case "pending":
      return "pending";
    case "ready":
      return `ready (${String(tree.fileCount)} ${tree.fileCount === 1 ? "file" : "files"})`;
    case "unavailable":
      return `unavailable (${tree.why})`;
  }
}

/** What the request names, and what was found of each position last. */
function imagesOut({ images, imageDigests }: DeployApprovalRecord): readonly JsonObject[] {
  const shown = new Map(
    Object.entries(images).map(([service, image]) => [
      service,
      { service, image, ...given({ digest: image.split("@")[1] }) },
    ]),
  );
  for (const { key, image, digest, why, firstUse, built } of imageDigests) {
    // What the request names is never built by the rack: that is refused.
    if (built === true && Object.hasOwn(images, key)) continue;
    const judged = given({ digest, why_no_digest: why, first_use: firstUse, built });
    shown.set(key, { service: key, image, ...judged });
  }
  return [...shown.values()];
}

function changedOut({ imageChange, drift }: DeployApprovalRecord): JsonObject {
  return given({
    image_change:
      imageChange === null
        ? null
        : {
            ...{ service: imageChange.key, recorded: imageChange.recorded, found: imageChange.found },
            found_at: wireTime(imageChange.at),
          },
    drift: drift === null || !isDrift(drift) ? null : driftOut(drift),
  });
}

function driftOut({ at, environment, base }: NonNullable<DeployApprovalRecord["drift"]>): JsonObject {
  const { added, removed, changed } = environment ?? { added: [], removed: [], changed: [] };
  return {
    ...{ checked_at: wireTime(at), is_environment_known: environment !== null, is_release_known: base !== null },
    environment: { added: [...added], removed: [...removed], changed: [...changed] },
    ...given({ active_release: base === null ? null : { approved: base.approved, found: base.found } }),
  };
}

function ranOut({ record, objectSha256 }: DeployApprovalView): JsonObject {
  const builds = record.builds.flatMap(({ id, status, attempt }) => (id === null ? [] : [{ id, status, attempt }]));
  return {
    ...{ builds, build_attempts: record.builds.length, promote_attempts: record.promotes.length },
    ...given({
      object_url: record.objectUrl,
      build_id: builds.at(-1)?.id,
      release_id: record.releaseId,
      process_ids: [...record.processIds],
      exec_commands: record.execCommands,
      object_sha256: objectSha256,
      source_digest: record.sourceDigest,
    }),
  };
}

function progressOut(view: DeployApprovalView): JsonObject {
  const { stage, required, given: votes, remaining } = approvalProgress(view);
  const names = remaining.map(({ kind, label }) => ({ kind, label }));
  return { required, given: votes, ...given({ stage }), remaining: names };
}

function ciOut({ record: { ci }, effects }: DeployApprovalView): JsonObject {
  const told = effects.findLast(({ kind }) => kind === "deploy.ci");
  return {
    ready: ci.ready,
    problems: ci.problems.map(({ code, message }) => ({ code, message })),
    ...given({ provider: ci.provider, url: ci.url, status: ci.provider === null ? null : told?.state }),
  };
}

function effectOut(app: Application, effect: DeployApprovalView["effects"][number]): JsonObject {
  const { kind, state, attempts, lastError, dueAt } = effect;
  // Its time comes and goes without a mail while none can be sent.
  if (kind === "deploy.mail" && state === "pending" && app.settings.notifier === undefined) {
    return { kind, state: "not_configured", attempts, last_error: "It waits until mail is set up on this server" };
  }
  const next = state === "pending" ? wireTime(dueAt) : null;
  return { kind, state, attempts, ...given({ last_error: lastError?.message, next_at: next }) };
}

function rightsOut({ canApprove, canReject, canExtend, canCancel, whyNot }: ViewerRights): JsonObject {
  return {
    ...{ can_approve: canApprove, can_reject: canReject, can_extend: canExtend, can_cancel: canCancel },
    ...given({ why_not: whyNot }),
  };
}
