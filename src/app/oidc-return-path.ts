/** Where does the browser go after signing in? To a page of the console, and nowhere else (docs/spec/identity.md R-IDP-10). */

const HOME = "/app/";
const LENGTH_MAX = 2_000;

export function returnPath(asked: string | null): string {
  return asked !== null && isPageOfConsole(asked) ? asked : HOME;
}

function isPageOfConsole(path: string): boolean {
  if (!path.startsWith(HOME) || path.length > LENGTH_MAX) return false;
  if (path.includes("//") || /[\\\p{Control}\p{Surrogate}]/u.test(path)) return false;
  if (/^\/app\/[a-z][a-z0-9+.-]*:/i.test(path)) return false;
  // Dot segments, plain or encoded, would lead out of the console.
  const base = "https://console.invalid";
  if (!URL.canParse(path, base)) return false;
  const { origin, pathname } = new URL(path, base);
  return origin === base && pathname.startsWith(HOME);
}
