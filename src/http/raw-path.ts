/**
 * Has this path one reading only? What one program takes apart differently from the next is refused before anything looks
 * at it (docs/spec/identity.md R-AUTHZ-7).
 */

/** Null for a plain path, else a sentence. `url` is path and query as they came. */
export function pathFault(url: string): string | null {
  const [path = ""] = url.split(/[?#]/, 1);
  const segments = path.split("/").slice(1);
  const last = segments.length - 1;
  for (const [index, segment] of segments.entries()) {
    const text = decoded(segment);
    if (text === null) return "The path holds an escape that is not UTF-8";
    if (text === "." || text === "..") return "The path holds a dot segment";
    if (segment === "" && index < last) return "The path holds an empty segment";
    if (text.includes("\0") || text.includes("\\"))
      return "The path holds a character that is read in more than one way";
  }
  return null;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
