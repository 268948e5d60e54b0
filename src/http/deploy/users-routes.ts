/** People in the deploy gate's words: listed, invited, changed, locked and removed (docs/spec/deploy.md 11.3). */
import { z } from "zod";
import { changePerson } from "../../app/change-person.ts";
import { changePersonStatus, type StatusAct } from "../../app/change-person-status.ts";
import { memberOfEmail } from "../../app/deploy/member-of-email.ts";
import { invitePerson } from "../../app/invite-person.ts";
import { isOneself } from "../../app/person-changes.ts";
import { setRoles } from "../../app/role-grants.ts";
import {
  changeDeployUserSchema,
  createDeployUserSchema,
  createdDeployUserSchema,
  deployMessageSchema,
  deployUserSchema,
  lockDeployUserSchema,
  nameDeployUserSchema,
} from "../../contract/deploy-users.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { MemberSummary } from "../../ports/member-reader.ts";
import { created, NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";
import { pathText } from "../path-values.ts";
import { deployRole } from "./deploy-roles.ts";
import { deployUsersOut } from "./user-out.ts";

const tag = "deploy";
const PAGE = 200;
const USERS_MAX = 5_000;
const RENAME: Permission = "gateway:user:update_name";

export function deployUserRoutes(): readonly Endpoint[] {
  return [list(), one(), create(), change(), rename(), remove(), ...locks()];
}

type Addressed = Pick<RawExchange, "caller" | "params">;

function userUnknown(): Refusal {
  return refuse("not_found", "user not found");
}

export async function userIn({ caller, params }: Addressed): Promise<MemberSummary | Refusal> {
  const email = pathText(params, "email").trim();
  const isName = email !== "" && email.length <= 320 && !/\p{Cc}/u.test(email);
  return (isName ? await memberOfEmail(caller.app, email) : undefined) ?? userUnknown();
}

function list(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/users", summary: "The people of the organization", tag },
    answers: { 200: z.array(deployUserSchema) },
    async handle({ caller: { app } }) {
      const members: MemberSummary[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof app.reader.members>> = await app.reader.members({
          limit: PAGE,
          ...(cursor === null ? {} : { cursor }),
        });
        members.push(...page.items.filter(({ record }) => record.status !== "placeholder"));
        cursor = page.next;
      } while (cursor !== null && members.length < USERS_MAX);
      return ok([...(await deployUsersOut(app, members))]);
    },
  });
}

function one(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/users/:email", summary: "A person, by address", tag },
    answers: { 200: deployUserSchema },
    async handle(exchange) {
      const member = await userIn(exchange);
      return isRefusal(member) ? member : shown(exchange.caller, member);
    },
  });
}

async function shown({ app }: Authorized, { record: { id } }: Pick<MemberSummary, "record">): Promise<Outcome> {
  const member = await app.reader.member(id);
  const [out] = member === undefined ? [] : await deployUsersOut(app, [member]);
  return out === undefined ? userUnknown() : ok(out);
}

function create(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/users", summary: "Invite somebody; the link is shown once", tag },
    body: createDeployUserSchema,
    answers: { 201: createdDeployUserSchema },
    async handle({ caller, body }) {
      const [email, name] = [body.email.trim().toLowerCase(), (body.name ?? "").trim()];
      const roles = body.roles ?? [];
      const fault = emailFault(email) ?? rolesFault(roles);
      if (fault !== null) return fault;
      if ((await memberOfEmail(caller.app, email)) !== undefined) return userExists();
      const about = { email, name: name === "" ? null : name, login: null, roles };
      const invited = await invitePerson(caller.app, caller.actor, about);
      if (isRefusal(invited)) return invited.refusal === "already_exists" ? userExists() : invited;
      return created({
        ...{ email, name: name === "" ? email : name, roles },
        created_by_email: caller.actor.email ?? caller.actor.assignee,
        invitation_link: invited.link,
      });
    },
  });
}

function userExists(): Refusal {
  return refuse("already_exists", "user already exists");
}

function emailFault(email: string): Problem | null {
  return z.email().safeParse(email).success ? null : problem("invalid_input", "email is not valid");
}

function rolesFault(roles: readonly string[]): Problem | null {
  const wrong = roles.find((role) => deployRole(role)?.forPeople !== true);
  return wrong === undefined ? null : problem("invalid_input", `invalid role: ${wrong}`);
}

function change(): Endpoint {
  return endpoint({
    ...{ method: "PUT", url: "/users/:email", summary: "Give a person another name, address or other roles", tag },
    body: changeDeployUserSchema,
    answers: { 200: deployUserSchema },
    async handle({ caller, params, body }) {
      const member = await userIn({ caller, params });
      if (isRefusal(member)) return member;
      const fields = fieldsOf(body);
      if ("code" in fields) return fields;
      const { roles, ...attributes } = fields;
      const refused =
        (roles === undefined ? null : await replaceRoles(caller, member, roles)) ??
        (Object.keys(attributes).length === 0 ? null : await attributesChanged(caller, member, attributes));
      return refused ?? shown(caller, member);
    },
  });
}

interface Fields {
  readonly name?: string;
  readonly email?: string;
  readonly roles?: readonly string[];
}

function fieldsOf({ name, email, roles }: z.output<typeof changeDeployUserSchema>): Fields | Problem {
  const fields = definedMembers({
    name: given(name),
    email: given(email)?.toLowerCase(),
    roles: roles ?? undefined,
  });
  if (Object.keys(fields).length === 0) return problem("invalid_input", "no fields provided");
  const emailWrong = fields.email === undefined ? null : emailFault(fields.email);
  return emailWrong ?? rolesFault(fields.roles ?? []) ?? fields;
}

/** What is blank was not given. */
function given(text: string | null | undefined): string | undefined {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? undefined : trimmed;
}

/** Null when it is done. Roles of other families, which these clients do not know, stay. */
async function replaceRoles(
  { app, actor }: Authorized,
  { record, roles }: MemberSummary,
  wanted: readonly string[],
): Promise<Refusal | null> {
  const held = [...new Set(roles.map(({ role }) => role))];
  const foreign = held.filter((role) => deployRole(role) === undefined);
  const all = [...new Set([...wanted, ...foreign])];
  if (all.length === held.length && all.every((role) => held.includes(role))) return null;
  return setRoles(app, actor, { personId: record.id, roles: all });
}

async function attributesChanged(
  { app, actor }: Authorized,
  { record }: MemberSummary,
  attributes: Omit<Fields, "roles">,
): Promise<Refusal | null> {
  const { email } = attributes;
  const other = email === undefined ? undefined : await memberOfEmail(app, email);
  if (other !== undefined && other.record.id !== record.id) return userExists();
  const changed = await changePerson(app, actor, { personId: record.id, ...attributes });
  return isRefusal(changed) ? changed : null;
}

function rename(): Endpoint {
  return endpoint({
    ...{ method: "PUT", url: "/users/:email/name", summary: "Give a person another name; anybody their own", tag },
    body: nameDeployUserSchema,
    answers: { 200: deployUserSchema },
    async handle({ caller, params, body }) {
      const member = await userIn({ caller, params });
      const fault = othersFault(caller, member, RENAME);
      if (fault !== null) return fault;
      if (isRefusal(member)) return member;
      const name = body.name.trim();
      if (name === "") return problem("invalid_input", "name is required");
      return (await attributesChanged(caller, member, { name })) ?? shown(caller, member);
    },
  });
}

/** Whoever may not act on others is not told who there is (R-WIRE-2). */
export function othersFault(
  { actor, permissions }: Authorized,
  member: MemberSummary | Refusal,
  permission: Permission,
): Refusal | null {
  if (permits(permissions, permission)) return null;
  return !isRefusal(member) && isOneself(actor, member.record.id) ? null : userUnknown();
}

function remove(): Endpoint {
  return endpoint({
    ...{ method: "DELETE", url: "/users/:email", summary: "Suspend somebody who has left", tag },
    answers: { 204: z.null() },
    async handle(exchange) {
      const refused = await statusChanged(exchange, "suspend", "removed");
      return refused ?? NO_CONTENT;
    },
  });
}

async function statusChanged(exchange: Addressed, act: StatusAct, reason: string): Promise<Refusal | null> {
  const member = await userIn(exchange);
  if (isRefusal(member)) return member;
  const { app, actor } = exchange.caller;
  const changed = await changePersonStatus(app, actor, { personId: member.record.id, act, reason });
  return isRefusal(changed) ? changed : null;
}

function locks(): readonly Endpoint[] {
  const summaries = { lock: "Lock an account", unlock: "Unlock an account" } as const;
  return (["lock", "unlock"] as const).map((act) =>
    endpoint({
      ...{ method: "POST", url: `/users/:email/${act}`, summary: summaries[act], tag },
      body: lockDeployUserSchema,
      answers: { 200: deployMessageSchema },
      async handle({ caller, params, body }) {
        const given = (body?.reason ?? "").trim();
        const refused = await statusChanged({ caller, params }, act, given === "" ? "no reason given" : given);
        return refused ?? ok({ message: `user ${act}ed successfully` });
      },
    }),
  );
}
