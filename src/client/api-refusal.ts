/** A no from the server, as its problem+json says it (docs/spec/api.md R-API-5). */
export interface ProblemAnswer {
  readonly status: number;
  /** Stable; `http_502` where whatever answered is no Countersign. */
  readonly code: string;
  readonly detail: string;
  readonly trace: string | null;
  /** What is wrong with the input, each with its place. */
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | null;
}

export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly problem: ProblemAnswer;

  constructor(problem: ProblemAnswer) {
    const faults = problem.faults.slice(1).map(({ path, message }) => `${path} ${message}`);
    super([problem.detail, ...faults].join("\n"));
    this.problem = problem;
  }
}

/** The server did not answer at all; whether a write was recorded is unknown. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}
