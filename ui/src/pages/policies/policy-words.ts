import type { Policy, PolicyStage, Rule } from "../../api/policies.ts";
import type { Json } from "../../api/read.ts";
import { isJsonObject, isObject } from "../../api/read.ts";

/** A policy in words. Nothing is invented: what has no words here is on the page as JSON. */
type PolicyLike = Pick<Policy, "stages">;

const disjunction = new Intl.ListFormat("en", { type: "disjunction" });
const conjunction = new Intl.ListFormat("en", { type: "conjunction" });

/** Stages that run together stand in one group (R-STAGE-10: neighbours with the same number). */
export function stageGroups(policy: PolicyLike): readonly (readonly PolicyStage[])[] {
  const groups: PolicyStage[][] = [];
  for (const stage of policy.stages.toSorted((left, right) => left.stage_order - right.stage_order)) {
    const last = groups.at(-1);
    const together = stage.parallel_group !== null && last?.at(-1)?.parallel_group === stage.parallel_group;
    if (last !== undefined && together) last.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

export function stagesLine(policy: PolicyLike): string {
  const groups = stageGroups(policy).map((group) => group.map((stage) => stage.name).join(" + "));
  return groups.length === 0 ? "no stages yet" : groups.join(" → ");
}

/** "Any 2 of the role release-manager or ana; dora must be one of them." */
export function stageSentence(stage: PolicyStage): string {
  if (stage.approver_tree !== null) return capital(nodeWords(stage.approver_tree));
  const approvers = stage.rules.filter((rule) => rule.kind !== "observer");
  if (approvers.length === 0) return "Nobody can approve this stage yet";
  const who = disjunction.format(approvers.map(ruleWords));
  const required = approvers.filter((rule) => rule.required).map(ruleWords);
  const must = required.length === 0 ? "" : `; ${conjunction.format(required)} must sign`;
  return `${quota(stage)} ${who}${must}`;
}

function quota(stage: PolicyStage): string {
  const value = stage.mode_value;
  switch (stage.mode.toLowerCase()) {
    case "any-n":
    case "quorum":
      return (value ?? 1) === 1 ? "One of" : `Any ${String(value)} of`;
    case "percentage":
      return `${String(value ?? 100)} % of`;
    default:
      return "All of";
  }
}

function ruleWords(rule: Rule): string {
  const { rule_type: type, rule_value: value } = rule;
  switch (type) {
    case "user":
      return text(value["user_id"]);
    case "role":
      return `the role ${text(value["role"])}${value["client"] === undefined ? "" : ` (${text(value["client"])})`}`;
    case "group":
      return `the group ${text(value["group"])}`;
    case "expression":
      return "the people an expression names";
    case "http":
      return `the people ${text(value["url"])} names`;
    default:
      return `the people found by “${type}”`;
  }
}

export function observerWords(stage: PolicyStage): string | null {
  const observers = stage.rules.filter((rule) => rule.kind === "observer").map(ruleWords);
  return observers.length === 0 ? null : conjunction.format(observers);
}

const breaches: Readonly<Record<string, string>> = {
  notify: "then a notice is sent",
  auto_approve: "then the clock approves it",
  auto_reject: "then the clock rejects it",
  escalate: "then more people are asked",
};

export function timeSentence(stage: PolicyStage): string | null {
  if (stage.sla_hours === null) return null;
  const escalation = stage.escalation_rules.map(ruleWords);
  const more = stage.on_breach === "escalate" && escalation.length > 0 ? `: ${conjunction.format(escalation)}` : "";
  return `${hours(stage.sla_hours)}, ${breaches[stage.on_breach ?? "notify"] ?? "then its breach action runs"}${more}`;
}

export function hours(count: number): string {
  if (count % 24 === 0 && count >= 48) return `${String(count / 24)} days`;
  return count === 1 ? "1 hour" : `${String(count)} hours`;
}

export function emptySentence(stage: PolicyStage): string {
  return stage.on_empty === "skip" ? "the stage is skipped" : "the request is rejected";
}

function nodeWords(node: Json): string {
  if (!isJsonObject(node)) return "an unreadable rule";
  for (const [member, join] of [
    ["all_of", " and "],
    ["any_of", " or "],
  ] as const) {
    const children: readonly unknown[] = Array.isArray(node[member]) ? node[member] : [];
    if (children.length > 0) return children.map((child) => bracketed(child)).join(join);
  }
  const { approvals } = node;
  const count = typeof approvals === "number" || approvals === "all" ? String(approvals) : "1";
  return `${count} of ${text(node["name"])}`;
}

function bracketed(child: unknown): string {
  if (!isJsonObject(child)) return "an unreadable rule";
  return isObject(child) && ("all_of" in child || "any_of" in child) ? `(${nodeWords(child)})` : nodeWords(child);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "?";
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
