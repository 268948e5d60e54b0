/**
 * Where each kind of record is kept: its table, the key, and the type of each column. Members are camelCase, their columns
 * the same words in snake_case; times are milliseconds since 1970 in records and timestamptz in tables.
 */
import type { Instant } from "../../core/person.ts";
import { Bug } from "../../core/refusal.ts";
import type { RecordKind, Records } from "../../ports/records.ts";
import { timestamp } from "./rows.ts";

type ColumnType =
  "uuid" | "text" | "integer" | "smallint" | "bigint" | "boolean" | "json" | "timestamptz" | "text[]" | "uuid[]";

export interface RecordTable<Kind extends RecordKind> {
  readonly table: string;
  readonly key: readonly (keyof Records[Kind] & string)[];
  readonly columns: { readonly [Member in keyof Records[Kind]]: ColumnType };
  /** Followed by the ledger: has entry_seq. */
  readonly state: boolean;
}

/** A table without the types of its records. */
export interface TableShape {
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly state: boolean;
}

const TIMES = { createdAt: "timestamptz" } as const;
const SHORT = { createdAt: "timestamptz", expiresAt: "timestamptz", usedAt: "timestamptz" } as const;

export const RECORD_TABLES: { readonly [Kind in RecordKind]: RecordTable<Kind> } = {
  organization: {
    ...{ table: "organizations", key: ["id"], state: true },
    columns: { id: "uuid", name: "text", slug: "text", status: "text", ...TIMES },
  },
  person: {
    ...{ table: "people", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", assignee: "text", displayName: "text", email: "text", status: "text" },
      ...{ handle: "text", firstSignedInAt: "timestamptz", breakGlass: "boolean", ...TIMES },
    },
  },
  identity: {
    ...{ table: "identities", key: ["issuer", "subject"], state: true },
    columns: {
      ...{ id: "uuid", issuer: "text", subject: "text", personId: "uuid", providerId: "uuid" },
      ...{ ...TIMES, unlinkedAt: "timestamptz" },
    },
  },
  roleGrant: {
    ...{ table: "role_grants", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", personId: "uuid", role: "text", source: "text", createdBy: "text" },
      ...{ ...TIMES, endedAt: "timestamptz" },
    },
  },
  session: {
    ...{ table: "sessions", key: ["tokenHash"], state: true },
    columns: {
      ...{ tokenHash: "text", id: "uuid", orgId: "uuid", personId: "uuid", kind: "text", method: "text" },
      ...{ aal: "smallint", claims: "json", providerId: "uuid", upstreamSession: "text", client: "text" },
      ...{ address: "text", ...TIMES, expiresAt: "timestamptz", lastSeenAt: "timestamptz", idleSeconds: "integer" },
      ...{ factorAt: "timestamptz", factorId: "uuid", endedAt: "timestamptz", endCause: "text" },
    },
  },
  factor: {
    ...{ table: "factors", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", personId: "uuid", type: "text", name: "text", credentialId: "text", publicKey: "text" },
      ...{ algorithm: "integer", signCount: "bigint", transports: "text[]", aaguid: "text" },
      ...{ backupEligible: "boolean", backedUp: "boolean", rpId: "text", attestation: "text", secret: "text" },
      ...{ ...TIMES, usableAt: "timestamptz", lastUsedAt: "timestamptz", signingDisabledAt: "timestamptz" },
      ...{ disabledAt: "timestamptz", removedAt: "timestamptz" },
    },
  },
  password: {
    ...{ table: "passwords", key: ["personId"], state: true },
    columns: { personId: "uuid", hash: "text", changedAt: "timestamptz" },
  },
  backupCode: {
    ...{ table: "backup_codes", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", personId: "uuid", codeHash: "text", ...TIMES, usedAt: "timestamptz", endedAt: "timestamptz" },
    },
  },
  factorPreference: {
    ...{ table: "factor_preferences", key: ["personId"], state: true },
    columns: { personId: "uuid", method: "text", updatedAt: "timestamptz" },
  },
  trustedDevice: {
    ...{ table: "trusted_devices", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", personId: "uuid", tokenHash: "text", browser: "text", ...TIMES, expiresAt: "timestamptz" },
      ...{ lastUsedAt: "timestamptz", revokedAt: "timestamptz" },
    },
  },
  oneTimeLink: {
    ...{ table: "one_time_links", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", kind: "text", tokenHash: "text", personId: "uuid", createdBy: "text" },
      ...{ ...SHORT, replacedAt: "timestamptz" },
    },
  },
  machine: {
    ...{ table: "machines", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", kind: "text", name: "text", owners: "uuid[]", contactId: "uuid" },
      ...{ actsForId: "uuid", createdBy: "text", ...TIMES, disabledAt: "timestamptz" },
    },
  },
  apiToken: {
    ...{ table: "api_tokens", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", machineId: "uuid", name: "text", prefix: "text", lastFour: "text" },
      ...{ scopes: "text[]", creatorPermissions: "text[]", limits: "json", createdBy: "text", ...TIMES },
      ...{ expiresAt: "timestamptz", revokedAt: "timestamptz", legacy: "boolean", exchanged: "json" },
      warnedDays: "smallint",
    },
  },
  tokenSecret: {
    ...{ table: "token_secrets", key: ["tokenHash"], state: true },
    columns: { tokenHash: "text", tokenId: "uuid", ...TIMES, endsAt: "timestamptz" },
  },
  identityProvider: {
    ...{ table: "identity_providers", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", name: "text", issuer: "text", clientId: "text", clientSecret: "text" },
      ...{ settings: "json", enabled: "boolean", ...TIMES, updatedAt: "timestamptz", deletedAt: "timestamptz" },
    },
  },
  workloadProvider: {
    ...{ table: "workload_providers", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", machineId: "uuid", name: "text", preset: "text", issuer: "text" },
      ...{ audience: "text", subjects: "text[]", claims: "json", scopes: "text[]", enabled: "boolean" },
      ...{ limits: "json", bindCommit: "boolean" },
      ...{ ...TIMES, updatedAt: "timestamptz", deletedAt: "timestamptz" },
    },
  },
  setting: {
    ...{ table: "settings", key: ["orgId", "key"], state: true },
    columns: { orgId: "uuid", key: "text", value: "json", updatedBy: "text", updatedAt: "timestamptz" },
  },
  scimResource: {
    ...{ table: "scim_resources", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", kind: "text", externalId: "text", personId: "uuid", groupPath: "text" },
      ...{ attributes: "json", version: "integer", ...TIMES, updatedAt: "timestamptz", deletedAt: "timestamptz" },
    },
  },
  alias: {
    ...{ table: "aliases", key: ["orgId", "name"], state: true },
    columns: { orgId: "uuid", name: "text", folded: "text", personId: "uuid", proof: "text" },
  },
  directoryEntry: {
    ...{ table: "directory_entries", key: ["orgId", "kind", "client", "name"], state: true },
    columns: {
      ...{ orgId: "uuid", kind: "text", client: "text", name: "text", members: "uuid[]", ...TIMES },
      ...{ deleted: "boolean" },
    },
  },
  effect: {
    ...{ table: "effects", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", kind: "text", lane: "text", position: "bigint", requestId: "uuid" },
      ...{ payload: "json", state: "text", attempts: "integer", ...TIMES, dueAt: "timestamptz" },
      ...{ endsAt: "timestamptz", lastError: "json", result: "json", doneAt: "timestamptz" },
    },
  },
  webhookSecret: {
    ...{ table: "webhook_secrets", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", orgId: "uuid", name: "text", callerService: "text", status: "text", secret: "text" },
      ...{ previous: "text", effectiveAt: "timestamptz", previousUntil: "timestamptz", allowedCallers: "text[]" },
      ...{ allowedUrls: "text[]", ...TIMES, revokedAt: "timestamptz" },
    },
  },
  deployApproval: {
    ...{ table: "deploy_approvals", key: ["id"], state: true },
    columns: {
      ...{ id: "uuid", requestId: "uuid", orgId: "uuid", scope: "text", app: "text", commit: "text", branch: "text" },
      ...{ message: "text", ciMetadata: "json", images: "json", targetTokenId: "uuid", targetPersonId: "uuid" },
      ...{ createdByTokenId: "uuid", createdByPersonId: "uuid", ...TIMES, version: "integer", facts: "json" },
      ...{ ci: "json", ciJoined: "json", warnings: "json", sourceTree: "json", sourceDigest: "text" },
      ...{ objectKey: "text", objectUrl: "text", uploadCount: "integer", builds: "json", releaseId: "text" },
      ...{ promotes: "json", processIds: "text[]", execCommands: "json", commands: "json" },
      ...{ deployedAt: "timestamptz", deployedByTokenId: "uuid", deployedByPersonId: "uuid", supersededBy: "uuid" },
      ...{ imageDigests: "json", imageChange: "json", rackState: "json", drift: "json" },
    },
  },
  deployObject: {
    ...{ table: "deploy_objects", key: ["orgId", "scope", "app", "key"], state: true },
    columns: {
      ...{ orgId: "uuid", scope: "text", app: "text", key: "text", url: "text", bytes: "bigint" },
      ...{
        objectSha256: "text",
        sourceDigest: "text",
        manifests: "json",
        approvalIds: "uuid[]",
        tokenId: "uuid",
        personId: "uuid",
      },
      uploadedAt: "timestamptz",
    },
  },
  deploySetting: {
    ...{ table: "deploy_settings", key: ["orgId", "scope", "app", "key"], state: true },
    columns: {
      ...{ orgId: "uuid", scope: "text", app: "text", key: "text", value: "json", updatedBy: "text" },
      updatedAt: "timestamptz",
    },
  },
  chatIntegration: {
    ...{ table: "chat_integrations", key: ["orgId"], state: true },
    columns: {
      ...{ orgId: "uuid", teamId: "text", teamName: "text", botUserId: "text", botToken: "text" },
      ...{ alertsEnabled: "boolean", alertsChannelId: "text", channelActions: "json", connectedBy: "text", ...TIMES },
      ...{ updatedAt: "timestamptz", removedAt: "timestamptz" },
    },
  },
  deployTree: {
    ...{ table: "deploy_trees", key: ["id"], state: false },
    columns: { id: "text", orgId: "uuid", objectFormat: "text", files: "json", readAt: "timestamptz" },
  },
  deployVcsFacts: {
    ...{ table: "deploy_vcs_facts", key: ["approvalId"], state: false },
    columns: { approvalId: "uuid", orgId: "uuid", facts: "json", readAt: "timestamptz" },
  },
  deployArchive: {
    ...{ table: "deploy_archives", key: ["id"], state: false },
    columns: { id: "text", orgId: "uuid", paths: "text", whole: "boolean", expiresAt: "timestamptz" },
  },
  ceremony: {
    ...{ table: "ceremonies", key: ["id"], state: false },
    columns: {
      ...{ id: "uuid", purpose: "text", personId: "uuid", sessionId: "uuid", act: "text", challenge: "text" },
      ...{ data: "json", ...SHORT },
    },
  },
  loginState: {
    ...{ table: "login_states", key: ["id"], state: false },
    columns: {
      ...{ id: "uuid", cookieHash: "text", providerId: "uuid", stateHash: "text", nonce: "text", verifier: "text" },
      ...{ returnTo: "text", linkPersonId: "uuid", linkSessionId: "uuid", ...SHORT },
    },
  },
  cliLogin: {
    ...{ table: "cli_logins", key: ["codeHash"], state: false },
    columns: {
      ...{
        codeHash: "text",
        personId: "uuid",
        authorizedBy: "uuid",
        sessionId: "uuid",
        challenge: "text",
        client: "text",
        ...SHORT,
      },
    },
  },
  view: {
    ...{ table: "views", key: ["id"], state: false },
    columns: {
      ...{ id: "uuid", orgId: "uuid", personId: "uuid", sessionId: "uuid", requestId: "uuid", taskId: "uuid" },
      ...{ revision: "integer", payloadDigest: "text", policy: "json", displayDigest: "text", display: "json" },
      ...{ checkpoint: "json", shownAt: "timestamptz", expiresAt: "timestamptz" },
    },
  },
  statement: {
    ...{ table: "statements", key: ["id"], state: false },
    columns: {
      ...{ id: "uuid", viewId: "uuid", personId: "uuid", sessionId: "uuid", taskId: "uuid", text: "text" },
      ...{ challenge: "text", reason: "json", batch: "json", credentials: "text[]", ...SHORT },
    },
  },
  spentProof: {
    ...{ table: "spent_proofs", key: ["scope", "value"], state: false },
    columns: { scope: "text", value: "text", answer: "json", spentAt: "timestamptz", expiresAt: "timestamptz" },
  },
};

export const RECORD_KINDS: readonly RecordKind[] = recordKinds();

function recordKinds(): readonly RecordKind[] {
  const isKind = (name: string): name is RecordKind => Object.hasOwn(RECORD_TABLES, name);
  return Object.keys(RECORD_TABLES).filter(isKind);
}

/** `tokenHash` → `token_hash`. */
export function columnOf(member: string): string {
  return member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a select lists, so that rows come back as records. */
export function selectList({ columns }: TableShape): string {
  return Object.entries(columns)
    .map(([member, type]) => {
      const column = `t."${columnOf(member)}"`;
      const value = type === "timestamptz" ? `round(extract(epoch from ${column}) * 1000)::bigint` : column;
      return `${value} as "${member}"`;
    })
    .join(", ");
}

/** The condition that finds records by one of several values, the only parameter being their list. */
export function foundBy({ columns, table }: TableShape, by: string): string {
  const type = columns[by];
  if (type === undefined) throw new Bug(`${table} has no member ${by}`);
  if (type === "uuid[]" || type === "text[]") return `t."${columnOf(by)}" && $1::${type}`;
  return `t."${columnOf(by)}" = any($1::${type}[])`;
}

/** Adds the given rows, and replaces those that have the same key. */
export function upsertText({ table, key, columns, state }: TableShape): string {
  const typed = [...Object.entries(columns), ...(state ? ([["entrySeq", "bigint"]] as const) : [])];
  const given = typed.map(([member, type]) => `"${columnOf(member)}" ${type}`).join(", ");
  const names = typed.map(([member]) => columnOf(member));
  const list = names.map((name) => `"${name}"`).join(", ");
  const keys = key.map(columnOf);
  const changes = names.filter((name) => !keys.includes(name)).map((name) => `"${name}" = excluded."${name}"`);
  return `insert into ${table} (${list}) select ${list} from json_to_recordset($1::json) as given(${given})
    on conflict (${keys.map((name) => `"${name}"`).join(", ")}) do update set ${changes.join(", ")}`;
}

/** Adds the given rows, leaving alone those whose key is there already. */
export function insertText({ table, columns }: TableShape): string {
  const given = Object.entries(columns)
    .map(([member, type]) => `"${columnOf(member)}" ${type}`)
    .join(", ");
  const list = Object.keys(columns)
    .map((member) => `"${columnOf(member)}"`)
    .join(", ");
  return `insert into ${table} (${list}) select ${list} from json_to_recordset($1::json) as given(${given}) on conflict do nothing`;
}

/** A record as the row that is sent. */
export function recordRow(
  { columns }: TableShape,
  record: object,
  entrySeq: number | null,
): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = entrySeq === null ? {} : { entry_seq: entrySeq };
  for (const [member, type] of Object.entries(columns)) {
    const value: unknown = Reflect.get(record, member);
    row[columnOf(member)] = type === "timestamptz" && isInstant(value) ? timestamp(value) : value;
  }
  return row;
}

/** What identifies a record among those of its kind. */
export function recordKey({ key }: TableShape, record: object): string {
  return JSON.stringify(key.map((member): unknown => Reflect.get(record, member)));
}

function isInstant(value: unknown): value is Instant {
  return typeof value === "number";
}
