/**
 * May this policy be activated, and what should its author know? Implements the activation checks of
 * docs/spec/policies.md (R-POLICY-8): errors stop the activation, warnings never do. Total over JSON objects, so that
 * any draft, however broken, gets its list of problems.
 */
import { isAtLeast } from "./assurance.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { checkLogic, evaluateLogic, isTruthy } from "./logic.ts";
import { unknownIn, type PolicyPartKind } from "./policy-availability.ts";
import { readPolicy, type PolicyReading, type RuleReading, type StageReading } from "./policy-document.ts";
import { approvalsNeededOf, excludedStages, isOnePersonStage, namedApprovers } from "./policy-provable.ts";
import { memberOf, memberPath } from "./policy-reading.ts";
import type { PolicyProblem, RuleMatch } from "./policy.ts";

/** What is known of the directory at the moment of the check. */
export interface DirectoryFacts {
  readonly roleExists: (role: string, client: string | null) => boolean;
  readonly groupExists: (path: string) => boolean;
}

export interface PolicyInstallation {
  /** Null when no directory answers: names cannot be checked then, which does not stop an activation. */
  readonly directory: DirectoryFacts | null;
}

/** Errors and warnings in document order: first what cannot be read, then what the fields say together. */
export function checkPolicy(document: JsonObject, installation: PolicyInstallation): readonly PolicyProblem[] {
  const reading = readPolicy(document);
  return [
    ...unknownFields(document, reading),
    ...reading.problems,
    ...policyProblems(reading),
    ...reading.stages.flatMap((stage) => [
      ...stageErrors(stage),
      ...assuranceErrors(stage, reading),
      ...logicErrors(stage),
      ...directoryProblems(stage, installation.directory),
      ...stageWarnings(stage),
    ]),
    ...exclusionErrors(reading),
    ...splitGroupWarnings(reading),
  ];
}

export function hasErrors(problems: readonly PolicyProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}

function error(code: string, path: string, message: string): PolicyProblem {
  return { code, severity: "error", path, message };
}

function warning(code: string, path: string, message: string): PolicyProblem {
  return { code, severity: "warning", path, message };
}

function unknownFields(document: JsonObject, { stages }: PolicyReading): PolicyProblem[] {
  return [
    ...unknownMembers(document, "policy", ""),
    ...unknownGrantMembers(document),
    ...stages.flatMap((stage) => [
      ...unknownMembers(stage.members, "stage", stage.path),
      ...[...stage.rules, ...stage.escalationRules].flatMap(unknownRuleMembers),
    ]),
  ];
}

function unknownGrantMembers(document: JsonObject): PolicyProblem[] {
  const grant = memberOf(document, "grant");
  return isJsonObject(grant) ? unknownMembers(grant, "grant", "grant") : [];
}

function unknownRuleMembers(rule: RuleReading): PolicyProblem[] {
  const own = unknownMembers(rule.members, "rule", rule.path);
  const value = memberOf(rule.members, "rule_value");
  if (rule.type === null || !isJsonObject(value)) return own;
  return [...own, ...unknownMembers(value, rule.type, `${rule.path}.rule_value`)];
}

function unknownMembers(members: JsonObject, kind: PolicyPartKind, path: string): PolicyProblem[] {
  return unknownIn(members, kind).map((name) => {
    const place = memberPath(path, name);
    return error("unknown_field", place, `unknown field '${place}'`);
  });
}

function policyProblems({ policy, stages }: PolicyReading): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  if (stages.length === 0) problems.push(error("no_stages", "stages", "a policy needs at least one stage"));
  if (!policy.forbidSelfApproval) {
    const message = "requesters may approve their own requests";
    problems.push(warning("self_approval_allowed", "forbid_self_approval", message));
  }
  return problems;
}

function stageErrors(reading: StageReading): PolicyProblem[] {
  const { stage, path } = reading;
  const problems: PolicyProblem[] = [];
  const label = `stage ${stage.order}`;
  if (!reading.rules.some(({ kind }) => kind === "approver")) {
    const message = `${label} has no rule that can find an approver`;
    problems.push(error("no_approver_rule", `${path}.rules`, message));
  }
  if (stage.mode === "percentage" && (stage.modeValue ?? 100) > 100) {
    const message = `${label}: percentage must be between 1 and 100`;
    problems.push(error("percentage_range", `${path}.mode_value`, message));
  } else problems.push(...quorumErrors(reading));
  if (stage.onBreach === "escalate" && reading.escalationRules.length === 0) {
    const message = `${label}: on_breach is 'escalate' but escalation_rules is empty`;
    problems.push(error("escalate_without_rules", `${path}.escalation_rules`, message));
  }
  return problems;
}

function assuranceErrors({ stage, path }: StageReading, { assurance }: PolicyReading): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const label = `stage ${stage.order}`;
  if (!isAtLeast(stage.assurance, assurance)) {
    const message = `${label}: assurance may not be lower than the policy's`;
    problems.push(error("lower_assurance", `${path}.assurance`, message));
  }
  if (!isAtLeast(stage.assurance, stage.rejectAssurance)) {
    const message = `${label}: rejecting may not be harder than approving: reject_assurance is above '${stage.assurance}'`;
    problems.push(error("higher_reject_assurance", `${path}.reject_assurance`, message));
  }
  if (stage.onBreach === "auto_approve" && stage.assurance !== "session") {
    const message = `${label}: a timer cannot approve where assurance is '${stage.assurance}'`;
    problems.push(error("auto_approve_assurance", `${path}.on_breach`, message));
  }
  return problems;
}

function quorumErrors(reading: StageReading): PolicyProblem[] {
  const { stage, path } = reading;
  const names = namedApprovers(reading);
  if (names === null) return [];
  const needed = approvalsNeededOf(stage, names.size);
  if (needed <= names.size) return [];
  const place = stage.minApprovals === needed ? "min_approvals" : "mode_value";
  const message = `stage ${stage.order}: ${needed} approvals needed but the rules name only ${names.size} people`;
  return [error("quorum_impossible", `${path}.${place}`, message)];
}

function exclusionErrors({ policy, stages }: PolicyReading): PolicyProblem[] {
  return excludedStages(policy, stages).map((reading) => {
    const isOne = namedApprovers(reading)?.size === 1;
    const who = isOne ? "the only named approver is" : "the only named approvers are";
    return error("self_only", `${reading.path}.rules`, `stage ${reading.stage.order}: ${who} always excluded`);
  });
}

function logicErrors({ stage, path, rules, escalationRules }: StageReading): PolicyProblem[] {
  const expressions: [string, JsonValue][] = stage.skipIf === null ? [] : [[`${path}.skip_if`, stage.skipIf]];
  for (const { rule, path: rulePath } of [...rules, ...escalationRules]) {
    if (rule?.match.type === "expression") expressions.push([`${rulePath}.rule_value.logic`, rule.match.logic]);
  }
  return expressions.flatMap(([place, logic]) => {
    const fault = checkLogic(logic);
    return fault === null ? [] : [error("bad_logic", place, `stage ${stage.order}: ${fault}`)];
  });
}

function directoryProblems(
  { stage, rules, escalationRules }: StageReading,
  directory: DirectoryFacts | null,
): PolicyProblem[] {
  return [...rules, ...escalationRules].flatMap(({ rule, path }) => {
    const name = rule === null ? null : directoryName(rule.match);
    if (rule === null || name === null) return [];
    const place = `${path}.rule_value`;
    if (directory === null) {
      const message = `stage ${stage.order}: ${name} was not checked because the directory does not answer`;
      return [warning("directory_unreachable", place, message)];
    }
    if (isInDirectory(rule.match, directory)) return [];
    return [error("directory_unknown", place, `stage ${stage.order}: ${name} does not exist`)];
  });
}

function directoryName(match: RuleMatch): string | null {
  switch (match.type) {
    case "role":
      return match.client === null ? `role '${match.role}'` : `role '${match.role}' of client '${match.client}'`;
    case "group":
      return `group '${match.path}'`;
    case "user":
    case "expression":
      return null;
  }
}

function isInDirectory(match: RuleMatch, directory: DirectoryFacts): boolean {
  if (match.type === "role") return directory.roleExists(match.role, match.client);
  return match.type !== "group" || directory.groupExists(match.path);
}

function stageWarnings(reading: StageReading): PolicyProblem[] {
  const { stage, path, members } = reading;
  const problems: PolicyProblem[] = [];
  const label = `stage ${stage.order}`;
  if ((memberOf(members, "on_breach") ?? null) !== null && stage.slaHours === null) {
    const message = `${label}: on_breach has no effect without sla_hours`;
    problems.push(warning("breach_without_sla", `${path}.on_breach`, message));
  }
  if (stage.onBreach === "auto_approve" && stage.slaHours !== null && stage.assurance === "session") {
    problems.push(warning("auto_approve", `${path}.on_breach`, `${label} can be approved by the clock alone`));
  }
  if (stage.skipIf !== null && isAlwaysTrue(stage.skipIf)) {
    problems.push(warning("always_skipped", `${path}.skip_if`, `${label}: skip_if is true for every context`));
  }
  if (isOnePersonStage(reading)) {
    problems.push(warning("one_person_stage", path, `${label} can be approved by one person`));
  }
  return problems;
}

/** An expression that reads nothing has one result for every context. */
function isAlwaysTrue(logic: JsonObject): boolean {
  if (readsContext(logic)) return false;
  const result = evaluateLogic(logic, {});
  return result.ok && isTruthy(result.value);
}

/** True if an operator that reads the context occurs; no expression that `checkLogic` refuses is walked further down. */
function readsContext(logic: JsonObject): boolean {
  if (checkLogic(logic) !== null) return true;
  const waiting: JsonValue[] = [logic];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if (["var", "missing", "missing_some"].some((operator) => Object.hasOwn(node, operator))) return true;
    for (const child of Object.values(node)) waiting.push(child);
  }
  return false;
}

/** Only neighbours in the order run together; a number that comes back later is a group of its own. */
function splitGroupWarnings({ stages }: PolicyReading): PolicyProblem[] {
  const inOrder = [...stages].sort((left, right) => left.stage.order - right.stage.order);
  const seen = new Set<number>();
  const noted = new Set<number>();
  let previous: number | null = null;
  const problems: PolicyProblem[] = [];
  for (const { stage, path } of inOrder) {
    const group = stage.parallelGroup;
    if (group !== null && group !== previous && seen.has(group) && !noted.has(group)) {
      noted.add(group);
      const message = `parallel_group ${group} is used by stages that are not neighbours: they run as separate groups`;
      problems.push(warning("parallel_group_split", `${path}.parallel_group`, message));
    }
    if (group !== null) seen.add(group);
    previous = group;
  }
  return problems;
}
