/** One line of the audit list as the wire shows it. */
import type { AuditOut } from "../../contract/audit.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { AuditLine } from "../../ports/reader.ts";

export function auditOut(line: AuditLine): AuditOut {
  return {
    id: line.id,
    occurred_at: wireTime(line.occurredAt),
    actor: line.actor,
    actor_email: line.actorEmail,
    action: line.action,
    resource_type: line.resourceType,
    resource_id: line.resourceId,
    summary: line.summary,
    before: line.before,
    after: line.after,
    metadata_: line.metadata,
    metadata: line.metadata,
    entry: line.position,
  };
}
