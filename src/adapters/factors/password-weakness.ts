/**
 * Is a password good enough? 15 to 256 characters of any kind; not a name of this installation, not one of the 49,000 that
 * many people use, and nothing that is short once repetition and the digits and marks around it are taken away
 * (identity R-LOCAL-2).
 */
import { dictionary } from "@zxcvbn-ts/language-common";

const LENGTH_MIN = 15;
const LENGTH_MAX = 256;
/** A pattern this short makes no password, however often it is repeated. */
const PATTERN_LENGTH_MAX = 4;
const MARKS_AROUND = /^[^\p{L}]+|[^\p{L}]+$/gu;

/** A sentence for the person, or null. `names` are those of organization, product and hosts. */
export function passwordWeakness(password: string, names: readonly string[]): string | null {
  const length = Array.from(password).length;
  if (length < LENGTH_MIN) return `Use at least ${String(LENGTH_MIN)} characters: a few words are easy to remember.`;
  if (length > LENGTH_MAX) return `Use at most ${String(LENGTH_MAX)} characters.`;
  const cores = coresOf(fold(password));
  if (cores.some((core) => Array.from(core).length <= PATTERN_LENGTH_MAX)) {
    return "This repeats a short pattern: choose something that nobody would guess.";
  }
  const barred = new Set(names.flatMap(wordsOf));
  const isNamesAlone = (core: string): boolean =>
    wordsOf(core).length > 0 && wordsOf(core).every((word) => barred.has(word));
  if (cores.some(isNamesAlone)) return "This is little more than names used here: choose something else.";
  if (cores.some((core) => COMMON.has(core))) return "Many people use this password: choose something of your own.";
  return null;
}

const COMMON: ReadonlySet<string> = new Set(dictionary["passwords-common"].map(String).map(fold));

/** The password, what it repeats, and both without the digits and marks around them. */
function coresOf(password: string): readonly string[] {
  const bare = password.replaceAll(MARKS_AROUND, "");
  const repeated = [repeatedPart(password), ...(bare === "" ? [] : [repeatedPart(bare)])];
  return [password, ...(bare === "" ? [] : [bare]), ...repeated, ...repeated.flatMap(strippedPart)];
}

function strippedPart(text: string): readonly string[] {
  const bare = text.replaceAll(MARKS_AROUND, "");
  return bare === "" ? [] : [repeatedPart(bare)];
}

/** The shortest text that, written again and again, gives this one; the last time may be cut short. */
function repeatedPart(text: string): string {
  const letters = Array.from(text);
  const period = letters.findIndex(
    (_letter, length) => length > 0 && letters.every((letter, at) => letter === letters[at % length]),
  );
  return period === -1 ? text : letters.slice(0, period).join("");
}

/** Runs of letters; what stands between them makes no password of a name. */
function wordsOf(text: string): readonly string[] {
  return fold(text)
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== "");
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
