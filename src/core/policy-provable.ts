/**
 * What can be proved of a stage from its rules alone, before any directory is asked? Only stages whose approver rules all
 * name a person say how many people there will be (docs/spec/policies.md R-DOC-8).
 */
import type { StageReading } from "./policy-document.ts";
import type { Policy, Stage } from "./policy.ts";

/** The people an all-`user` stage names, each once; null where a directory or an expression decides. */
export function namedApprovers(reading: StageReading): ReadonlySet<string> | null {
  if (!reading.isSound) return null;
  const names = new Set<string>();
  for (const { match, kind } of reading.stage.rules) {
    if (kind === "observer") continue;
    if (match.type !== "user") return null;
    names.add(match.name);
  }
  return names.size === 0 ? null : names;
}

/** Approvals needed if `people` have a seat and nobody abstains: the `needed` of R-QUORUM at the start of a stage. */
export function approvalsNeededOf(stage: Stage, people: number): number {
  return Math.max(approvalsByMode(stage, people), stage.minApprovals);
}

function approvalsByMode({ mode, modeValue }: Stage, people: number): number {
  switch (mode) {
    case "any-n":
      return modeValue ?? 1;
    case "all":
      return people;
    case "percentage":
      // Integer arithmetic: 34 % of 3 must be 2 on every machine.
      return Math.ceil(((modeValue ?? 100) * people) / 100);
  }
}

/** True if one approval can complete the stage although nobody abstains. */
export function isOnePersonStage(reading: StageReading): boolean {
  const { stage } = reading;
  if (!reading.isSound || requiredNames(stage).size > 1) return false;
  if (!stage.rules.some(({ kind }) => kind === "approver")) return false;
  if (stage.mode === "any-n") return approvalsNeededOf(stage, 0) === 1;
  const names = namedApprovers(reading);
  return names !== null && approvalsNeededOf(stage, names.size) === 1;
}

function requiredNames(stage: Stage): Set<string> {
  return new Set(stage.rules.flatMap(({ match, required }) => (required && match.type === "user" ? [match.name] : [])));
}

/**
 * The stages whose every named approver has, by then, had to approve another stage, which `forbid_repeat_approvers`
 * does not let them do twice. `on_empty: skip` would pass such a stage, so that only `block` makes a dead end.
 */
export function excludedStages(policy: Policy, stages: readonly StageReading[]): StageReading[] {
  if (!policy.forbidRepeatApprovers) return [];
  const busy = new Set<string>();
  const inOrder = [...stages].sort((left, right) => left.stage.order - right.stage.order);
  return inOrder.filter((reading) => {
    const names = namedApprovers(reading);
    const isExcluded =
      names !== null && reading.stage.onEmpty === "block" && [...names].every((name) => busy.has(name));
    for (const name of certainApprovers(reading)) busy.add(name);
    return isExcluded;
  });
}

/** The people without whose approval the stage cannot pass, unless somebody stands in for them. */
function certainApprovers(reading: StageReading): ReadonlySet<string> {
  const { stage } = reading;
  const mayPassWithout = stage.skipIf !== null || stage.onBreach === "auto_approve" || stage.onBreach === "escalate";
  if (!reading.isSound || mayPassWithout) return new Set();
  const names = namedApprovers(reading);
  if (names === null) return requiredNames(stage);
  const abstentionsCount = stage.mode !== "any-n" && stage.abstain === "neutral";
  const needsEverybody = approvalsNeededOf(stage, names.size) >= names.size && !abstentionsCount;
  const mustAll = needsEverybody || names.size === 1 || stage.minApprovals >= names.size;
  return mustAll ? names : requiredNames(stage);
}
