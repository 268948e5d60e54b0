/** A deploy approval request on the wire: the members that clients of the deploy gate know, and ours (docs/spec/deploy.md section 2.2). */
import { statusOf, wireVersion } from "../../app/deploy/act-on-approval.ts";
import { approvalStanding } from "../../app/deploy/approval-standing.ts";
import type { DeployCaller } from "../../app/deploy/deploy-caller.ts";
import { approvalProgress, viewerRights, type ViewerRights } from "../../app/deploy/deploy-reads.ts";
import type { Application } from "../../app/application.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { PersonId } from "../../core/ids.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Decision, Request } from "../../core/request.ts";
import { endedAt, type DeployStatus } from "../../gates/deploy/deploy-status.ts";
import type { DeployApprovalView, DeployPerson } from "../../ports/deploy-reader.ts";
import type { DeploySourceTree } from "../../ports/deploy-records.ts";

/** Without a caller it says nothing of what anybody may do: so it is told to other systems. */
export function deployApprovalOut(
  app: Application,
  view: DeployApprovalView,
  caller: Pick<DeployCaller, "actor"> | null = null,
): JsonObject {
  const { record, request } = view;
  const status = statusOf(app, request);
  const end = endedAt(approvalStanding(request), app.clock());
  return {
    public_id: record.id,
    ...{ message: record.message, status, app: record.app, scope: record.scope },
    ...{ created_at: wireTime(record.createdAt), updated_at: wireTime(request.updatedAt), version: wireVersion(view) },
    ...askedBy(view),
    ...approvedOut(view),
    ...endOut(view, status, end),
    ...commitOut(view),
    ...ranOut(view),
    ...{ payload_digest: request.digest, request_expires_at: wireTime(request.expiresAt) },
    extensions: request.grant?.extensions ?? 0,
    policy: { name: request.policy.key, version: request.policy.version },
    approvals: progressOut(view),
    ci: ciOut(view),
    ...given({ ci_joined: [...record.ciJoined] }),
    effects: view.effects.map(effectOut),
    warnings: record.warnings.map(({ code, message }) => ({ code, message })),
    unmatched_authors: [...record.facts.unmatchedAuthors],
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
  return given(END_MEMBERS[status]({ view, at, endedAt: time(view.end?.at ?? at), by: enderOf(view) }));
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
  deployed: ({ view, at }) => ({
    deployed_at: time(view.record.deployedAt ?? at),
    deployed_by_api_token_id: view.record.deployedByTokenId,
    deployed_by_email: personOf(view, view.record.deployedByPersonId)?.email,
  }),
};

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
    images: Object.entries(record.images).map(([service, image]) => imageOut(service, image)),
    ...given({
      git_branch: record.branch,
      pr_url: typeof prUrl === "string" ? prUrl : facts.prUrl,
      ci_metadata: record.ciMetadata,
      commit_url: facts.commitUrl,
      branch_url: facts.branchUrl,
      pr: pr === null ? null : { number: pr.number, title: pr.title, author: pr.author, state: pr.state },
      commit:
        commit === null
          ? null
          : { title: commit.title, author: commit.author, ...given({ committed_at: time(commit.committedAt) }) },
      changes: changes === null ? null : { count: changes.count, ...given({ compare_url: changes.compareUrl }) },
    }),
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

function imageOut(service: string, image: string): JsonObject {
  return { service, image, ...given({ digest: image.split("@")[1] }) };
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

function effectOut({ kind, state, attempts, lastError, dueAt }: DeployApprovalView["effects"][number]): JsonObject {
  const next = state === "pending" ? wireTime(dueAt) : null;
  return { kind, state, attempts, ...given({ last_error: lastError?.message, next_at: next }) };
}

function rightsOut({ canApprove, canReject, canExtend, canCancel, whyNot }: ViewerRights): JsonObject {
  return {
    ...{ can_approve: canApprove, can_reject: canReject, can_extend: canExtend, can_cancel: canCancel },
    ...given({ why_not: whyNot }),
  };
}
