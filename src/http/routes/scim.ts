/** SCIM 2.0: a directory keeps the people and groups of the organization (docs/spec/identity.md section 6, RFC 7644). */
import type { z } from "zod";
import type { ScimGroupAttributes, ScimUserAttributes } from "../../app/scim-attributes.ts";
import { changeScimGroup, createScimGroup, deleteScimGroup } from "../../app/scim-group.ts";
import { scimRefusal, scimUnknown } from "../../app/scim-refusal.ts";
import { changeScimUser, createScimUser, deleteScimUser, type ScimTarget } from "../../app/scim-user.ts";
import { isId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  scimAnswerSchema,
  scimGroupInSchema,
  scimMediaType,
  scimPatchSchema,
  scimQuerySchema,
  scimUserInSchema,
  type ScimGroupIn,
  type ScimUserIn,
} from "../../contract/scim.ts";
import type { ScimFilter, ScimView } from "../../ports/member-reader.ts";
import { NO_CONTENT } from "../answers.ts";
import type { Method } from "../authorization.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Exchange, type Outcome, type Reply } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { patchGroup } from "../scim-patch-group.ts";
import { patchUser } from "../scim-patch-user.ts";
import { parseFilter } from "../scim-path.ts";
import { listOut, providerConfig, resourceTypes, schemas, scimOut, scimVersion, selected } from "../wire/scim-out.ts";

const tag = "scim";
const ROOT = "/scim/v2";

type Kind = "user" | "group";

const PLACE = { user: `${ROOT}/Users`, group: `${ROOT}/Groups` } as const satisfies Record<Kind, string>;

export function scimRoutes(): readonly Endpoint[] {
  return [
    ...about(),
    ...(["user", "group"] as const).flatMap((kind) => [list(kind), one(kind)]),
    ...users(),
    ...groups(),
  ];
}

function about(): readonly Endpoint[] {
  const page = (path: string, summary: string, body: (publicUrl: string) => JsonObject): Endpoint =>
    endpoint({
      ...{ method: "GET", url: `${ROOT}/${path}`, summary, tag, answers: { 200: scimAnswerSchema } },
      handle: ({ caller }) => Promise.resolve(scimReply(200, body(caller.app.identity.publicUrl))),
    });
  const whole = (items: readonly JsonObject[]): JsonObject => listOut(items, { total: items.length, startIndex: 1 });
  return [
    page("ServiceProviderConfig", "What this server can do", providerConfig),
    page("ResourceTypes", "The kinds of resources", (url) => whole(resourceTypes(url))),
    page("Schemas", "The attributes that are kept", (url) => whole(schemas(url))),
  ];
}

function scimReply(status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body, type: scimMediaType, headers };
}

function list(kind: Kind): Endpoint {
  return endpoint({
    method: "GET",
    url: PLACE[kind],
    summary: kind === "user" ? "The people that the directory keeps" : "The groups that the directory keeps",
    tag,
    query: scimQuerySchema,
    answers: { 200: scimAnswerSchema },
    async handle({ caller, query }) {
      const by = filterOf(query.filter);
      if (by !== null && isRefusal(by)) return by;
      const { startIndex, count, attributes, excludedAttributes } = query;
      const found = await caller.app.reader.scimResources({ kind, by, startIndex, count });
      const { publicUrl } = caller.app.identity;
      const items = found.items.map((view) => selected(scimOut(view, publicUrl), attributes, excludedAttributes));
      return scimReply(200, listOut(items, { total: found.total, startIndex }));
    },
  });
}

const FILTERS = { username: "userName", displayname: "displayName", externalid: "externalId", id: "id" } as const;

function filterOf(text: string | undefined): ScimFilter["by"] | Refusal {
  if (text === undefined || text.trim() === "") return null;
  const condition = parseFilter(text);
  const member = Object.entries(FILTERS).find(([name]) => name === condition?.attribute)?.[1];
  if (member === undefined || typeof condition?.value !== "string") {
    return scimRefusal("invalidFilter", 'Filters are: userName, displayName, externalId or id, then eq and a "value"');
  }
  return { member, value: condition.value };
}

function one(kind: Kind): Endpoint {
  return endpoint({
    method: "GET",
    url: `${PLACE[kind]}/:id`,
    summary: kind === "user" ? "One person" : "One group",
    tag,
    query: scimQuerySchema,
    answers: { 200: scimAnswerSchema },
    async handle({ caller, params, query, header }) {
      const view = await viewOf(caller, kind, pathText(params, "id"));
      if (view === undefined) return scimUnknown(pathText(params, "id"));
      if (header("if-none-match") === scimVersion(view.record.version)) return { status: 304, body: null };
      const shown = scimOut(view, caller.app.identity.publicUrl);
      const version = { ETag: scimVersion(view.record.version) };
      return scimReply(200, selected(shown, query.attributes, query.excludedAttributes), version);
    },
  });
}

async function viewOf({ app }: Authorized, kind: Kind, id: string): Promise<ScimView | undefined> {
  if (!isId(id.toLowerCase())) return undefined;
  const { items } = await app.reader.scimResources({ kind, by: { member: "id", value: id }, startIndex: 1, count: 1 });
  return items[0];
}

type Writes = "POST" | "PUT" | "PATCH";

interface Write<Body extends z.ZodType> {
  readonly kind: Kind;
  readonly method: Writes;
  readonly summary: string;
  readonly body: Body;
  readonly act: (exchange: Exchange<unknown, z.output<Body>>, target: ScimTarget | null) => Promise<string | Refusal>;
}

function writing<Body extends z.ZodType>({ kind, method, summary, body, act }: Write<Body>): Endpoint {
  const creates = method === "POST";
  return endpoint<z.ZodUnknown, Body>({
    method: method satisfies Method,
    url: creates ? PLACE[kind] : `${PLACE[kind]}/:id`,
    summary,
    tag,
    body,
    answers: { [creates ? 201 : 200]: scimAnswerSchema },
    async handle(exchange) {
      const target = creates ? null : targetOf(exchange);
      if (target !== null && isRefusal(target)) return target;
      const id = await act(exchange, target);
      return typeof id === "string" ? written(exchange.caller, { kind, id, status: creates ? 201 : 200 }) : id;
    },
  });
}

async function written(
  caller: Authorized,
  { kind, id, status }: { readonly kind: Kind; readonly id: string; readonly status: number },
): Promise<Outcome> {
  const view = await viewOf(caller, kind, id);
  if (view === undefined) return scimUnknown(id);
  const { publicUrl } = caller.app.identity;
  const version = { ETag: scimVersion(view.record.version), Location: `${publicUrl}${PLACE[kind]}/${id}` };
  return scimReply(status, scimOut(view, publicUrl), version);
}

/** `If-Match` with a version; `*` and its absence mean whatever there is. */
function targetOf({ params, header }: Pick<Exchange<unknown, unknown>, "params" | "header">): ScimTarget | Refusal {
  const id = pathText(params, "id").toLowerCase();
  if (!isId(id)) return scimUnknown(id);
  const match = header("if-match")?.trim();
  if (match === undefined || match === "*") return { id, version: null };
  const [, version] = /^(?:W\/)?"([0-9]{1,9})"$/.exec(match) ?? [];
  return { id, version: version === undefined ? -1 : Number(version) };
}

function removing(kind: Kind, act: typeof deleteScimUser): Endpoint {
  return endpoint({
    method: "DELETE",
    url: `${PLACE[kind]}/:id`,
    summary: kind === "user" ? "Deactivate a person: what they decided stays" : "Remove a group",
    tag,
    answers: { 204: scimAnswerSchema },
    async handle(exchange) {
      const target = targetOf(exchange);
      if (isRefusal(target)) return target;
      const gone = await act(exchange.caller.app, exchange.caller.actor, target);
      return typeof gone === "string" ? NO_CONTENT : gone;
    },
  });
}

function known(target: ScimTarget | null): ScimTarget {
  if (target === null) throw new Error("a change without a target (this is a bug)");
  return target;
}

function users(): readonly Endpoint[] {
  return [
    writing({
      ...{ kind: "user", method: "POST", summary: "Tell of a person", body: scimUserInSchema },
      act: ({ caller, body }) => createScimUser(caller.app, caller.actor, userAttributes(body)),
    }),
    writing({
      ...{ kind: "user", method: "PUT", summary: "Replace what is kept of a person", body: scimUserInSchema },
      act: ({ caller, body }, target) =>
        changeScimUser(caller.app, caller.actor, known(target), () => userAttributes(body)),
    }),
    writing({
      ...{ kind: "user", method: "PATCH", summary: "Change what is kept of a person", body: scimPatchSchema },
      act: ({ caller, body }, target) =>
        changeScimUser(caller.app, caller.actor, known(target), (before) =>
          before === null ? scimUnknown(known(target).id) : patchUser(before, body.Operations),
        ),
    }),
    removing("user", deleteScimUser),
  ];
}

function groups(): readonly Endpoint[] {
  return [
    writing({
      ...{ kind: "group", method: "POST", summary: "Tell of a group", body: scimGroupInSchema },
      act: ({ caller, body }) => createScimGroup(caller.app, caller.actor, groupAttributes(body)),
    }),
    writing({
      ...{ kind: "group", method: "PUT", summary: "Replace a group", body: scimGroupInSchema },
      act: ({ caller, body }, target) =>
        changeScimGroup(caller.app, caller.actor, known(target), () => groupAttributes(body)),
    }),
    writing({
      ...{ kind: "group", method: "PATCH", summary: "Change who is in a group", body: scimPatchSchema },
      act: ({ caller, body }, target) =>
        changeScimGroup(caller.app, caller.actor, known(target), (before) =>
          before === null ? scimUnknown(known(target).id) : patchGroup(before, body.Operations),
        ),
    }),
    removing("group", deleteScimGroup),
  ];
}

function groupAttributes({ displayName, externalId, members }: ScimGroupIn): ScimGroupAttributes {
  return { displayName, externalId, members: [...new Set((members ?? []).map(({ value }) => value))] };
}

function userAttributes({ userName, externalId, displayName, name, emails, active }: ScimUserIn): ScimUserAttributes {
  return { userName, externalId, displayName, name, emails: emails ?? [], active };
}
