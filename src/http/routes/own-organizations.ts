/** The organizations that somebody belongs to by their own doing (docs/spec/identity.md section 4). */
import { joinOrganization } from "../../app/join-organization.ts";
import { organizationsOf } from "../../app/who-am-i.ts";
import { isRefusal } from "../../core/refusal.ts";
import { joinedOrganizationSchema, joinOrganizationSchema } from "../../contract/organizations.ts";
import { created } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";

export function ownOrganizationRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/me/organizations",
      summary: "Accept another organization's invitation as who you are",
      tag: "self",
      body: joinOrganizationSchema,
      answers: { 201: joinedOrganizationSchema },
      async handle({ caller, body }) {
        const joined = await joinOrganization(caller.app, caller.actor, body.token);
        if (isRefusal(joined)) return joined;
        const [organization] = await organizationsOf(caller.app.forOrganization(joined.orgId));
        return created({ organization: { id: joined.orgId, name: organization?.name ?? "" } });
      },
    }),
  ];
}
