/**
 * Does a text match an expression as a whole? RE2, whose time grows with the text and not with what an attacker wrote into it
 * (deploy R-IMAGE-2).
 */
import { RE2JS } from "re2js";
import type { WholeMatch } from "../../ports/manifest-reader.ts";

const SOURCE_MAX = 2_000;

/** Null where it is no expression, or far too long for one. */
export function wholeExpression(source: string): WholeMatch | null {
  if (source.length > SOURCE_MAX) return null;
  try {
    const compiled = RE2JS.compile(source);
    return (text) => compiled.matches(text);
  } catch {
    return null;
  }
}
