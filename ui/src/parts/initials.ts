/** "Ana Ruiz" signs as A.R., "b.oez@example.org" as B.O., "dora" as D. */
export function initialsOf(name: string): string {
  const parts = (name.split("@")[0] ?? "").split(/[\s._-]+/).filter((part) => /[\p{L}\p{N}]/u.test(part));
  const chosen = parts.length > 2 ? [parts[0] ?? "", parts[parts.length - 1] ?? ""] : parts;
  const letters = chosen.map((part) => `${(/[\p{L}\p{N}]/u.exec(part)?.[0] ?? "").toLocaleUpperCase("en")}.`);
  return letters.length === 0 ? "?" : letters.join("");
}
