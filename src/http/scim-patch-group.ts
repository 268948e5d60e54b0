/** What a PATCH does to a group: its name, and who is in it. Implements RFC 7644 section 3.5.2. */
import type { ScimGroupAttributes } from "../app/scim-attributes.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import { scimExternalIdSchema, scimGroupNameSchema, scimMembersSchema, type ScimOperation } from "../contract/scim.ts";
import { parsePath } from "./scim-path.ts";
import { scimRefusal } from "../app/scim-refusal.ts";

export function patchGroup(
  group: ScimGroupAttributes,
  operations: readonly ScimOperation[],
): ScimGroupAttributes | Refusal {
  let patched = group;
  for (const { op, path, value = null } of operations) {
    const changes = path === undefined ? membersOf(value) : [[path, value] as const];
    if (changes === null) return scimRefusal("invalidValue", "Without a path the value must be an object");
    for (const [at, given] of changes) {
      const changed = patchAt(patched, { op, path: at, value: given });
      if (isRefusal(changed)) return changed;
      patched = changed;
    }
  }
  return patched;
}

function membersOf(value: JsonValue): readonly (readonly [string, JsonValue])[] | null {
  return isJsonObject(value) ? Object.entries(value) : null;
}

interface Change {
  readonly op: ScimOperation["op"];
  readonly path: string;
  readonly value: JsonValue;
}

function patchAt(group: ScimGroupAttributes, { op, path, value }: Change): ScimGroupAttributes | Refusal {
  const at = parsePath(path);
  if (at === null) return /^urn:/i.test(path) ? group : scimRefusal("invalidPath", `The path '${path}' cannot be read`);
  switch (at.attribute) {
    case "displayname": {
      const read = scimGroupNameSchema.safeParse(value);
      if (!read.success) return scimRefusal("invalidValue", "A group needs a name without '/'");
      return { ...group, displayName: read.data };
    }
    case "externalid": {
      const read = scimExternalIdSchema.safeParse(op === "remove" ? null : value);
      return read.success
        ? { ...group, externalId: read.data }
        : scimRefusal("invalidValue", "externalId must be text");
    }
    case "members":
      return patchedMembers(group, at.condition?.attribute === "value" ? at.condition.value : null, { op, value });
    default:
      return group;
  }
}

/** `remove` without a value empties the group; with one it takes out those named. */
function patchedMembers(
  group: ScimGroupAttributes,
  one: string | boolean | null,
  { op, value }: Pick<Change, "op" | "value">,
): ScimGroupAttributes | Refusal {
  if (op === "remove" && one === null && value === null) return { ...group, members: [] };
  const given = typeof one === "string" ? [{ value: one }] : Array.isArray(value) ? value : [value];
  const read = scimMembersSchema.safeParse(given);
  if (!read.success) return scimRefusal("invalidValue", "members must be a list of ids of users");
  const named = read.data.map(({ value: id }) => id);
  if (op === "remove") return { ...group, members: group.members.filter((id) => !named.includes(id)) };
  return { ...group, members: [...new Set(op === "add" ? [...group.members, ...named] : named)] };
}
