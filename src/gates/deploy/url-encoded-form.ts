/**
 * Pairs in `application/x-www-form-urlencoded`, read strictly and written in one way, so that nobody behind the gate reads
 * other values than it judged. Implements the encoding of docs/spec/deploy.md R-ROUTE-3 and R-BIND-7.
 */

export type FormPair = readonly [name: string, value: string];

/** Null where the text is not in the encoding: bytes that must be encoded, broken escapes, invalid UTF-8, NUL. */
export function parseForm(text: string): readonly FormPair[] | null {
  if (!FORM_TEXT.test(text)) return null;
  const pairs: FormPair[] = [];
  for (const part of text.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? "" : part.slice(equals + 1));
    if (name === null || value === null) return null;
    pairs.push([name, value]);
  }
  return pairs;
}

/** Everything but RFC 3986's unreserved characters is encoded, so that no parser finds a separator of its own in it. */
export function encodeForm(pairs: readonly FormPair[]): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

/** Visible ASCII without `;`, which some parsers take for a separator. */
const FORM_TEXT = /^[\u0021-\u003a\u003c-\u007e]*$/;

function decode(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    return decoded.includes("\0") ? null : decoded;
  } catch {
    return null;
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
