/** API tokens in the deploy gate's words: made, shown, changed, deleted (docs/spec/deploy.md 11.3, R-TOKEN-1 to R-TOKEN-4). */
import { z } from "zod";
import type { Application } from "../../app/application.ts";
import { callingToken } from "../../app/deploy/deploy-caller.ts";
import { changeDeployToken, deleteDeployToken, tokenUnknown } from "../../app/deploy/change-deploy-token.ts";
import { makeDeployToken, type NewDeployToken } from "../../app/deploy/make-deploy-token.ts";
import { memberOfEmail } from "../../app/deploy/member-of-email.ts";
import {
  changeDeployTokenSchema,
  deployTokenPermissionsSchema,
  deployTokenSchema,
  madeDeployTokenSchema,
  makeDeployTokenSchema,
} from "../../contract/deploy-tokens.ts";
import { standsForProvider } from "../../app/workload-caller.ts";
import { isId, type PersonId } from "../../core/ids.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { deployPermission } from "../../gates/deploy/deploy-permission.ts";
import type { TokenView } from "../../ports/reader.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { isProblem, problem, type Problem } from "../problem.ts";
import { pathText } from "../path-values.ts";
import { DEPLOY_ROLES, deployRole, rolePermissions } from "./deploy-roles.ts";
import { deployTokensOut } from "./token-out.ts";

const tag = "deploy";
const READ: Permission = "gateway:api_token:read";
const PAGE = 200;
/** More than any installation has in use. */
const TOKENS_MAX = 2_000;
const NAME_MAX = 150;

export function deployTokenRoutes(): readonly Endpoint[] {
  return [list(), catalog(), one(), make(), change(), remove()];
}

function list(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/api-tokens", summary: "API tokens: all of them, or your own", tag },
    answers: { 200: z.array(deployTokenSchema) },
    async handle({ caller }) {
      return ok([...(await deployTokensOut(caller.app, await visibleTokens(caller)))]);
    },
  });
}

/** Whoever may read tokens sees all, a person their own, a token itself. */
async function visibleTokens(caller: Authorized): Promise<readonly TokenView[]> {
  const { app, actor, permissions } = caller;
  const isMachine = caller.kind === "api_token";
  const seesAll = !isMachine && permits(permissions, READ);
  if (!seesAll && !isMachine && actor.person === null) return [];
  const owner = seesAll || actor.person === null ? {} : { ownerId: actor.person.id };
  const scope = isMachine ? { machineId: actor.subject } : owner;
  const found = await everyToken(app, scope);
  return isMachine ? found.filter(({ record }) => record.id === callingToken(caller)) : found;
}

async function everyToken(
  app: Application,
  scope: { readonly machineId?: string; readonly ownerId?: PersonId },
): Promise<readonly TokenView[]> {
  const found: TokenView[] = [];
  let cursor: string | null = null;
  do {
    const more: { readonly cursor?: string } = cursor === null ? {} : { cursor };
    const page = await app.reader.tokens({ ...scope, ...more, now: app.clock(), limit: PAGE });
    found.push(...page.items.filter(({ record }) => record.revokedAt === null && isShown(record)));
    cursor = page.next;
  } while (cursor !== null && found.length < TOKENS_MAX);
  return found;
}

/** What somebody made, and what stands for a workload provider (R-OIDC-1). */
function isShown(record: TokenView["record"]): boolean {
  return record.exchanged === null || standsForProvider(record);
}

function one(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/api-tokens/:id", summary: "A token, without its secret", tag },
    answers: { 200: deployTokenSchema },
    async handle({ caller, params }) {
      const id = await tokenIdIn(caller.app, params);
      const seen = id === null ? [] : (await visibleTokens(caller)).filter(({ record }) => record.id === id);
      return shown(caller.app, seen[0]);
    },
  });
}

async function shown(app: Application, view: TokenView | undefined): Promise<Outcome> {
  const [out] = view === undefined ? [] : await deployTokensOut(app, [view]);
  return out === undefined ? tokenUnknown() : ok(out);
}

/** By its public id, or by the number that older clients know. */
async function tokenIdIn(app: Application, params: Readonly<Record<string, string>>): Promise<string | null> {
  const text = pathText(params, "id").toLowerCase();
  if (isId<"token">(text)) return text;
  return /^[1-9][0-9]{0,14}$/.test(text) ? ((await app.reader.tokenNumbered(Number(text))) ?? null) : null;
}

function catalog(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/api-tokens/permissions", summary: "What a token can be given", tag },
    answers: { 200: deployTokenPermissionsSchema },
    handle({ caller }) {
      const permissions = [...new Set(DEPLOY_ROLES.flatMap(({ name }) => rolePermissions(name)))].sort();
      return Promise.resolve(
        ok({
          permissions,
          roles: DEPLOY_ROLES.map(({ name, label, description }) => ({
            ...{ name, label, description, permissions: [...rolePermissions(name)] },
          })),
          ...{ user_roles: [...caller.roles], user_permissions: [...caller.permissions] },
          default_permissions: [...rolePermissions("cicd")],
        }),
      );
    },
  });
}

function make(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/api-tokens", summary: "Make a token; its secret is shown once", tag },
    body: makeDeployTokenSchema,
    answers: { 200: madeDeployTokenSchema },
    async handle({ caller, body, params }) {
      const { app, actor, session } = caller;
      const input = await inputOf(app, params, body);
      if (isProblem(input)) return input;
      const made = await makeDeployToken(app, { actor, session }, input);
      if (isRefusal(made)) return inWords(made);
      const view = await app.reader.token(made.token.id);
      const [out] = view === undefined ? [] : await deployTokensOut(app, [view]);
      if (out === undefined) return tokenUnknown();
      const { id, name, permissions: given } = out;
      return { ...ok({ token: made.secret, id, name, permissions: given, api_token: out }), headers: UNCACHED };
    },
  });
}

async function inputOf(
  app: Application,
  params: Readonly<Record<string, string>>,
  body: z.output<typeof makeDeployTokenSchema>,
): Promise<NewDeployToken | Problem> {
  const name = (body.name ?? "").trim();
  const permissions = askedPermissions(body);
  if (isProblem(permissions)) return permissions;
  const fault = nameFault(name);
  if (fault !== null) return fault;
  const owner = await ownerOf(app, body.user_email ?? "");
  if (isProblem(owner)) return owner;
  const scope = app.deploy.racks.find(params["rack"] ?? null)?.info.name ?? "";
  const { apiTokenMaxDays } = await app.deploy.settings.global(app, scope);
  const { expires_at: until } = body;
  return {
    ...{ name, ownerId: owner.id, permissions, daysMax: apiTokenMaxDays.value, limits: limitsOf(body) },
    expiresAt: typeof until === "string" ? Date.parse(until) : null,
  };
}

function limitsOf({ racks, apps }: z.output<typeof makeDeployTokenSchema>): NewDeployToken["limits"] {
  return definedMembers({ racks: racks ?? undefined, apps: apps ?? undefined });
}

/** What these clients show is the first line. */
function inWords({ refusal, message, ...rest }: Refusal): Refusal | Problem {
  return refusal === "invalid_input" ? problem(refusal, message) : { refusal, message, ...rest };
}

const UNCACHED = { "Cache-Control": "no-store" } as const;

function nameFault(name: string): Problem | null {
  if (name === "") return problem("invalid_input", "token name is required");
  return Array.from(name).length > NAME_MAX ? problem("invalid_input", "token name is too long") : null;
}

interface AskedPermissions {
  readonly role?: string | null | undefined;
  readonly permissions?: readonly string[] | null | undefined;
}

/** `permissions` wins over `role` (R-TOKEN-2). */
function askedPermissions({ role, permissions }: AskedPermissions): readonly Permission[] | Problem {
  if (permissions !== null && permissions !== undefined && permissions.length > 0) return readPermissions(permissions);
  const name = (role ?? "").trim().toLowerCase();
  if (name === "") return problem("invalid_input", "permissions required - specify --role or --permission");
  const known = deployRole(name);
  if (known?.forTokens === true) return rolePermissions(name);
  return problem("invalid_input", `invalid role: ${name} (valid roles: viewer, ops, deployer, cicd, admin)`);
}

function readPermissions(texts: readonly string[]): readonly Permission[] | Problem {
  const read: Permission[] = [];
  for (const text of texts) {
    const permission = deployPermission(text.trim());
    if (permission === null) return problem("invalid_input", `unknown permission: ${text}`);
    if (!read.includes(permission)) read.push(permission);
  }
  return read;
}

async function ownerOf(app: Application, email: string): Promise<{ readonly id: PersonId | null } | Problem> {
  if (email.trim() === "") return { id: null };
  const member = await memberOfEmail(app, email.trim());
  return member === undefined ? problem("not_found", "user not found") : { id: member.record.id };
}

function change(): Endpoint {
  return endpoint({
    ...{ method: "PUT", url: "/api-tokens/:id", summary: "Give a token another name or other permissions", tag },
    body: changeDeployTokenSchema,
    answers: { 200: deployTokenSchema },
    async handle({ caller, body, params }) {
      const { app, actor, session } = caller;
      const tokenId = await tokenIdIn(app, params);
      if (tokenId === null) return tokenUnknown();
      const name = (body.name ?? "").trim();
      const permissions = readPermissions(body.permissions ?? []);
      if (isProblem(permissions)) return permissions;
      const fault = name === "" ? null : nameFault(name);
      if (fault !== null) return fault;
      const asked = { ...(name === "" ? {} : { name }), ...(permissions.length === 0 ? {} : { permissions }) };
      const changed = await changeDeployToken(app, { actor, session }, { tokenId, ...asked });
      return isRefusal(changed) ? changed : shown(app, await app.reader.token(tokenId));
    },
  });
}

function remove(): Endpoint {
  return endpoint({
    ...{ method: "DELETE", url: "/api-tokens/:id", summary: "Delete a token: it is refused from here on", tag },
    answers: { 204: z.null() },
    async handle({ caller, params }) {
      const { app, actor, session } = caller;
      const tokenId = await tokenIdIn(app, params);
      if (tokenId === null) return tokenUnknown();
      return (await deleteDeployToken(app, { actor, session }, tokenId)) ?? NO_CONTENT;
    },
  });
}
