/**
 * Is this text exactly one JSON value that every reader understands alike? Two members of one name, bytes before or after
 * the value, and bytes that are no UTF-8 are refused: readers differ on them, and what readers differ on can be signed in
 * one meaning and shown in the other. Implements docs/spec/evidence.md sections 2 and 4.
 */
declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

/** The text of UTF-8 bytes, or null. A byte order mark stays, so that it is refused like any other stray bytes. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The value, or undefined when the text is not strictly one JSON object. */
export function parseStrictJson(text: string): unknown {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return hasRepeatedNames(text) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Strings with the colon that makes one a name, and the brackets; all else of valid JSON does not matter here. */
const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

/** `text` is valid JSON. */
function hasRepeatedNames(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKENS)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon !== undefined) {
      const name: unknown = JSON.parse(token.slice(0, -colon.length));
      const names = open.at(-1);
      if (typeof name !== "string" || names === undefined || names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}
