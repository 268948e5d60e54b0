/**
 * What is in an archive, whoever packed it and whenever? One digest over its files and links; times, owners, order,
 * directories and compression do not matter. Implements docs/spec/deploy.md R-SOURCE-2.
 */

/** A file or a symbolic link of an archive, outside `.git/`. */
export interface SourceEntry {
  /** Relative, without `./`. */
  readonly path: string;
  readonly type: "file" | "link";
  /** `755` where anybody may execute it. */
  readonly mode: "644" | "755" | "link";
  /** Bytes of the content; of a link, of its target. */
  readonly size: number;
  /** Of the content or the link's target, in hex. */
  readonly sha256: string;
  /** Git's id of it as a blob, in the object formats that were asked for. */
  readonly gitSha1?: string;
  readonly gitSha256?: string;
}

/** In hex, of the parts one after the other as UTF-8. */
export type Sha256OfParts = (parts: Iterable<string>) => string;

export function sourceDigest(entries: Iterable<SourceEntry>, sha256: Sha256OfParts): string {
  const lines: string[] = [];
  let plain = true;
  for (const entry of entries) {
    const line = sourceLine(entry);
    plain = plain && !ABOVE_SURROGATES.test(line);
    lines.push(line);
  }
  // UTF-16 order is the order of the bytes, except among characters from U+D800 on.
  if (plain) lines.sort();
  else lines.sort(byCodePoint);
  return `sha256:${sha256(lines)}`;
}

const ABOVE_SURROGATES = /[\uD800-\uFFFF]/;

/** No path has a backslash (deploy R-MANIFEST-2), so that an escaped line break is no other path. */
function sourceLine({ type, mode, size, sha256, path }: SourceEntry): string {
  return `${type} ${mode} ${size} ${sha256} ${path.replaceAll("\n", "\\n")}\n`;
}

/** The order of the UTF-8 bytes, which any other program sorts by as well. */
export function byCodePoint(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at += 1) {
    const difference = rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Surrogates stand for characters beyond U+FFFF: they come after all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
