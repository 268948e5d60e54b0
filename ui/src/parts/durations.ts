const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in two units at most: "2 d 4 h", "3 h 12 min", "12:40". */
export function durationWords(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  if (length >= 2 * day) return twoUnits(length, { unit: day, word: "d" }, { unit: hour, word: "h" });
  if (length >= hour) return twoUnits(length, { unit: hour, word: "h" }, { unit: minute, word: "min" });
  const minutes = Math.floor(length / minute);
  const seconds = Math.floor((length % minute) / second);
  return `${String(minutes)}:${String(seconds).padStart(2, "0")}`;
}

interface Unit {
  readonly unit: number;
  readonly word: string;
}

function twoUnits(length: number, big: Unit, small: Unit): string {
  const bigs = Math.floor(length / big.unit);
  const smalls = Math.floor((length % big.unit) / small.unit);
  const head = `${String(bigs)} ${big.word}`;
  return smalls === 0 ? head : `${head} ${String(smalls)} ${small.word}`;
}

export function relativeWords(at: number, now: number): string {
  const past = now - at;
  // The page's clock ticks once a second: what has just happened may lie a moment ahead of it.
  if (past < -2 * second) return `in ${coarseWords(-past)}`;
  return past < minute ? "just now" : `${coarseWords(past)} ago`;
}

function coarseWords(length: number): string {
  if (length < minute) return `${String(Math.ceil(length / second))} s`;
  if (length < hour) return `${String(Math.floor(length / minute))} min`;
  if (length < 2 * day) return `${String(Math.floor(length / hour))} h`;
  return `${String(Math.floor(length / day))} d`;
}

const absolute = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function absoluteWords(at: number): string {
  return absolute.format(at);
}

export function clockWords(at: number): string {
  return clock.format(at);
}
