/** The reading of the audit list, newest first, one statement. */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { AuditFilter, AuditLine, Reader } from "../../ports/reader.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, parameters, type Parameters } from "./reader-statement.ts";
import type { Asked } from "./reading-wall.ts";
import { instant, timestamp } from "./rows.ts";

export function createAuditReader(own: Asked, orgId: string): Pick<Reader, "audit"> {
  return {
    async audit(filter) {
      const { text, values } = auditPage(filter, orgId);
      const rows = await ask<AuditRow>(own, "reader_audit", text, values);
      return pageOf(rows, filter.limit, {
        item: auditLine,
        cursor: (row) => encodeCursor("audit", [row.occurred_at, row.id]),
      });
    },
  };
}

interface AuditRow {
  readonly id: string;
  readonly entry_seq: number;
  readonly occurred_at: string;
  readonly actor: string;
  readonly actor_email: string | null;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly summary: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly metadata: JsonObject;
}

function auditPage(filter: AuditFilter, orgId: string): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `org_id = ${$(orgId)}::uuid`,
    filter.actor !== undefined && `actor = ${$(filter.actor)}`,
    filter.action !== undefined && `action = ${$(filter.action)}`,
    filter.resourceType !== undefined && `resource_type = ${$(filter.resourceType)}`,
    filter.resourceId !== undefined && `resource_id = ${$(filter.resourceId)}`,
    filter.since !== undefined && `occurred_at >= ${$(timestamp(filter.since))}::timestamptz`,
    filter.until !== undefined && `occurred_at < ${$(timestamp(filter.until))}::timestamptz`,
    filter.cursor !== undefined && afterCursor(filter.cursor, bound),
  ];
  const text = `select id, entry_seq, occurred_at, actor, actor_email, action, resource_type, resource_id, summary, before, after, metadata
from audit_records where ${allOf(conditions)} order by occurred_at desc, id desc limit ${$(filter.limit + 1)}::integer`;
  return { text, values: bound.values };
}

function afterCursor(cursor: string, { $ }: Parameters): string {
  const [occurredAt, id] = decodeCursor("audit", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(occurred_at, id) < (${$(occurredAt)}::timestamptz, ${$(id)}::uuid)`;
}

function auditLine(row: AuditRow): AuditLine {
  return {
    id: row.id,
    occurredAt: instant(row.occurred_at),
    actor: row.actor,
    actorEmail: row.actor_email,
    action: row.action,
    resourceType: row.resource_type,
    resourceId: row.resource_id,
    summary: row.summary,
    before: row.before,
    after: row.after,
    metadata: row.metadata,
    position: row.entry_seq,
  };
}
