/**
 * Does a name of the audit list match what a channel asks for? `*` stands for anything, and `-` for `_`, since rack-gateway wrote names
 * both ways. Implements docs/spec/deploy.md R-SLACK-4.
 */

/** Letters, digits, dots and `*`; what is anything else matches nothing. */
const GLOB = /^[A-Za-z0-9_.*-]{1,100}$/;

function isActionGlob(text: string): boolean {
  return GLOB.test(text);
}

export type ActionMatch = (action: string) => boolean;

/** Compiled once: an event costs no more than a walk through its name per glob. */
export function actionMatch(globs: readonly string[]): ActionMatch {
  const parts = globs.filter(isActionGlob).map((glob) => plain(glob).split("*"));
  return (action) => {
    const name = plain(action);
    return parts.some((glob) => matches(name, glob));
  };
}

function plain(name: string): string {
  return name.replaceAll("-", "_");
}

/** Each part after the one before it, as early as it comes; no expression, so that no glob takes longer than its name. */
function matches(name: string, [first = "", ...rest]: readonly string[]): boolean {
  if (rest.length === 0) return name === first;
  const last = rest.at(-1) ?? "";
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest.slice(0, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
