import { isObject } from "../../api/read.ts";

/** The pattern of a service, as the gate finds it (docs/spec/deploy.md R-IMAGE-2): its own, else the one of all. */
const defaultPattern = ".*:{{GIT_COMMIT}}";
const variant = "(?:[-._][0-9A-Za-z._-]{1,64})?";
const shortest = 7;

export interface ImageAsked {
  readonly service: string;
  readonly image: string;
  readonly commit: string;
  /** The setting's value. */
  readonly patterns: unknown;
}

export function patternFor({ service, patterns }: Pick<ImageAsked, "service" | "patterns">): string {
  const given = isObject(patterns) ? new Map(Object.entries(patterns)) : new Map<string, unknown>();
  const [base = ""] = service.split(".");
  const keys = service.startsWith("resources.") ? [service] : [service, base, "*"];
  const found = keys.map((key) => given.get(key)).find((pattern) => typeof pattern === "string");
  return typeof found === "string" ? found : defaultPattern;
}

export function expressionFor(pattern: string, commit: string): string {
  const written = pattern.replaceAll("{{GIT_COMMIT_SHORT}}", beginnings(commit)).replaceAll("{{GIT_COMMIT}}", commit);
  return pattern === defaultPattern ? `${written}${variant}` : written;
}

function beginnings(commit: string): string {
  const rest = Array.from(commit.slice(shortest));
  return `${commit.slice(0, shortest)}${rest.map((digit) => `(?:${digit}`).join("")}${")?".repeat(rest.length)}`;
}

export interface ImageVerdict {
  readonly fits: boolean;
  readonly sentence: string;
}

/** Matched by the same engine as at the gate, which is fetched when somebody tries it. */
export async function imageVerdict(asked: ImageAsked): Promise<ImageVerdict> {
  const { RE2JS } = await import("re2js");
  const pattern = patternFor(asked);
  const [name = ""] = asked.image.split("@sha256:");
  let fits: boolean;
  try {
    fits = RE2JS.compile(expressionFor(pattern, asked.commit)).matcher(name).matches();
  } catch {
    return { fits: false, sentence: `The pattern ${pattern} is no expression that the gate can read.` };
  }
  return fits
    ? { fits, sentence: `The image matches the pattern ${pattern}.` }
    : { fits, sentence: `The image does not match the required pattern ${pattern}.` };
}
