/** A no of the deploy gate or of the rack behind it, in JSON or in lines of text (docs/spec/deploy.md R-WIRE-1, R-PROXY-4). */

/** How fresh a factor must be: proven a while ago, or in this very call (R-MFA-1). */
export type FactorLevel = "step_up" | "always";

export interface DeployRefusalParts {
  readonly status: number;
  /** Stable; empty where whatever answered has no codes, as a rack has none. */
  readonly code: string;
  /** What a person may do next; empty for none, else one or more lines. */
  readonly hint: string;
  /** The JSON that came, null for text. */
  readonly body: unknown;
  /** Seconds. */
  readonly retryAfter: number | null;
  /** Null unless a factor is what is missing. */
  readonly factor: FactorLevel | null;
}

export class DeployRefusal extends Error {
  override readonly name = "DeployRefusal";
  readonly parts: DeployRefusalParts;

  constructor(message: string, parts: DeployRefusalParts) {
    super(message);
    this.parts = parts;
  }
}

/** What a refusal consists of, before it is understood. */
export interface RefusedAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly text: string;
  readonly header: (name: string) => string | null;
}

const HINT_CHARACTERS = 4_096;

export function refusalOf({ status, statusText, text, header }: RefusedAnswer): DeployRefusal {
  const body = objectIn(text);
  const parts = { status, body, factor: factorIn(status, header, body), retryAfter: secondsIn(header("retry-after")) };
  if (body !== null) {
    const code = textAt(body, "code") || textAt(body, "error");
    const message = textAt(body, "message") || textAt(body, "error") || textAt(body, "detail");
    return new DeployRefusal(message || bare(status, statusText), { ...parts, code, hint: textAt(body, "hint") });
  }
  const [first = "", ...rest] = /^\s*</.test(text) ? [] : text.trim().slice(0, HINT_CHARACTERS).split("\n");
  const code = header("x-countersign-code") ?? "";
  return new DeployRefusal(first || bare(status, statusText), { ...parts, code, hint: rest.join("\n") });
}

function secondsIn(text: string | null): number | null {
  const seconds = Number(text ?? "");
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : null;
}

function bare(status: number, statusText: string): string {
  return `gateway request failed (${String(status)}): ${statusText || "no reason given"}`;
}

/** The original says it in a header, or in `error` alone. */
function factorIn(status: number, header: RefusedAnswer["header"], body: object | null): FactorLevel | null {
  if (status !== 401) return null;
  const error = body === null ? "" : textAt(body, "error");
  if (error === "mfa_verification_failed") return null;
  const told = `${header("x-mfa-level") ?? ""} ${header("x-mfa-required") ?? ""} ${error}`;
  if (/\balways\b|\bmfa_required\b/.test(told)) return "always";
  return /step[-_]up|\btrue\b/.test(told) ? "step_up" : null;
}

function objectIn(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function textAt(value: object, name: string): string {
  const member: unknown = Reflect.get(value, name);
  return typeof member === "string" ? member : "";
}
