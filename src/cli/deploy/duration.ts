/** Spans of time as the original's flags take them: `5s`, `20m`, `1h30m`, `500ms`, `0` (docs/spec/deploy.md R-CLI-5). */
import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/** Milliseconds. */
export function durationFrom(text: string): number {
  if (text === "0") return 0;
  if (!WHOLE.test(text)) throw new InvalidArgumentError("It must be a span of time such as 30s, 20m or 1h30m.");
  return [...text.matchAll(PART)].reduce(
    (total, [, number = "", unit = ""]) => total + Number(number) * (UNITS[unit] ?? 0),
    0,
  );
}
