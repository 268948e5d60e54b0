/** People and groups as SCIM shows them, and what this server says of itself (RFC 7643). */
import { readAttributes } from "../../app/scim-attributes.ts";
import { groupPathOf } from "../../app/scim-group.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { hasLeft } from "../../core/person-status.ts";
import { scimPageMax, scimUrns } from "../../contract/scim.ts";
import type { ScimView } from "../../ports/member-reader.ts";

/** Weak, because the same state may be written in several ways (RFC 7644 section 3.14). */
export function scimVersion(version: number): string {
  return `W/"${String(version)}"`;
}

export function scimOut(view: ScimView, publicUrl: string): JsonObject {
  return view.record.kind === "user" ? userOut(view, publicUrl) : groupOut(view, publicUrl);
}

function userOut({ record, status, related }: ScimView, publicUrl: string): JsonObject {
  const { userName, displayName, name, emails, active } = readAttributes(record.attributes, record.externalId);
  return withoutNull({
    schemas: [scimUrns.user],
    id: record.id,
    externalId: record.externalId,
    userName,
    displayName,
    name: name === null ? null : withoutNull({ ...name }),
    emails: emails.length === 0 ? null : emails.map((email) => withoutNull({ ...email })),
    active: active && status !== null && !hasLeft(status),
    groups: related.map(({ id, display }) => ({ value: id, display, $ref: at(publicUrl, "Groups", id) })),
    meta: metaOf(record, publicUrl, "User"),
  });
}

function groupOut({ record, related }: ScimView, publicUrl: string): JsonObject {
  return withoutNull({
    schemas: [scimUrns.group],
    id: record.id,
    externalId: record.externalId,
    displayName: record.groupPath?.slice(groupPathOf("").length) ?? "",
    members: related.map(({ id, display }) => ({ value: id, display, type: "User", $ref: at(publicUrl, "Users", id) })),
    meta: metaOf(record, publicUrl, "Group"),
  });
}

function metaOf(record: ScimView["record"], publicUrl: string, resourceType: "User" | "Group"): JsonObject {
  return {
    resourceType,
    created: new Date(record.createdAt).toISOString(),
    lastModified: new Date(record.updatedAt).toISOString(),
    version: scimVersion(record.version),
    location: at(publicUrl, `${resourceType}s`, record.id),
  };
}

function at(publicUrl: string, kind: string, id: string): string {
  return `${publicUrl}/scim/v2/${kind}/${id}`;
}

/** An attribute without a value is left out (RFC 7643 section 2.5). */
function withoutNull(members: Readonly<Record<string, JsonValue>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

const ALWAYS: ReadonlySet<string> = new Set(["schemas", "id", "meta"]);

/** Only what was asked for, or all but what was not wanted; some parts are always returned. */
export function selected(resource: JsonObject, only: string | undefined, without: string | undefined): JsonObject {
  const names = (list: string): readonly string[] =>
    list.split(",").map(
      (name) =>
        name
          .trim()
          .replace(/^urn:.*:/i, "")
          .split(".")[0]
          ?.toLowerCase() ?? "",
    );
  const wanted = only === undefined || only.trim() === "" ? null : new Set(names(only));
  const unwanted = new Set(without === undefined ? [] : names(without));
  return Object.fromEntries(
    Object.entries(resource).filter(([name]) => {
      if (ALWAYS.has(name)) return true;
      return wanted === null ? !unwanted.has(name.toLowerCase()) : wanted.has(name.toLowerCase());
    }),
  );
}

export function listOut(
  items: readonly JsonObject[],
  page: { readonly total: number; readonly startIndex: number },
): JsonObject {
  return {
    schemas: [scimUrns.list],
    totalResults: page.total,
    startIndex: page.startIndex,
    itemsPerPage: items.length,
    Resources: items,
  };
}

export function providerConfig(publicUrl: string): JsonObject {
  const unsupported = { supported: false };
  return {
    schemas: [scimUrns.config],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: scimPageMax },
    changePassword: unsupported,
    sort: unsupported,
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "API token",
        description: "An API token of a machine that may write the directory (org:directory:write)",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${publicUrl}/scim/v2/ServiceProviderConfig` },
  };
}

export function resourceTypes(publicUrl: string): readonly JsonObject[] {
  return (["User", "Group"] as const).map((name) => ({
    schemas: [scimUrns.resourceType],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema: name === "User" ? scimUrns.user : scimUrns.group,
    meta: { resourceType: "ResourceType", location: `${publicUrl}/scim/v2/ResourceTypes/${name}` },
  }));
}

interface Attribute {
  readonly name: string;
  readonly type?: string;
  readonly required?: true;
  readonly multiValued?: true;
  readonly mutability?: "readOnly";
  readonly uniqueness?: "server";
  readonly subAttributes?: readonly Attribute[];
}

function attributeOut(attribute: Attribute): JsonObject {
  const { name, type = "string", required, multiValued, mutability, uniqueness, subAttributes } = attribute;
  return {
    ...{ name, type, multiValued: multiValued === true, required: required === true, caseExact: false },
    ...{ mutability: mutability ?? "readWrite", returned: "default", uniqueness: uniqueness ?? "none" },
    ...(subAttributes === undefined ? {} : { subAttributes: subAttributes.map(attributeOut) }),
  };
}

const VALUE_AND_DISPLAY: readonly Attribute[] = [{ name: "value" }, { name: "display", mutability: "readOnly" }];

const USER: readonly Attribute[] = [
  { name: "userName", required: true, uniqueness: "server" },
  { name: "displayName" },
  {
    name: "name",
    type: "complex",
    subAttributes: [{ name: "formatted" }, { name: "givenName" }, { name: "familyName" }],
  },
  {
    name: "emails",
    type: "complex",
    multiValued: true,
    subAttributes: [{ name: "value" }, { name: "type" }, { name: "primary", type: "boolean" }],
  },
  { name: "active", type: "boolean" },
  { name: "groups", type: "complex", multiValued: true, mutability: "readOnly", subAttributes: VALUE_AND_DISPLAY },
];

const GROUP: readonly Attribute[] = [
  { name: "displayName", required: true, uniqueness: "server" },
  { name: "members", type: "complex", multiValued: true, subAttributes: VALUE_AND_DISPLAY },
];

export function schemas(publicUrl: string): readonly JsonObject[] {
  return [
    { id: scimUrns.user, name: "User", description: "A person", attributes: USER.map(attributeOut) },
    { id: scimUrns.group, name: "Group", description: "A group of the directory", attributes: GROUP.map(attributeOut) },
  ].map((schema) => ({
    schemas: [scimUrns.schema],
    ...schema,
    meta: { resourceType: "Schema", location: `${publicUrl}/scim/v2/Schemas/${schema.id}` },
  }));
}
