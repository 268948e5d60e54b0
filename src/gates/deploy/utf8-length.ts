/**
 * How many bytes does a text take in UTF-8? The limits of docs/spec/deploy.md are in bytes, and the pure folders have no
 * encoder. A half of a surrogate pair counts as the three bytes that encoders put in its place.
 */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += bytesOf(character);
  return bytes;
}

/** The longest beginning of the text that takes at most so many bytes. */
export function utf8Start(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(character);
    if (bytes > bytesMax) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** Two UTF-16 units are one character beyond the basic plane. */
function bytesOf(character: string): number {
  if (character.length === 2) return 4;
  const unit = character.charCodeAt(0);
  if (unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}
