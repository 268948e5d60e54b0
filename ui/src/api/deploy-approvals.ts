import type { UseQueryResult } from "@tanstack/react-query";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { call, query } from "./call.ts";
import type { Answer, Json } from "./read.ts";
import { flag, isObject, jsonObject, list, nothing, nullable, number, object, orElse, text } from "./read.ts";

/** Deploy approvals (docs/spec/deploy.md 2.2 and 11.1); the console reads the members that it shows. */
const readNote = object({ code: orElse(text, ""), message: text });

const readEffect = object({
  kind: text,
  state: text,
  attempts: orElse(number, 0),
  last_error: nullable(text),
  next_at: nullable(text),
});
export type DeployEffect = Answer<typeof readEffect>;

const readBuild = object({ id: nullable(text), status: text, attempt: orElse(number, 1) });
const readImage = object({
  service: text,
  image: text,
  digest: nullable(text),
  why_no_digest: nullable(text),
  first_use: orElse(flag, false),
  built: orElse(flag, false),
});

const readWho = {
  created_by_email: nullable(text),
  created_by_name: nullable(text),
  created_by_api_token_name: nullable(text),
  target_user_email: nullable(text),
  target_api_token_id: orElse(text, ""),
  target_api_token_name: nullable(text),
  approved_by_email: nullable(text),
  approved_by_name: nullable(text),
  rejected_by_email: nullable(text),
  rejected_by_name: nullable(text),
  cancelled_by_email: nullable(text),
  deployed_by_email: nullable(text),
  /** The CI job that asked, as its platform signed it. */
  workload: nullable(object({ name: orElse(text, ""), summary: text })),
};

const readWhen = {
  created_at: text,
  updated_at: nullable(text),
  approved_at: nullable(text),
  approval_expires_at: nullable(text),
  rejected_at: nullable(text),
  cancelled_at: nullable(text),
  expired_at: nullable(text),
  deployed_at: nullable(text),
  request_expires_at: nullable(text),
};

const readRun = {
  object_sha256: nullable(text),
  source_digest: nullable(text),
  /** `pending`, `ready (12 files)` or `unavailable (why)`. */
  source_verification: orElse(text, ""),
  build_id: nullable(text),
  release_id: nullable(text),
  builds: orElse(list(readBuild), []),
  build_attempts: orElse(number, 0),
  promote_attempts: orElse(number, 0),
  exec_commands: orElse(jsonObject, {}),
};

/** What changed between the approval and the latest promote: names of variables, never values. */
const readDrift = object({
  checked_at: text,
  is_environment_known: orElse(flag, true),
  environment: object({
    added: orElse(list(text), []),
    removed: orElse(list(text), []),
    changed: orElse(list(text), []),
  }),
  active_release: nullable(object({ approved: text, found: text })),
});

const readReview = object({ author: orElse(text, "somebody"), state: text });

const readPullRequest = object({
  number,
  title: orElse(text, ""),
  author: orElse(text, ""),
  state: orElse(text, ""),
  draft: orElse(flag, false),
  /** How many reviewers approved it when it was asked. */
  approvals: nullable(number),
  reviews: orElse(list(readReview), []),
});

/** One that comes with the asked commit. */
const readCommit = object({
  sha: text,
  title: orElse(text, ""),
  author: orElse(text, ""),
  committed_at: nullable(text),
  url: nullable(text),
});

const readOutside = {
  commit_url: nullable(text),
  branch_url: nullable(text),
  pr_url: nullable(text),
  pr: nullable(readPullRequest),
  commit: nullable(object({ title: orElse(text, ""), author: orElse(text, ""), committed_at: nullable(text) })),
  /** Since the commit that was deployed last. */
  changes: nullable(object({ count: number, compare_url: nullable(text), commits: orElse(list(readCommit), []) })),
  /** Combined state of the commit’s checks: `success`, `pending`, `failure`. */
  checks: nullable(text),
  /** When version control was last heard; absent before. */
  vcs_read_at: nullable(text),
  /** Of the app on the rack, when it was asked. */
  active_release: nullable(text),
  ci_metadata: nullable(jsonObject),
  ci: nullable(
    object({
      provider: nullable(text),
      ready: orElse(flag, false),
      problems: orElse(list(readNote), []),
      url: nullable(text),
      status: nullable(text),
    }),
  ),
};

const readViewer = object({
  can_approve: orElse(flag, false),
  can_reject: orElse(flag, false),
  can_extend: orElse(flag, false),
  can_cancel: orElse(flag, false),
  why_not: nullable(text),
});

const nobody = { can_approve: false, can_reject: false, can_extend: false, can_cancel: false, why_not: null };

export const readApproval = object({
  public_id: text,
  status: text,
  message: text,
  scope: orElse(text, ""),
  app: text,
  git_commit_hash: text,
  git_branch: nullable(text),
  version: orElse(number, 0),
  payload_digest: nullable(text),
  extensions: orElse(number, 0),
  approval_notes: nullable(text),
  approval_assurance: nullable(text),
  outcome_reason: nullable(text),
  superseded_by: nullable(text),
  policy: nullable(object({ name: text, version: number })),
  approvals: nullable(
    object({
      required: orElse(number, 1),
      given: orElse(number, 0),
      stage: nullable(text),
      remaining: orElse(list(object({ label: text })), []),
    }),
  ),
  images: orElse(list(readImage), []),
  /** A tag that no longer leads to the digest that was recorded. */
  image_change: nullable(object({ service: text, recorded: text, found: text, found_at: nullable(text) })),
  drift: nullable(readDrift),
  warnings: orElse(list(readNote), []),
  unmatched_authors: orElse(list(text), []),
  effects: orElse(list(readEffect), []),
  viewer: orElse(readViewer, nobody),
  ...readWho,
  ...readWhen,
  ...readRun,
  ...readOutside,
});
export type DeployApproval = Answer<typeof readApproval>;

const readPage = object({ deploy_approval_requests: list(readApproval), next_cursor: nullable(text) });
export type DeployApprovals = Answer<typeof readPage>;

const base = "/api/v1/deploy-approval-requests";

function at(id: string): string {
  return `${base}/${encodeURIComponent(id)}`;
}

export interface DeployFilter {
  /** Pending, or approved and not expired; wins over `status`. */
  readonly open?: boolean;
  readonly status?: string | undefined;
  readonly app?: string | undefined;
  readonly scope?: string | undefined;
  readonly branch?: string | undefined;
  readonly commit?: string | undefined;
  readonly q?: string | undefined;
  /** Days of UTC when it was asked, as `2026-11-20`; both are included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number;
}

/** The wire’s `until` is not included. A day that is none is sent as it is: the server says so. */
function dayAfter(day: string): string {
  const start = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(start) ? day : new Date(start + dayMilliseconds).toISOString().slice(0, 10);
}

const dayMilliseconds = 86_400_000;

export function readDeployApprovals(filter: DeployFilter): Promise<DeployApprovals> {
  const search = query({
    only_open: filter.open === true ? "true" : undefined,
    status: filter.status,
    app: filter.app,
    scope: filter.scope,
    git_branch: filter.branch,
    git_commit: filter.commit,
    q: filter.q,
    since: filter.since,
    until: filter.until === undefined ? undefined : dayAfter(filter.until),
    limit: filter.limit ?? 50,
    cursor: filter.cursor,
  });
  return call(readPage, `${base}${search}`);
}

export function useDeployApprovals(filter: DeployFilter, enabled = true): UseQueryResult<DeployApprovals> {
  return useQuery({
    queryKey: ["deploy-approvals", filter],
    queryFn: () => readDeployApprovals(filter),
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** Its id is the engine's: events of the stream name it (`["request", id]`). */
export function useDeployApproval(id: string): UseQueryResult<DeployApproval> {
  return useQuery({ queryKey: ["request", id, "deploy"], queryFn: () => call(readApproval, at(id)) });
}

const readLog = object({
  timestamp: text,
  action: text,
  kind: orElse(text, ""),
  status: text,
  user_email: nullable(text),
  user_name: nullable(text),
  api_token_name: nullable(text),
  details: orElse(text, ""),
  chain_index: number,
  event_hash: orElse(text, ""),
  previous_hash: orElse(text, ""),
});
export type DeployLog = Answer<typeof readLog>;

const readLogs = object({ logs: list(readLog), total: orElse(number, 0) });

export function useDeployLogs(id: string): UseQueryResult<Answer<typeof readLogs>> {
  return useQuery({
    queryKey: ["request", id, "deploy-logs"],
    queryFn: () => call(readLogs, `${at(id)}/audit-logs${query({ limit: 100 })}`),
  });
}

/** Details of an entry are a text of JSON on this wire, cut where it is long. */
export function logDetails({ details }: DeployLog): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(details);
    return isObject(read) ? read : {};
  } catch {
    return {};
  }
}

export type DeployAct = "approve" | "reject" | "extend" | "cancel";

export interface DeployActDraft {
  readonly id: string;
  readonly act: DeployAct;
  readonly notes: string;
  /** What the page showed: another version is refused. */
  readonly version: number;
}

/** Approving and extending prove a factor in the call itself, so it is asked for before anything is sent. */
const proven: readonly DeployAct[] = ["approve", "extend"];
const anyProof = ["passkey", "totp", "backup_code"];

export function actOnDeploy({ id, act, notes, version }: DeployActDraft): Promise<DeployApproval> {
  const written: Readonly<Record<string, Json>> = notes.trim() === "" ? {} : { notes: notes.trim() };
  return call(readApproval, `${at(id)}/${act}`, {
    method: "POST",
    body: written,
    ifMatch: `"${String(version)}"`,
    proveFirst: proven.includes(act) ? anyProof : undefined,
  });
}

/** `index` is its place in the request's list, from 0; the wire counts from 1. */
export function retryEffect(id: string, index: number): Promise<null> {
  return call(nothing, `${at(id)}/effects/${String(index + 1)}/retry`, { method: "POST", body: {} });
}
