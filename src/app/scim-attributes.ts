/** What a directory says of people and groups, as it is kept beside them (RFC 7643 sections 4.1 and 4.2). */
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";

export interface ScimName {
  readonly formatted: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
}

export interface ScimEmail {
  readonly value: string;
  readonly type: string | null;
  readonly primary: boolean;
}

export interface ScimUserAttributes {
  readonly userName: string;
  readonly externalId: string | null;
  readonly displayName: string | null;
  readonly name: ScimName | null;
  readonly emails: readonly ScimEmail[];
  /** As the directory last said; an administrator here may have locked or suspended the person besides. */
  readonly active: boolean;
}

export interface ScimGroupAttributes {
  readonly displayName: string;
  readonly externalId: string | null;
  /** Ids of people as SCIM knows them. */
  readonly members: readonly string[];
}

/** As they are stored; the external id has a column of its own. */
export function storedAttributes(attributes: ScimUserAttributes): JsonObject {
  const { userName, displayName, name, emails, active } = attributes;
  return {
    userName,
    displayName,
    name: name === null ? null : { ...name },
    emails: emails.map((each) => ({ ...each })),
    active,
  };
}

export function readAttributes(stored: JsonObject, externalId: string | null): ScimUserAttributes {
  const name = stored["name"] ?? null;
  const emails = stored["emails"] ?? [];
  return {
    userName: textOf(stored["userName"]) ?? "",
    externalId,
    displayName: textOf(stored["displayName"]),
    name: isJsonObject(name)
      ? {
          formatted: textOf(name["formatted"]),
          givenName: textOf(name["givenName"]),
          familyName: textOf(name["familyName"]),
        }
      : null,
    emails: Array.isArray(emails) ? emails.flatMap(emailOf) : [],
    active: stored["active"] === true,
  };
}

function emailOf(value: JsonValue): readonly ScimEmail[] {
  if (!isJsonObject(value)) return [];
  const address = textOf(value["value"]);
  return address === null ? [] : [{ value: address, type: textOf(value["type"]), primary: value["primary"] === true }];
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** The name to show: what the directory shows, else what it is made of. */
export function shownName({ displayName, name }: ScimUserAttributes): string | null {
  if (displayName !== null) return displayName;
  if (name === null) return null;
  if (name.formatted !== null) return name.formatted;
  const parts = [name.givenName, name.familyName].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(" ");
}

export function primaryEmail({ emails }: ScimUserAttributes): string | null {
  return (
    (emails.find(({ primary }) => primary) ?? emails.find(({ type }) => type === "work") ?? emails[0])?.value ?? null
  );
}
