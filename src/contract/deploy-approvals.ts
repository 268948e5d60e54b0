/** Deploy approval requests as the deploy gate's clients know them (docs/spec/deploy.md sections 2.2 and 11.1). */
import { z } from "zod";

const text = z.string().exactOptional();
const told = z.object({ code: z.string(), message: z.string() });
const metadata = z.record(z.string(), z.json());

/** What stands there only when there is something to say is optional. */
export const deployApprovalSchema = z.object({
  public_id: z.uuid(),
  /** Where a person sees and decides it. */
  page_url: z.string(),
  message: z.string(),
  status: z.enum(["pending", "approved", "rejected", "expired", "cancelled", "superseded", "deployed"]),
  created_at: z.string(),
  updated_at: z.string(),
  created_by_email: text,
  created_by_name: text,
  created_by_api_token_id: text,
  created_by_api_token_name: text,
  /** Empty where it is for a person. */
  target_api_token_id: z.string(),
  target_api_token_name: text,
  target_user_email: text,
  approved_by_email: text,
  approved_by_name: text,
  approved_by_user_id: z.int().exactOptional(),
  approved_at: text,
  approval_expires_at: text,
  approval_assurance: text,
  rejected_by_email: text,
  rejected_by_name: text,
  rejected_at: text,
  approval_notes: text,
  git_commit_hash: z.string(),
  git_branch: text,
  pr_url: text,
  ci_metadata: metadata.exactOptional(),
  app: z.string(),
  object_url: text,
  build_id: text,
  release_id: text,
  process_ids: z.array(z.string()).exactOptional(),
  exec_commands: z.record(z.string(), z.string()).exactOptional(),
  deployed_at: text,
  deployed_by_api_token_id: text,
  deployed_by_email: text,
  expired_at: text,
  cancelled_at: text,
  cancelled_by_email: text,
  superseded_by: text,
  outcome_reason: text,
  scope: z.string(),
  /** Grows with every change; also the ETag. */
  version: z.int(),
  payload_digest: z.string(),
  request_expires_at: z.string(),
  extensions: z.int(),
  policy: z.object({ name: z.string(), version: z.int() }),
  approvals: z.object({
    required: z.int(),
    given: z.int(),
    stage: text,
    remaining: z.array(z.object({ kind: z.literal("person"), label: z.string() })),
  }),
  object_sha256: text,
  source_digest: text,
  /** `pending`, `ready (12 files)` or `unavailable (why)`. */
  source_verification: z.string(),
  builds: z.array(z.object({ id: z.string(), status: z.string(), attempt: z.int() })),
  build_attempts: z.int(),
  promote_attempts: z.int(),
  /**
   * What the request names, and what the images of its manifest led to; without `digest` it is a tag only. `first_use`: neither the
   * commit nor the active build names its repository. `built`: the rack builds it from the uploaded source, and `image` is empty.
   */
  images: z.array(
    z.object({
      ...{ service: z.string(), image: z.string(), digest: text, why_no_digest: text },
      ...{ first_use: z.literal(true).exactOptional(), built: z.literal(true).exactOptional() },
    }),
  ),
  /** A recorded digest that its tag no longer leads to: nothing is deployed any more. */
  image_change: z
    .object({ service: z.string(), recorded: z.string(), found: z.string(), found_at: z.string() })
    .exactOptional(),
  /** What had changed since the approval at the latest promote; absent where nothing had. */
  drift: z
    .object({
      ...{ checked_at: z.string(), is_environment_known: z.boolean(), is_release_known: z.boolean() },
      environment: z.object({
        ...{ added: z.array(z.string()), removed: z.array(z.string()), changed: z.array(z.string()) },
      }),
      active_release: z.object({ approved: z.string(), found: z.string() }).exactOptional(),
    })
    .exactOptional(),
  commit_url: text,
  branch_url: text,
  pr: z
    .object({
      ...{ number: z.int(), title: z.string(), author: z.string(), state: z.string(), draft: z.boolean() },
      /** Reviewers whose last word was to approve, when it was asked. */
      approvals: z.int().exactOptional(),
      /** Of each reviewer the last word: `approved`, `changes_requested`, `dismissed`, `commented`. */
      reviews: z.array(z.object({ author: z.string(), state: z.string() })).exactOptional(),
    })
    .exactOptional(),
  /** Of the app on the rack, when it was asked. */
  active_release: text,
  commit: z.object({ title: z.string(), author: z.string(), committed_at: text }).exactOptional(),
  /** Since the commit that was deployed last. */
  changes: z
    .object({
      ...{ count: z.int(), compare_url: text },
      /** Oldest first, at most 250; only where one request is shown. */
      commits: z
        .array(z.object({ sha: z.string(), title: z.string(), author: z.string(), committed_at: text, url: text }))
        .exactOptional(),
    })
    .exactOptional(),
  /** Of the commit: `success`, `pending`, `failure`, `none`; absent while nobody can tell. */
  checks: text,
  /** When `changes.commits`, `pr.reviews` and `checks` were read. */
  vcs_read_at: text,
  ci: z.object({ provider: text, ready: z.boolean(), problems: z.array(told), url: text, status: text }),
  ci_joined: z.array(metadata).exactOptional(),
  /** `pending`, `done`, `failed`, `withdrawn`; `not_configured` while the server has nothing to do it with. */
  effects: z.array(
    z.object({ kind: z.string(), state: z.string(), attempts: z.int(), last_error: text, next_at: text }),
  ),
  warnings: z.array(told),
  unmatched_authors: z.array(z.string()),
  /** The CI job that asked, as its platform signed it. */
  workload: z.object({ name: z.string(), summary: z.string(), claims: metadata }).exactOptional(),
  /** What the caller of this very call may do. */
  viewer: z
    .object({
      can_approve: z.boolean(),
      can_reject: z.boolean(),
      can_extend: z.boolean(),
      can_cancel: z.boolean(),
      why_not: text,
    })
    .exactOptional(),
});

export const deployApprovalsSchema = z.object({
  deploy_approval_requests: z.array(deployApprovalSchema),
  next_cursor: text,
});

const asked = z.string().max(1_000).exactOptional();

/** Read with the leniency that older clients expect (docs/spec/deploy.md 11.1): see the route. */
export const deployApprovalsQuerySchema = z.object({
  ...{ status: asked, only_open: asked, git_branch: asked, git_commit: asked, app: asked, scope: asked, q: asked },
  /** Of the day or moment when it was asked, as RFC 3339; `until` is not included. */
  ...{ since: asked, until: asked },
  ...{ limit: asked, offset: asked, cursor: asked },
});

export const deployApprovalQuerySchema = z.object({ wait: asked, version: asked });

export const deployEntriesQuerySchema = z.object({ limit: asked, page: asked });

export const deployEntriesSchema = z.object({
  logs: z.array(
    z.object({
      id: z.int(),
      timestamp: z.string(),
      action: z.string(),
      /** Of the ledger's entry; several have the same action. */
      kind: z.string(),
      resource_type: z.literal("deploy_approval_request"),
      resource: z.string(),
      status: z.enum(["success", "denied", "failed", "error"]),
      user_email: text,
      user_name: text,
      user_id: z.int().exactOptional(),
      api_token_name: text,
      deploy_approval_request_id: z.string(),
      /** A JSON text of at most 8,000 characters. */
      details: z.string(),
      /** Sequence in the ledger. */
      chain_index: z.int(),
      previous_hash: z.string(),
      event_hash: z.string(),
    }),
  ),
  total: z.int(),
  page: z.int(),
  limit: z.int(),
});
