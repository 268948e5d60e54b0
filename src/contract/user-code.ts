/**
 * The eight letters that a terminal and the page in the browser both show. Each derives them from the code challenge, so that
 * a forwarded link does not carry them (docs/spec/identity.md R-TERM-2). Vowels are left out: no words, no confusion.
 */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS = 8;
const BITS = 5;

/** The text whose SHA-256 `userCodeFrom` takes. */
export function userCodeText(codeChallenge: string): string {
  return `countersign/usercode/v1\n${codeChallenge}`;
}

/** `ABCD-EFGH` from the first 40 bits. */
export function userCodeFrom(digest: Uint8Array): string {
  let bits = "";
  for (const byte of digest.slice(0, (CODE_LETTERS * BITS) / 8)) bits += byte.toString(2).padStart(8, "0");
  let code = "";
  for (let at = 0; at < bits.length; at += BITS) {
    code += LETTERS.charAt(Number.parseInt(bits.slice(at, at + BITS), 2) % LETTERS.length);
  }
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
