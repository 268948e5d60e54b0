/** What one person has to do and has done (docs/spec/api.md section 6.7). */
import { inboxQuerySchema, inboxSchema } from "../../contract/inbox.ts";
import { ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { inboxItem } from "../wire/inbox-item.ts";

export function inboxRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/inbox",
      summary: "Your own tasks",
      tag: "inbox",
      query: inboxQuerySchema,
      answers: { 200: inboxSchema },
      async handle({ query, caller }) {
        const inbox = await caller.app.reader.inbox(
          definedMembers({
            gate: query.gate,
            state: query.state,
            artifactType: query.artifact_type,
            policyKey: query.policy_key,
            q: query.q,
            sort: query.sort,
            cursor: query.cursor,
            limit: query.limit,
          }),
          caller.viewer,
        );
        const now = caller.app.clock();
        return ok({
          items: inbox.items.map((view) => inboxItem(view, now)),
          total: inbox.total,
          cursor: inbox.next,
          counts: { open: inbox.counts.open, done: inbox.counts.done },
        });
      },
    }),
  ];
}
