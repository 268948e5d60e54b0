/** What roles there are, and one's own identities (docs/spec/identity.md sections 4 and 6). */
import { z } from "zod";
import { ownIdentities, unlinkIdentity } from "../../app/person-unlink.ts";
import { isId } from "../../core/ids.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import { ROLES } from "../../core/roles.ts";
import { ownIdentitySchema, roleSchema } from "../../contract/people.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { identityOut } from "../wire/person-out.ts";
import { providerNames } from "./people.ts";

export function roleRoutes(): readonly Endpoint[] {
  return [roles(), ...identities()];
}

function roles(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/roles",
    summary: "The roles there are, and what each allows",
    tag: "people",
    answers: { 200: z.array(roleSchema) },
    handle() {
      const all = ROLES.map(({ name, meaning, permissions, holder }) => ({
        ...{ name, meaning, permissions: [...permissions], holder },
      }));
      return Promise.resolve(ok(all));
    },
  });
}

const NOBODY: Refusal = refuse("not_found", "Only people have identities");

function identities(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/me/identities",
      summary: "The identities that are yours",
      tag: "self",
      answers: { 200: z.array(ownIdentitySchema) },
      async handle({ caller }) {
        const { person } = caller.actor;
        if (person === null) return NOBODY;
        const own = await ownIdentities(caller.app, person.id);
        const providers = await providerNames(
          caller,
          own.flatMap(({ providerId }) => providerId ?? []),
        );
        return ok(own.map((identity) => identityOut(identity, providers)));
      },
    }),
    endpoint({
      method: "DELETE",
      url: "/me/identities/:id",
      summary: "Give up one of your identities",
      tag: "self",
      answers: { 204: z.null() },
      async handle({ caller, params }) {
        const { person } = caller.actor;
        const identityId = pathText(params, "id").toLowerCase();
        if (person === null || !isId(identityId)) return NOBODY;
        const about = { personId: person.id, identityId };
        return (await unlinkIdentity(caller.app, caller.actor, about)) ?? NO_CONTENT;
      },
    }),
  ];
}
