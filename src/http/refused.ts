/** Carries a problem through code that can only throw: Fastify's hooks and parsers. */
import type { Problem } from "./problem.ts";

export class Refused extends Error {
  override readonly name = "Refused";
  readonly problem: Problem;

  constructor(given: Problem) {
    super(given.message);
    this.problem = given;
  }
}
