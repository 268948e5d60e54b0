/**
 * Is this a path that gate and rack read alike? Judged undecoded, segment by segment. Implements docs/spec/deploy.md R-ROUTE-2.
 */

export interface PathSegment {
  /** As it arrived; what routes are matched with. */
  readonly raw: string;
  readonly decoded: string;
}

/** The segments after the prefix, or null where the path is not acceptable. */
export function rackPathSegments(rawPath: string): readonly PathSegment[] | null {
  if (!rawPath.startsWith("/")) return null;
  const segments: PathSegment[] = [];
  for (const raw of rawPath.slice(1).split("/")) {
    const decoded = ACCEPTABLE.test(raw) ? decode(raw) : null;
    if (decoded === null || decoded === "." || decoded === "..") return null;
    segments.push({ raw, decoded });
  }
  return segments;
}

/** RFC 3986's segment characters: no empty segment, hence neither `//` nor a trailing slash. */
const ACCEPTABLE = /^[A-Za-z0-9._~!$&'()*+,;=:@%-]+$/;

/** What decodes to a separator, to another encoding or to a control would be another path to another reader. */
const FORBIDDEN = /[/\\?#%\p{Cc}]/u;

/** Null where it is no UTF-8, or holds what is forbidden; only what is encoded can. */
function decode(raw: string): string | null {
  if (!raw.includes("%")) return raw;
  try {
    const decoded = decodeURIComponent(raw);
    return FORBIDDEN.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
}
