/**
 * Which paths does a glob name? Globs become RE2 expressions: whoever packs an archive chooses its paths, and a backtracking
 * matcher takes hours for a few stars and a long path (deploy R-SOURCE-3).
 */
import type { WholeMatch } from "../../ports/manifest-reader.ts";
import { wholeExpression } from "./expression.ts";

const GLOB_MAX = 500;
const META = /[.+^$|()[\]{}\\*?]/g;

/** Null where one of them is no glob. A leading `./` says nothing; dots are no special case. */
export function pathGlobs(patterns: readonly string[]): WholeMatch | null {
  const matches: WholeMatch[] = [];
  for (const pattern of patterns) {
    const source = pattern.length > GLOB_MAX ? null : globExpression(pattern.replace(/^\.\//, ""));
    const match = source === null ? null : wholeExpression(source);
    if (match === null) return null;
    matches.push(match);
  }
  return (path) => matches.some((match) => match(path));
}

/** `(?s)`: a path may have a line break in it. */
function globExpression(glob: string): string | null {
  const parts: string[] = [];
  let depth = 0;
  let at = 0;
  while (at < glob.length) {
    const [length, source] = partAt(glob, at, depth);
    if (length === 0) return null;
    if (source === "(?:") depth += 1;
    if (source === ")") depth -= 1;
    parts.push(source);
    at += length;
  }
  return depth === 0 && parts.length > 0 ? `(?s)${parts.join("")}` : null;
}

const NONE = [0, ""] as const;

/** How many characters make up the next part, and what they are as an expression; none where they are no glob. */
function partAt(glob: string, at: number, depth: number): readonly [number, string] {
  switch (glob.charAt(at)) {
    case "*":
      return starsAt(glob, at);
    case "?":
      return [1, "[^/]"];
    case "[":
      return classAt(glob, at);
    case "{":
      return [1, "(?:"];
    case "}":
      return depth > 0 ? [1, ")"] : NONE;
    case ",":
      return [1, depth > 0 ? "|" : ","];
    case "\\":
      return at + 1 < glob.length ? [2, literal(glob.charAt(at + 1))] : NONE;
    default:
      return [1, literal(glob.charAt(at))];
  }
}

/** Two stars are any number of whole segments, and stand between slashes; one star is part of a segment. */
function starsAt(glob: string, at: number): readonly [number, string] {
  if (glob.charAt(at + 1) !== "*") return [1, "[^/]*"];
  const starts = at === 0 || glob.charAt(at - 1) === "/";
  if (starts && glob.charAt(at + 2) === "/") return [3, "(?:[^/]+/)*"];
  return starts && at + 2 === glob.length ? [2, ".+"] : NONE;
}

function classAt(glob: string, at: number): readonly [number, string] {
  const found = /^\[([!^]?)((?:[^\]\\/[]|\\[^/])+)\]/.exec(glob.slice(at));
  if (found === null) return NONE;
  const [whole, negated = "", members = ""] = found;
  return [whole.length, `[${negated === "" ? "" : "^/"}${members}]`];
}

function literal(character: string): string {
  return character.replace(META, "\\$&");
}
