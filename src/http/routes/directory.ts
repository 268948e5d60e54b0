/** The local directory: who is in which role or group (docs/spec/api.md section 6.5). */
import { z } from "zod";
import { deleteDirectoryEntry } from "../../app/delete-directory-entry.ts";
import { putDirectoryEntry } from "../../app/put-directory-entry.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import {
  directoryMembersSchema,
  directoryQuerySchema,
  groupOutSchema,
  groupQuerySchema,
  roleOutSchema,
  roleQuerySchema,
  userOutSchema,
} from "../../contract/directory.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { nameIn } from "../path-values.ts";
import { groupOut, roleOut, userOut } from "../wire/directory-out.ts";

const tag = "directory";

export function directoryRoutes(): readonly Endpoint[] {
  return [users(), ...roleRoutes(), ...groupRoutes()];
}

function users(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/directory/users",
    summary: "People known here",
    tag,
    query: directoryQuerySchema,
    answers: { 200: z.array(userOutSchema) },
    async handle({ query, caller }) {
      const people = await caller.app.reader.people(definedMembers({ q: query.q, limit: query.limit }));
      return ok(people.map(userOut));
    },
  });
}

const NO_SUCH_NAME: Refusal = refuse("directory_entry_not_found", "No role can be called so");

function roleRoutes(): readonly Endpoint[] {
  const url = "/directory/roles/:name";
  return [
    endpoint({
      method: "GET",
      url: "/directory/roles",
      summary: "Roles and who holds them",
      tag,
      query: directoryQuerySchema,
      answers: { 200: z.array(roleOutSchema) },
      async handle({ query, caller }) {
        const entries = await caller.app.reader.directory({
          kind: "role",
          ...definedMembers({ q: query.q, limit: query.limit }),
        });
        return ok(entries.map(roleOut));
      },
    }),
    endpoint({
      method: "PUT",
      url,
      summary: "Say who holds a role",
      tag,
      query: roleQuerySchema,
      body: directoryMembersSchema,
      answers: { 200: roleOutSchema },
      async handle({ params, query, body, caller }) {
        const name = nameIn(params);
        if (name === null) return NO_SUCH_NAME;
        const entry = { kind: "role", client: query.client, name, members: body.members } as const;
        const answer = await putDirectoryEntry(caller.app, caller.actor, entry);
        return isRefusal(answer) ? answer : ok(roleOut(answer));
      },
    }),
    endpoint({
      method: "DELETE",
      url,
      summary: "Remove a role",
      tag,
      query: roleQuerySchema,
      answers: { 204: z.null() },
      async handle({ params, query, caller }) {
        const name = nameIn(params);
        if (name === null) return NO_SUCH_NAME;
        return gone(await deleteDirectoryEntry(caller.app, caller.actor, { kind: "role", client: query.client, name }));
      },
    }),
  ];
}

function groupRoutes(): readonly Endpoint[] {
  const url = "/directory/groups";
  return [
    endpoint({
      method: "GET",
      url,
      summary: "Groups and who is in them",
      tag,
      query: directoryQuerySchema,
      answers: { 200: z.array(groupOutSchema) },
      async handle({ query, caller }) {
        const entries = await caller.app.reader.directory({
          kind: "group",
          ...definedMembers({ q: query.q, limit: query.limit }),
        });
        return ok(entries.map(groupOut));
      },
    }),
    endpoint({
      method: "PUT",
      url,
      summary: "Say who is in a group",
      tag,
      query: groupQuerySchema,
      body: directoryMembersSchema,
      answers: { 200: groupOutSchema },
      async handle({ query, body, caller }) {
        const entry = { kind: "group", client: "", name: query.path, members: body.members } as const;
        const answer = await putDirectoryEntry(caller.app, caller.actor, entry);
        return isRefusal(answer) ? answer : ok(groupOut(answer));
      },
    }),
    endpoint({
      method: "DELETE",
      url,
      summary: "Remove a group",
      tag,
      query: groupQuerySchema,
      answers: { 204: z.null() },
      async handle({ query, caller }) {
        return gone(
          await deleteDirectoryEntry(caller.app, caller.actor, { kind: "group", client: "", name: query.path }),
        );
      },
    }),
  ];
}

function gone(answer: Refusal | object): Outcome {
  return isRefusal(answer) ? answer : NO_CONTENT;
}
