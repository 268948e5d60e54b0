/** Organizations of the installation, for whoever runs it (docs/spec/identity.md section 7). */
import { z } from "zod";
import { createOrganization, renameOrganization, suspendOrganization } from "../../app/change-organization.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { organizationInputSchema, organizationSchema, type OrganizationOut } from "../../contract/organizations.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { OrganizationRecord } from "../../ports/identity-records.ts";
import { created, ok } from "../answers.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { pathText } from "../path-values.ts";

const tag = "organizations";

export function organizationRoutes(): readonly Endpoint[] {
  return [listing(), creating(), renaming(), switching("suspend", "suspended"), switching("reactivate", "active")];
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/orgs",
    summary: "The organizations of this installation",
    tag,
    answers: { 200: z.array(organizationSchema) },
    async handle({ caller }) {
      const found = await caller.app.reader.organizations();
      return ok(found.map(organizationOut));
    },
  });
}

function creating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/orgs",
    summary: "Make an organization",
    tag,
    body: organizationInputSchema,
    answers: { 201: organizationSchema },
    async handle({ caller, body }) {
      const answer = await createOrganization(caller.app, caller.actor, body);
      return isRefusal(answer) ? answer : created(organizationOut(answer));
    },
  });
}

function renaming(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: "/orgs/:id",
    summary: "Rename an organization",
    tag,
    body: organizationInputSchema,
    answers: { 200: organizationSchema },
    async handle({ caller, params, body }) {
      const id = organizationIdIn(params);
      return shown(id === null ? unknown() : await renameOrganization(caller.app, caller.actor, { ...body, id }));
    },
  });
}

function switching(verb: "suspend" | "reactivate", status: "active" | "suspended"): Endpoint {
  return endpoint({
    method: "POST",
    url: `/orgs/:id/${verb}`,
    summary: verb === "suspend" ? "Let none of its credentials in" : "Let its credentials in again",
    tag,
    body: z.strictObject({}),
    answers: { 200: organizationSchema },
    async handle({ caller, params }) {
      const id = organizationIdIn(params);
      return shown(id === null ? unknown() : await suspendOrganization(caller.app, caller.actor, { id, status }));
    },
  });
}

function organizationIdIn(params: Readonly<Record<string, string>>): string | null {
  const id = pathText(params, "id").toLowerCase();
  return z.uuid().safeParse(id).success ? id : null;
}

function unknown(): Refusal {
  return refuse("not_found", "There is no such organization");
}

function shown(answer: OrganizationRecord | Refusal): Reply | Refusal {
  return isRefusal(answer) ? answer : ok(organizationOut(answer));
}

function organizationOut({ id, name, slug, status, createdAt }: OrganizationRecord): OrganizationOut {
  return { id, name, slug, status, created_at: wireTime(createdAt) };
}
