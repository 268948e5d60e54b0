/** The audit list in the deploy gate's words (docs/spec/deploy.md R-AUDIT-3): consecutive equal events are one line. */
import { z } from "zod";
import { queryText } from "./query-text.ts";

export const auditQuerySchema = z.object({
  search: queryText(200).exactOptional(),
  action_type: queryText(64).exactOptional(),
  resource_type: queryText(64).exactOptional(),
  status: queryText(16).exactOptional(),
  user: queryText(320).exactOptional(),
  user_id: queryText(36).exactOptional(),
  start: queryText(40).exactOptional(),
  end: queryText(40).exactOptional(),
  range: z.enum(["15m", "1h", "24h", "7d", "30d", "all"]).exactOptional(),
  page: z.string().max(6).exactOptional(),
  limit: z.string().max(6).exactOptional(),
  /** Instead of a page, for depth: `next_cursor` of the page before. */
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .exactOptional(),
});

export const auditLogSchema = z.object({
  id: z.int(),
  first_event_id: z.int(),
  last_event_id: z.int(),
  first_seen: z.string(),
  last_seen: z.string(),
  /** Base64. */
  first_hash: z.string(),
  last_hash: z.string(),
  event_count: z.int(),
  min_response_time_ms: z.int(),
  max_response_time_ms: z.int(),
  avg_response_time_ms: z.int(),
  user_email: z.string(),
  user_name: z.string(),
  api_token_name: z.string().exactOptional(),
  action_type: z.string(),
  action: z.string(),
  resource_type: z.string(),
  resource: z.string(),
  /** Name of the rack; absent for what happened on none. */
  scope: z.string().exactOptional(),
  status: z.enum(["success", "denied", "failed", "error"]),
  http_status: z.int().exactOptional(),
  ip_address: z.string(),
  user_agent: z.string(),
  /** JSON text. */
  details: z.string(),
  deploy_approval_request_id: z.string().exactOptional(),
});
export type AuditLogOut = z.output<typeof auditLogSchema>;

export const auditLogsSchema = z.object({
  logs: z.array(auditLogSchema),
  /** Of the lines that were looked at: the newest 20,000 entries. */
  total: z.int(),
  page: z.int(),
  limit: z.int(),
  next_cursor: z.string().exactOptional(),
});
