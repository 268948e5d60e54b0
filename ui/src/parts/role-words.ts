/** Two roles carry the names of an older system; people read what they are. */
const words: Readonly<Record<string, string>> = { AWE_ADMIN: "Administrator", AWE_VIEWER: "Viewer" };

export function roleWord(role: string): string {
  return words[role] ?? role.replaceAll("_", " ");
}
