/** Turning a stage's rules into people. Implements docs/spec/policies.md R-RULE-1 to R-RULE-3 and docs/spec/engine.md R-SOD-3. */
import { lookupKey, namesOf, type Facts } from "./facts.ts";
import type { PersonId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import { evaluateLogic } from "./logic.ts";
import { isMachineName, type Person } from "./person.ts";
import type { ApproverRule, RuleMatch } from "./policy.ts";
import type { Exclusion } from "./request.ts";
import type { Bar } from "./separation-of-duties.ts";

export interface Candidate {
  readonly person: Person;
  readonly required: boolean;
}

export interface Candidates {
  readonly approvers: readonly Candidate[];
  readonly observers: readonly Person[];
  readonly excluded: readonly Exclusion[];
}

/** A lookup that did not answer is a failure, never an empty list (R-RESOLVE-6). */
export interface ResolutionFailure {
  readonly rule: string;
  readonly error: string;
}

export function isResolutionFailure(value: object): value is ResolutionFailure {
  return "error" in value;
}

const NOT_ASKED = "the directory was not asked";

/** Says why a person may not approve, or null; the caller knows request and stage. */
export type Barred = (person: Person) => Bar | null;

/**
 * The union of the rules in rule order, first seen first, each person once; who is both approver and observer is an
 * approver only (R-RULE-1). People who are barred, disabled or machines are left out and named with the reason.
 */
export function findCandidates(
  rules: readonly ApproverRule[],
  data: JsonObject,
  facts: Facts,
  barred: Barred,
): Candidates | ResolutionFailure {
  const approvers = new Map<PersonId, Candidate>();
  const observers = new Map<PersonId, Person>();
  const excluded = new Map<PersonId, Exclusion>();
  for (const rule of rules) {
    const found = peopleOf(rule.match, data, facts);
    if (isResolutionFailure(found)) return found;
    for (const person of found) {
      const bar = person.disabled ? DISABLED : rule.kind === "approver" ? barred(person) : machineOnly(person);
      if (bar !== null) excluded.set(person.id, { user: person.assignee, ...bar });
      else if (rule.kind === "observer") observers.set(person.id, person);
      else {
        const required = rule.required || approvers.get(person.id)?.required === true;
        approvers.set(person.id, { person, required });
      }
    }
  }
  return {
    approvers: [...approvers.values()],
    observers: [...observers.values()].filter((person) => !approvers.has(person.id)),
    excluded: [...excluded.values()],
  };
}

const DISABLED: Bar = { reason: "disabled" };

function machineOnly(person: Person): Bar | null {
  return person.machine ? { reason: "machine" } : null;
}

function peopleOf(match: RuleMatch, data: JsonObject, facts: Facts): readonly Person[] | ResolutionFailure {
  switch (match.type) {
    case "user":
      return peopleNamed(`user ${match.name}`, [match.name], facts);
    case "expression": {
      const result = evaluateLogic(match.logic, data);
      if (!result.ok) return { rule: "expression", error: result.fault };
      return peopleNamed("expression", namesOf(result.value), facts);
    }
    case "role":
    case "group": {
      const lookup = facts.lookups.get(lookupKey(match));
      const rule = match.type === "role" ? `role ${match.role}` : `group ${match.path}`;
      if (lookup === undefined) return { rule, error: NOT_ASKED };
      return lookup.ok ? lookup.members : { rule, error: lookup.error };
    }
  }
}

/** A name that nobody looked up is a failed lookup like any other: tried again, never taken for nobody (R-RESOLVE-6). */
function peopleNamed(rule: string, names: readonly string[], facts: Facts): readonly Person[] | ResolutionFailure {
  const people: Person[] = [];
  for (const name of names) {
    const person = facts.people.get(name);
    if (person === undefined) return { rule, error: NOT_ASKED };
    people.push(isMachineName(name) ? { ...person, machine: true } : person);
  }
  return people;
}
