/**
 * What may the entries of the approval engine and its gates say? One closed schema per kind.
 * Implements the rows request, task, decision, grant, gate, break-glass, deploy, certificate and policy of
 * docs/spec/ledger.md section 5. Commitments carry what is personal (R-PRIV-1).
 */
import type { KindSchema } from "./kind-schema.ts";

const REVISION = {
  policy: "digest",
  revision: "ordinal",
  requester: "party|null",
  expires_at: "time|null",
  message: "commitment|null",
  "on_behalf_of?": "party|null",
  "artifact?": "commitment|null",
  "carried?": { list: "id" },
} as const satisfies KindSchema;

const CANDIDATES = {
  list: {
    members: { task: "task", person: "person", seat: "id|null", kind: "code", "rule?": "count|null" },
  },
} as const;

const EXCLUDED = { list: { members: { person: "person", why: "code" } } } as const;

const ENDED = {
  revision: "ordinal",
  "stages?": "count",
  "decisions?": "count",
  "reason_code?": "code|null",
  "reason?": "commitment|null",
} as const satisfies KindSchema;

const TASK = { task: "task", stage: "ordinal" } as const satisfies KindSchema;

/** What a passkey signed; all members present. */
const STATEMENT = {
  v: "ordinal",
  type: "statementType",
  org: "org",
  request: "request",
  revision: "ordinal",
  stage: "ordinal",
  task: "task",
  gate: "code",
  decision: "code",
  approver: "person",
  on_behalf_of: "person|null",
  policy: { members: { key: "key", version: "ordinal", digest: "digest" } },
  payload: "digest",
  display: "digest",
  reason: "commitment|null",
  checkpoint: { members: { origin: "origin", size: "count", root: "base64" } },
  shown_at: "time",
  not_after: "time",
  nonce: "base64url",
} as const satisfies KindSchema;

const ASSERTION = {
  authenticator_data: "base64url",
  client_data: "base64url",
  signature: "base64url",
  credential_digest: "digest",
  "batch?": { members: { root: "hash", index: "count", size: "ordinal", path: { list: "hash" } } },
} as const satisfies KindSchema;

const DEPLOY_CALL = {
  "app?": "commitment|null",
  "object_digest?": "digest|null",
  "build?": "commitment|null",
  "release?": "commitment|null",
  "images?": { list: "digest" },
  "manifest_digest?": "digest|null",
  "command_digest?": "digest|null",
  "keys_changed?": "count",
  "exit_code?": "integer|null",
  "status?": "count|null",
  "duration_ms?": "count",
} as const satisfies KindSchema;

const CERTIFICATE = {
  "spki?": "digest|null",
  "sans_digest?": "digest|null",
  "serial_digest?": "digest|null",
  "not_after?": "time|null",
  "profile?": "key|null",
  "ca?": "key|null",
  "reason_code?": "code|null",
  "certificate_digest?": "digest|null",
} as const satisfies KindSchema;

const ISSUANCE = {
  grant: "grant",
  attempt: "ordinal",
  "serial_digest?": "digest|null",
  "tbs_digest?": "digest|null",
} as const satisfies KindSchema;

const POLICY = {
  key: "key",
  version: "ordinal",
  digest: "digest",
  "replaced?": "ordinal|null",
  "change_request?": "request|null",
} as const satisfies KindSchema;

/** Things that are configured by name and need not have versions: calendars, profiles, freezes. */
const CONFIGURED = {
  key: "key",
  "version?": "ordinal|null",
  "digest?": "digest|null",
  "replaced?": "ordinal|null",
  "change_request?": "request|null",
} as const satisfies KindSchema;

const BREAK_GLASS = {
  "scope?": "code|null",
  "incident?": "commitment|null",
  "reason?": "commitment|null",
  "until?": "time|null",
  "skipped?": { list: "person" },
  "outcome?": "code|null",
} as const satisfies KindSchema;

export const KINDS_OF_APPROVAL = {
  "request.created": REVISION,
  "request.revised": REVISION,
  "request.resolved": { stage: "ordinal", tasks: CANDIDATES, excluded: EXCLUDED, "attempt?": "ordinal" },
  "request.resolution_failed": { stage: "ordinal", attempt: "ordinal", cause: "code", "excluded?": EXCLUDED },
  "request.stage_started": {
    stage: "ordinal",
    mode: "code",
    needed: "count",
    seats: "count",
    due_at: "time|null",
  },
  "request.stage_skipped": { stage: "ordinal", reason_code: "code" },
  "request.stage_completed": {
    stage: "ordinal",
    outcome: "code",
    "mode?": "code",
    "needed?": "count",
    "seats?": "count",
    "reason_code?": "code|null",
  },
  "request.stage_escalated": { stage: "ordinal", added: { list: "person" }, "due_at?": "time|null" },
  "request.quorum_skipped": { stage: "ordinal", skipped: { list: "person" } },
  "request.approved": {
    revision: "ordinal",
    stages: "count",
    decisions: "count",
    "reason_code?": "code|null",
    "reason?": "commitment|null",
  },
  "request.rejected": { ...ENDED },
  "request.cancelled": { ...ENDED },
  "request.expired": { ...ENDED },
  "request.superseded": { ...ENDED, by_request: "request|null" },
  "request.sent_back": { reason: "commitment|null" },
  "request.held": { until: "time|null", "name?": "code|null", "reason?": "commitment|null" },
  "request.reminded": { name: "code", "until?": "time|null" },
  "request.commented": { text: "commitment" },
  "request.viewed": { view: "id|null", display: "digest|null" },
  "task.claimed": { ...TASK },
  "task.released": { ...TASK, "reason?": "commitment|null" },
  "task.reassigned": { ...TASK, from: "person", to: "person", "new_task?": "task", "reason?": "commitment|null" },
  "task.delegated": { ...TASK, from: "person", to: "person", "rule?": "id|null", "reason?": "commitment|null" },
  "task.delegation_skipped": {
    stage: "ordinal",
    from: "person",
    to: "party",
    "task?": "task|null",
    "rule?": "id|null",
    "reason_code?": "code",
    "reason?": "commitment|null",
  },
  "task.expired": { ...TASK, "from?": "person|null" },
  "decision.recorded": {
    ...TASK,
    revision: "ordinal",
    decision: "code",
    assurance: "code",
    method: "code|null",
    factor: "factor|null",
    on_behalf_of: "person|null",
    policy: "digest",
    reason: "commitment|null",
    shown_at: "time|null",
    statement: { members: STATEMENT, orNull: true },
    assertion: { members: ASSERTION, orNull: true },
    "reason_code?": "code|null",
    "override?": "boolean",
  },
  "decision.withdrawn": { decision_seq: "count", "cause?": "code|null" },
  "decision.voided": { decision_seq: "count", cause: "code" },
  "grant.issued": { grant: "grant", expires_at: "time|null", uses: "ordinal|null" },
  "grant.extended": { grant: "grant", expires_at: "time|null", "by?": "party|null", "reason?": "commitment|null" },
  "grant.used": { grant: "grant", use: "ordinal", action: "action|null", outcome: "code" },
  "grant.revoked": { grant: "grant", "by?": "party|null", "reason_code?": "code|null", "reason?": "commitment|null" },
  "grant.expired": { grant: "grant" },
  "gate.denied": { action: "action|null", code: "code", grant: "grant|null" },
  "deploy.call_intended": DEPLOY_CALL,
  "deploy.call_ended": DEPLOY_CALL,
  "deploy.call_read": DEPLOY_CALL,
  "deploy.object_uploaded": DEPLOY_CALL,
  "deploy.build_created": DEPLOY_CALL,
  "deploy.release_created": DEPLOY_CALL,
  "deploy.release_promoted": DEPLOY_CALL,
  "deploy.process_started": DEPLOY_CALL,
  "deploy.process_exec_started": DEPLOY_CALL,
  "deploy.process_exec_ended": DEPLOY_CALL,
  "deploy.process_terminated": DEPLOY_CALL,
  "deploy.env_changed": DEPLOY_CALL,
  "deploy.app_changed": DEPLOY_CALL,
  "deploy.rack_changed": DEPLOY_CALL,
  "deploy.rack_params_set": DEPLOY_CALL,
  "deploy.images_resolved": DEPLOY_CALL,
  "deploy.image_changed": DEPLOY_CALL,
  "deploy.drift_found": DEPLOY_CALL,
  "deploy.ci_unblocked": DEPLOY_CALL,
  "certificate.issuance_started": ISSUANCE,
  "certificate.issuance_failed": { ...ISSUANCE, code: "code" },
  "certificate.issued": CERTIFICATE,
  "certificate.revoked": CERTIFICATE,
  "certificate.mismatch": CERTIFICATE,
  "certificate.unapproved_seen": CERTIFICATE,
  "certificate.delivered": { ...CERTIFICATE, "what?": "code" },
  "crl.issued": { ca: "key", number: "count", entries: "count", digest: "digest" },
  "device.enrolled": CERTIFICATE,
  "device.suspended": CERTIFICATE,
  "connector.job_done": CERTIFICATE,
  "ca.changed": CERTIFICATE,
  "policy.drafted": POLICY,
  "policy.activated": POLICY,
  "policy.deactivated": POLICY,
  "profile.changed": CONFIGURED,
  "calendar.changed": CONFIGURED,
  "freeze.started": CONFIGURED,
  "freeze.ended": CONFIGURED,
  "break_glass.opened": BREAK_GLASS,
  "break_glass.used": BREAK_GLASS,
  "break_glass.closed": BREAK_GLASS,
  "break_glass.reviewed": BREAK_GLASS,
} as const satisfies Readonly<Record<string, KindSchema>>;
