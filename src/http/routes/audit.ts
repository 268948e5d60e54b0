/** The audit list (docs/spec/api.md section 6.6). */
import { z } from "zod";
import { auditOutSchema, auditQuerySchema } from "../../contract/audit.ts";
import { listed } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { auditOut } from "../wire/audit-out.ts";

export function auditRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/admin/audit",
      summary: "Who changed what, newest first",
      tag: "administration",
      query: auditQuerySchema,
      answers: { 200: z.array(auditOutSchema) },
      async handle(exchange) {
        const { query } = exchange;
        const page = await exchange.caller.app.reader.audit(
          definedMembers({
            actor: query.actor,
            action: query.action,
            resourceType: query.resource_type,
            resourceId: query.resource_id,
            since: query.since,
            until: query.until,
            limit: query.limit,
            cursor: query.cursor,
          }),
        );
        return listed(page.items.map(auditOut), page.next, exchange);
      },
    }),
  ];
}
