/** The reading of machines and their tokens, one statement each (docs/spec/identity.md section 7). */
import type { PersonId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import type { ApiTokenRecord, MachineRecord } from "../../ports/identity-records.ts";
import type { MachineFilter, MachineView, Reader, TokenFilter, TokenView } from "../../ports/reader.ts";
import { sql } from "./named-sql.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, containing, parameters, read, type Parameters } from "./reader-statement.ts";
import type { Sources } from "./reading-wall.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";
import { timestamp } from "./rows.ts";

type MachineReader = Pick<Reader, "machines" | "machine" | "tokens" | "token" | "expiredTokens" | "tokensToWarnOf">;

export function createMachineReader({ own, installation }: Sources, orgId: string): MachineReader {
  return {
    async machines(filter) {
      const { text, values } = machinePage(filter, orgId);
      const rows = await ask<MachineRow>(own, "reader_machines", text, values);
      return pageOf(rows, filter.limit, {
        item: machineView,
        cursor: (row) => encodeCursor("machines", [row.folded, row.id]),
      });
    },
    async machine(id) {
      const [row] = await read(machineSql, own, [orgId, id]);
      return row === undefined ? undefined : machineView(row);
    },
    async tokens(filter) {
      const { text, values } = tokenPage(filter, orgId);
      const rows = await ask<TokenRow>(own, "reader_tokens", text, values);
      return pageOf(rows, filter.limit, {
        item: tokenView,
        cursor: (row) => encodeCursor("tokens", [row.created_text, row.id]),
      });
    },
    async token(id) {
      const [row] = await read(tokenSql, own, [orgId, id]);
      return row === undefined ? undefined : tokenView(row);
    },
    async expiredTokens(now, limit) {
      const rows = await read(expiredSql, installation, [timestamp(now), limit]);
      return rows.map((row) => ({ id: row.id, orgId: row.org_id }));
    },
    async tokensToWarnOf({ now, days, limit }) {
      const rows = await read(warnedSql, installation, [timestamp(now), days, limit]);
      return rows.map((row) => ({ id: row.id, orgId: row.org_id, machineId: row.machine_id }));
    },
  };
}

interface MachineRow extends MachineRecord {
  /** As the database sorts it. */
  readonly folded: string;
  readonly people: readonly {
    readonly id: PersonId;
    readonly assignee: string;
    readonly name: string | null;
    readonly active: boolean;
  }[];
  readonly live_tokens: number;
}

const PEOPLE = `(select coalesce(json_agg(json_build_object('id', person.id, 'assignee', person.assignee,
     'name', person.display_name, 'active', person.status = 'active') order by person.assignee), '[]'::json)
   from people person where person.id = any(t.owners) or person.id in (t.contact_id, t.acts_for_id)) as people`;

const MACHINE = `${selectList(RECORD_TABLES.machine)}, lower(t.name) as folded, ${PEOPLE},
   (select count(*)::integer from api_tokens token where token.machine_id = t.id and token.revoked_at is null
     and (token.expires_at is null or token.expires_at > now())) as live_tokens`;

const machineSql = sql<MachineRow & Record<string, unknown>>(
  "reader_machine",
  `select ${MACHINE} from machines t where t.org_id = $1 and t.id = $2`,
);

const ANY_NAME = /^[^]+$/;

function machinePage(filter: MachineFilter, orgId: string): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `t.org_id = ${$(orgId)}::uuid`,
    filter.retired !== undefined && `t.disabled_at is ${filter.retired ? "not null" : "null"}`,
    filter.ownerId !== undefined && `t.owners @> array[${$(filter.ownerId)}::uuid]`,
    filter.q !== undefined && `t.name ilike ${$(containing(filter.q))}`,
    filter.cursor !== undefined && afterName(filter.cursor, bound),
  ];
  const text = `select ${MACHINE} from machines t where ${allOf(conditions)}
order by lower(t.name), t.id limit ${$(filter.limit + 1)}::integer`;
  return { text, values: bound.values };
}

function afterName(cursor: string, { $ }: Parameters): string {
  const [name, id] = decodeCursor("machines", cursor, [ANY_NAME, CURSOR_ID]);
  return `(lower(t.name), t.id) > (${$(name)}, ${$(id)}::uuid)`;
}

function machineView(row: MachineRow): MachineView {
  return { record: machineOf(row), people: row.people, liveTokens: row.live_tokens };
}

function machineOf(row: MachineRecord): MachineRecord {
  const { id, orgId, kind, name, owners, contactId, actsForId, createdBy, createdAt, disabledAt } = row;
  return { id, orgId, kind, name, owners, contactId, actsForId, createdBy, createdAt, disabledAt };
}

interface TokenRow extends ApiTokenRecord {
  readonly created_text: string;
  /** `to_json` of the machine's row. */
  readonly machine: Omit<MachineRecord, "createdAt" | "disabledAt"> & {
    readonly createdAt: number;
    readonly disabledAt: number | null;
  };
  readonly owner_active: boolean;
  readonly last_used_at: number | null;
}

const TOKEN = `${selectList(RECORD_TABLES.apiToken)}, t.created_at as created_text,
   (select to_json(shown) from (select ${selectList(RECORD_TABLES.machine)} from machines t where t.id = machine.id) shown) as machine,
   cardinality(machine.owners) = 0 or exists (
     select from people person where person.id = any(machine.owners) and person.status = 'active') as owner_active,
   round(extract(epoch from used.used_at) * 1000)::bigint as last_used_at`;

const TOKEN_FROM = `api_tokens t join machines machine on machine.id = t.machine_id
   left join token_uses used on used.token_id = t.id`;

const tokenSql = sql<TokenRow & Record<string, unknown>>(
  "reader_token",
  `select ${TOKEN} from ${TOKEN_FROM} where t.org_id = $1 and t.id = $2`,
);

function tokenPage(filter: TokenFilter, orgId: string): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `t.org_id = ${$(orgId)}::uuid`,
    filter.machineId !== undefined && `t.machine_id = ${$(filter.machineId)}::uuid`,
    filter.ownerId !== undefined && `machine.owners @> array[${$(filter.ownerId)}::uuid]`,
    filter.q !== undefined && nameCondition($(containing(filter.q))),
    filter.live !== undefined && liveCondition(filter.live, filter.now, bound),
    filter.expiresBefore !== undefined && `t.expires_at < ${$(timestamp(filter.expiresBefore))}::timestamptz`,
    filter.expires === "never" && "t.expires_at is null",
    filter.cursor !== undefined && afterCreation(filter.cursor, bound),
  ];
  const text = `select ${TOKEN} from ${TOKEN_FROM} where ${allOf(conditions)}
order by t.created_at desc, t.id desc limit ${$(filter.limit + 1)}::integer`;
  return { text, values: bound.values };
}

function nameCondition(pattern: string): string {
  return `t.name ilike ${pattern} or machine.name ilike ${pattern} or t.last_four ilike ${pattern}`;
}

function liveCondition(live: boolean, now: Instant, { $ }: Parameters): string {
  const isLive = `t.revoked_at is null and machine.disabled_at is null
    and (t.expires_at is null or t.expires_at > ${$(timestamp(now))}::timestamptz)`;
  return live ? isLive : `not (${isLive})`;
}

function afterCreation(cursor: string, { $ }: Parameters): string {
  const [createdAt, id] = decodeCursor("tokens", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(t.created_at, t.id) < (${$(createdAt)}::timestamptz, ${$(id)}::uuid)`;
}

function tokenView(row: TokenRow): TokenView {
  const { id, orgId, machineId, name, prefix, lastFour, scopes, creatorPermissions, limits, createdBy } = row;
  const { createdAt, expiresAt, revokedAt, legacy, exchanged, warnedDays } = row;
  const token = { id, orgId, machineId, name, prefix, lastFour, scopes, creatorPermissions, limits, createdBy };
  return {
    record: { ...token, createdAt, expiresAt, revokedAt, legacy, exchanged, warnedDays },
    machine: machineOf(row.machine),
    ownerActive: row.owner_active,
    lastUsedAt: row.last_used_at,
  };
}

/** The sweep that tells of an end gives every secret its end as well: a token without a live secret was told of. */
const expiredSql = sql<{ id: string; org_id: string }>(
  "reader_expired_tokens",
  `select t.id, t.org_id from api_tokens t where t.expires_at <= $1 and t.revoked_at is null and exists (
     select from token_secrets secret where secret.token_id = t.id and secret.ends_at is null)
   order by t.org_id, t.expires_at limit $2`,
);

/** The least number of days of which the moment lies between the token's making and now, unless it was warned of already. */
const warnedSql = sql<{ id: string; org_id: string; machine_id: string }>(
  "reader_tokens_to_warn_of",
  `select t.id, t.org_id, t.machine_id from api_tokens t join machines machine on machine.id = t.machine_id
   where t.expires_at > $1::timestamptz and t.revoked_at is null and machine.disabled_at is null
     and (select min(days) from unnest($2::integer[]) days
       where t.expires_at - days * interval '24 hours' <= $1::timestamptz
         and t.expires_at - days * interval '24 hours' > t.created_at) < coalesce(t.warned_days, 32767)
   order by t.org_id, t.expires_at limit $3`,
);
