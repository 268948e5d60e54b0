/**
 * How much may one JSONLogic evaluation cost (docs/spec/policies.md R-RULE-9)? Without limits a rule of a hundred bytes
 * could double a text in a `reduce` until the process ends.
 */
export const logicNodesMax = 2000;
export const logicDepthMax = 64;
const logicStepsMax = 10_000;
export const logicResultBytesMax = 64 * 1024;
/** Text and list members of this number, handed to an operator, cost one step more. */
const membersPerStep = 256;

/** Why an evaluation has no result. Never leaves `logic.ts`, which turns it into a value. */
export class LogicFault extends Error {
  override readonly name = "LogicFault";
}

/** Counts the steps of one evaluation. */
export class LogicBudget {
  #steps = 0;

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > logicStepsMax) throw new LogicFault(`the evaluation takes more than ${logicStepsMax} steps`);
  }

  spendOnMembers(count: number): void {
    if (count >= membersPerStep) this.spend(Math.floor(count / membersPerStep));
  }
}
