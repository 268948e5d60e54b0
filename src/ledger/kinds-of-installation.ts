/**
 * What may the entries about the installation itself say: its ledger, processes, people, credentials and settings?
 * Implements the remaining rows of docs/spec/ledger.md section 5, one closed schema per kind.
 */
import type { KindSchema } from "./kind-schema.ts";

const LEDGER_KEY = { vkey: "vkey", reason: "code" } as const satisfies KindSchema;

/** An anchor or a witness, by its configured name. */
const KEEPER = { name: "key", since: "time|null", last_size: "count|null" } as const satisfies KindSchema;

const CHECKED_RANGE = {
  "from?": "count|null",
  "to?": "count|null",
  "result?": "code|null",
  "finding?": "code|null",
  "scope?": "code|null",
  "reason?": "commitment|null",
} as const satisfies KindSchema;

const PROCESS = {
  "version?": "version",
  "schema?": "ordinal",
  "dev?": "boolean",
  "config_digest?": "digest|null",
} as const satisfies KindSchema;

const PERSON = {
  person: "person",
  "source?": "code",
  "email?": "commitment|null",
  "name?": "commitment|null",
  "issuer?": "commitment|null",
  "into?": "person|null",
  "added?": { list: "key" },
  "removed?": { list: "key" },
  "cause?": "code|null",
} as const satisfies KindSchema;

const FACTOR = {
  factor: "factor",
  person: "person",
  "type?": "code",
  "spki?": "base64url|null",
  "alg?": "integer|null",
  "credential_digest?": "digest|null",
  "aaguid?": "uuid|null",
  "backup_eligible?": "boolean|null",
  "usable_at?": "time|null",
  "act?": "code|null",
} as const satisfies KindSchema;

const SESSION = {
  session: "session",
  "method?": "code|null",
  "channel?": "code|null",
  "aal?": "ordinal|null",
  "cause?": "code|null",
  "address?": "commitment|null",
} as const satisfies KindSchema;

const MACHINE = {
  machine: "machine",
  "owners?": { list: "person" },
  "token?": "token|null",
  "scopes?": { list: "permission" },
  "expires_at?": "time|null",
} as const satisfies KindSchema;

const TOKEN = {
  token: "token",
  "machine?": "machine|null",
  "owners?": { list: "person" },
  "scopes?": { list: "permission" },
  "expires_at?": "time|null",
} as const satisfies KindSchema;

const SETTING = {
  "key?": "key",
  "old?": "commitment|null",
  "new?": "commitment|null",
  "scope?": "code|null",
} as const satisfies KindSchema;

const DELEGATION = {
  delegator: "person",
  delegate: "person",
  "key?": "id|null",
  "from?": "time|null",
  "to?": "time|null",
  "scope?": "commitment|null",
} as const satisfies KindSchema;

const EFFECT = {
  effect: "id",
  type: "code",
  attempts: "count",
  "last_code?": "code|null",
} as const satisfies KindSchema;

const ACCESS = {
  code: "code",
  "route?": "route|null",
  "count?": "ordinal",
  "window?": "ordinal",
} as const satisfies KindSchema;

export const KINDS_OF_INSTALLATION = {
  "ledger.created": {
    canonical: "code",
    hash: "code",
    origin: "origin",
    vkey: "vkey",
    "previous_ledger?": {
      members: {
        origin: "origin",
        "checkpoint?": { members: { size: "count", root: "base64" }, orNull: true },
        "report?": "digest|null",
      },
    },
  },
  "ledger.key_added": LEDGER_KEY,
  "ledger.key_retired": LEDGER_KEY,
  "ledger.anchor_failing": KEEPER,
  "ledger.anchor_recovered": KEEPER,
  "ledger.witness_failing": KEEPER,
  "ledger.witness_recovered": KEEPER,
  "ledger.verified": CHECKED_RANGE,
  "ledger.quarantined": CHECKED_RANGE,
  "ledger.released": CHECKED_RANGE,
  "ledger.exported": { range: { members: { from: "count", to: "count" } }, format: "code" },
  "ledger.openings_erased": { count: "count", "person?": "person", "before?": "time" },
  "ledger.pruned": { below: "count" },
  "ledger.org_head": { org: "org", count: "count", last_seq: "count", slice: "hash" },
  "system.started": PROCESS,
  "system.stopped": PROCESS,
  "system.upgraded": PROCESS,
  "system.restored": { ...PROCESS, size: "count", root: "hash" },
  "system.clock_stepped": { ...PROCESS, step_ms: "integer" },
  "person.created": PERSON,
  "person.claimed": PERSON,
  "person.linked": { ...PERSON, "break_glass?": "boolean" },
  "person.unlinked": PERSON,
  "person.merged": PERSON,
  "person.name_moved": PERSON,
  "person.roles_changed": PERSON,
  "person.locked": PERSON,
  "person.unlocked": PERSON,
  "person.suspended": PERSON,
  "person.reactivated": PERSON,
  "person.erased": PERSON,
  "factor.enrolled": FACTOR,
  "factor.removed": FACTOR,
  "factor.vouched": FACTOR,
  "factor.counter_regressed": FACTOR,
  "factor.backup_codes_created": FACTOR,
  "factor.used": FACTOR,
  "session.started": SESSION,
  "session.ended": SESSION,
  "login.refused": {
    cause: "code",
    "session?": "session|null",
    "method?": "code|null",
    "channel?": "code|null",
    "address?": "commitment|null",
  },
  "machine.created": MACHINE,
  "machine.changed": MACHINE,
  "token.created": TOKEN,
  "token.rotated": TOKEN,
  "token.revoked": TOKEN,
  "token.expiring": { ...TOKEN, days: "count" },
  "token.expired": TOKEN,
  "workload.changed": MACHINE,
  "org.created": SETTING,
  "org.suspended": SETTING,
  "org.reactivated": SETTING,
  "setting.changed": { key: "key", old: "commitment|null", new: "commitment|null", "scope?": "code|null" },
  "webhook.changed": SETTING,
  "integration.changed": SETTING,
  "delegation.created": DELEGATION,
  "delegation.ended": DELEGATION,
  "effect.exhausted": EFFECT,
  "effect.retried": EFFECT,
  "access.refused": ACCESS,
  "access.refused_summary": ACCESS,
  "secret.read": { key: "key", "route?": "route|null" },
  "evidence.read": { route: "route|null", "count?": "ordinal" },
} as const satisfies Readonly<Record<string, KindSchema>>;
