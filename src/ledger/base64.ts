/**
 * Base64 as RFC 4648 section 4 writes it (with padding), for roots and signatures in signed notes.
 * One value has one spelling: no white space, no missing padding, no stray bits, because a note that can be written in two
 * ways can be signed in one and shown in the other.
 */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const valueOfLetter: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (letter, value) => [letter, value]));

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    bitCount += 8;
    while (bitCount >= 6) {
      bitCount -= 6;
      text += ALPHABET.charAt((bits >> bitCount) & 63);
    }
  }
  if (bitCount > 0) text += ALPHABET.charAt((bits << (6 - bitCount)) & 63);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** The bytes, or null when the text is not the one spelling of some bytes. */
export function fromBase64(text: string): Uint8Array | null {
  const letters = text.replace(/={1,2}$/, "");
  const bytes = new Uint8Array(Math.floor((letters.length * 6) / 8));
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (const letter of letters) {
    const value = valueOfLetter.get(letter);
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[length] = (bits >> bitCount) & 255;
      length += 1;
    }
  }
  return toBase64(bytes) === text ? bytes : null;
}
