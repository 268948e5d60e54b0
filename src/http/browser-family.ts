/**
 * Which browser is this, as it says of itself? The family binds a trusted browser to its secret (docs/spec/identity.md
 * R-FACT-6), the words tell people their sessions apart.
 */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:iPhone|iPad|iPod)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

const OTHER = "Other browser";

export function browserFamily(userAgent: string | null): string {
  return firstOf(FAMILIES, userAgent) ?? OTHER;
}

/** `Firefox on Linux`. */
export function browserInWords(userAgent: string | null): string {
  const system = firstOf(SYSTEMS, userAgent);
  return system === null ? browserFamily(userAgent) : `${browserFamily(userAgent)} on ${system}`;
}

function firstOf(known: readonly (readonly [RegExp, string])[], userAgent: string | null): string | null {
  return known.find(([pattern]) => pattern.test(userAgent ?? ""))?.[1] ?? null;
}
