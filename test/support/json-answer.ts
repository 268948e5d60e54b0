/** JSON of an answer, as values that a test can look into without believing anything about them. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";

export function bodyOf(answer: { readonly body: string }): JsonObject {
  return objectIn(answer.body);
}

export function objectIn(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error(`no JSON object: ${text.slice(0, 200)}`);
  return value;
}

/** The text at this place, which must be there. */
export function textAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): string {
  const found = path.reduce<unknown>((inside, part) => Reflect.get(Object(inside), part), value);
  if (typeof found !== "string")
    throw new Error(`no text at ${path.join(".")}: ${JSON.stringify(value).slice(0, 300)}`);
  return found;
}
