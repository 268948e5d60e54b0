/** What a text search of tasks and requests looks at besides the context itself. Implements engine R-TASK-3. */
import type { JsonObject, JsonValue } from "./json.ts";

const FIRST = [
  "record_name",
  "register_mnemonic",
  "section_mnemonic",
  "intake_form_mnemonic",
  "change_request_id",
  "submission_id",
] as const;

/** The named context values in their order, then other top-level scalars by key, then the artifact's id. */
export function searchText(context: JsonObject, artifactId: string): string | null {
  const named = FIRST.flatMap((key) => scalar(context[key]));
  const others = Object.keys(context)
    .filter((key) => !FIRST.some((first) => first === key))
    .sort()
    .flatMap((key) => scalar(context[key]));
  const identified = [context["change_request_id"], context["submission_id"]].some((value) => scalar(value).length > 0);
  const words = [...named, ...others, ...(identified ? [] : [artifactId])];
  return words.length === 0 ? null : words.join(" ");
}

function scalar(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null || typeof value === "object") return [];
  const text = String(value).trim();
  return text === "" ? [] : [text];
}
