/** The environment of a release: `KEY=VALUE` lines, and what a rack says changed between two of them. */

export function readEnvironment(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1));
  }
  return values;
}

export function writeEnvironment(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("\n");
}

/** `add:A change:B remove:C`. */
export function environmentChanges(before: string, after: string): string {
  const old = readEnvironment(before);
  const fresh = readEnvironment(after);
  const added = [...fresh.keys()].filter((name) => !old.has(name));
  const changed = [...fresh.keys()].filter((name) => old.has(name) && old.get(name) !== fresh.get(name));
  const removed = [...old.keys()].filter((name) => !fresh.has(name));
  const said = (verb: string, names: readonly string[]): readonly string[] =>
    [...names].sort().map((name) => `${verb}:${name}`);
  return [...said("add", added), ...said("change", changed), ...said("remove", removed)].join(" ");
}
