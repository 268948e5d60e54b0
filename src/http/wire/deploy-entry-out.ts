/** An entry of the ledger as a row of a deploy approval's history (docs/spec/deploy.md R-AUDIT-1, R-AUDIT-3). */
import { auditReading, type AuditReading } from "../../app/deploy/audit-reading.ts";
import type { JsonObject } from "../../core/json.ts";
import type { DeployEntry } from "../../ports/deploy-reader.ts";

export function deployEntryOut(approvalId: string, entry: DeployEntry): JsonObject {
  const read = auditReading(entry.text, entry.openings);
  const person = entry.actor;
  return {
    id: entry.seq,
    ...(read === null ? UNREADABLE : told(read)),
    ...{ resource_type: "deploy_approval_request", resource: approvalId, deploy_approval_request_id: approvalId },
    ...(person === null ? {} : { user_id: person.number, user_name: person.name ?? person.assignee }),
    ...(person?.email == null ? {} : { user_email: person.email }),
    ...(entry.token === null ? {} : { api_token_name: entry.token }),
    ...{ chain_index: entry.seq, previous_hash: entry.previousHash, event_hash: entry.hash },
  };
}

const UNREADABLE = {
  timestamp: "",
  action: "unreadable",
  kind: "unreadable",
  status: "failed",
  details: "{}",
} as const;

function told({ at, action, kind, status, data }: AuditReading): JsonObject {
  return { timestamp: at, action, kind, status, details: detailsText(data) };
}

const DETAILS_MAX = 8_000;

/** Without where a call came from: that is for those who read the whole ledger. */
function detailsText(data: JsonObject): string {
  const text = JSON.stringify(Object.fromEntries(Object.entries(data).filter(([name]) => name !== "ctx")));
  return text.length <= DETAILS_MAX ? text : JSON.stringify({ truncated: true });
}
