/** What a new passkey is called until its owner renames it: the machine it was made on, as the browser tells it. */
const platforms: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android phone"],
  [/Mac OS X|Macintosh/, "Mac"],
  [/Windows/, "Windows PC"],
  [/CrOS/, "Chromebook"],
  [/Linux/, "Linux PC"],
];

export function passkeyName(userAgent: string): string {
  const platform = platforms.find(([pattern]) => pattern.test(userAgent))?.[1];
  return platform === undefined ? "Passkey" : `Passkey made on this ${platform}`;
}
