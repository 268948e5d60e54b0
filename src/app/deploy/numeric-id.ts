/**
 * Clients of the older kind read the ids of sessions, factors, devices and enrolments as numbers. Among one person's own things the
 * first 48 random bits of the id tell them apart: whoever is given a number looks among those (docs/spec/deploy.md 11.2).
 */
export function numericId(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

/** The one of a person's own things that is meant: by its number, or by its id. */
export function withNumber<Item extends { readonly id: string }>(
  items: readonly Item[],
  text: string,
): Item | undefined {
  const wanted = text.toLowerCase();
  return items.find(({ id }) => id === wanted || String(numericId(id)) === wanted);
}
