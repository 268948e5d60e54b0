import { canonicalJson } from "../../../src/ledger/canonical-json.ts";
import type { Json, JsonObject } from "../api/read.ts";
import { isJsonObject } from "../api/read.ts";
import type { ApprovalRequest } from "../api/requests.ts";
import type { View } from "../api/views.ts";

/** The display document of a view: blocks with a type each. */
function blockOf(view: View, type: string): JsonObject {
  const blocks: unknown = view.display.document["blocks"];
  const list: readonly unknown[] = Array.isArray(blocks) ? blocks : [];
  return list.filter(isJsonObject).find((block) => block["type"] === type) ?? {};
}

export function blockText(view: View, type: string, member: string): string {
  const value = blockOf(view, type)[member];
  return typeof value === "string" ? value : "";
}

export function shownContext(view: View): JsonObject {
  const context = blockOf(view, "context")["context"];
  return isJsonObject(context) ? context : {};
}

/** R-CON-2: the document that is signed says what the page says, member by member. */
export function showsThe(view: View, request: ApprovalRequest): boolean {
  const fields = blockOf(view, "fields")["fields"];
  const shown: Json = [fields ?? null, blockOf(view, "requester")["requester"] ?? null, shownContext(view)];
  const { artifact_type, artifact_id, requester, context } = request;
  return (
    canonicalJson(shown) === canonicalJson([{ artifact_type, artifact_id }, requester, context]) &&
    view.digest === request.digest &&
    view.revision === request.revision
  );
}
