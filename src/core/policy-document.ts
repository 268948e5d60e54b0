/**
 * What does a policy document say? Reads policy, stages and rules with every default of docs/spec/policies.md filled in
 * and notes what cannot be read. Total: any JSON object gives an answer. Whether a policy that can be read may be
 * activated is `check-policy.ts`'s question.
 */
import { ASSURANCES, type Assurance } from "./assurance-level.ts";
import type { JsonObject } from "./json.ts";
import type { ApproverRule, GrantTerms, Policy, PolicyProblem, RuleMatch, Stage, StageMode } from "./policy.ts";
import { unavailableIn, type PolicyPartKind } from "./policy-availability.ts";
import {
  flag,
  listOf,
  members,
  memberOf,
  memberPath,
  nameOf,
  oneOf,
  orNull,
  readMember,
  readNeeded,
  readParts,
  textOf,
  wholeNumber,
  type Part,
} from "./policy-reading.ts";

const stagesMax = 50;
const rulesMax = 50;

/** A stage and what the document says where the compiled value no longer shows it. */
export interface StageReading {
  readonly stage: Stage;
  /** As `stages[3]`; the index is that of the document, not of the order. */
  readonly path: string;
  readonly members: JsonObject;
  readonly rules: readonly RuleReading[];
  readonly escalationRules: readonly RuleReading[];
  /** False if something in the stage could not be read, so that nothing can be proved of it. */
  readonly isSound: boolean;
}

export interface RuleReading {
  /** Null where the document's rule cannot be used; `problems` says why. */
  readonly rule: ApproverRule | null;
  readonly kind: "approver" | "observer";
  readonly type: RuleType | null;
  readonly path: string;
  readonly members: JsonObject;
}

export interface PolicyReading {
  /** What the document says, complete only if `problems` is empty. */
  readonly policy: Policy;
  /** What every stage asks at least. */
  readonly assurance: Assurance;
  /** In document order. */
  readonly stages: readonly StageReading[];
  readonly problems: readonly PolicyProblem[];
}

const ruleTypes = ["user", "role", "group", "expression", "http"] as const;
type RuleType = (typeof ruleTypes)[number];

const dotPath = textOf(1, 256);
const personName = nameOf(128);
const directoryName = nameOf(255);
const groupPath = nameOf(1024);

const shapes = {
  name: textOf(1, 255),
  description: orNull(textOf(0, 1024)),
  artifactType: textOf(1, 128),
  adminOverride: orNull(oneOf(["allow", "reason", "off"])),
  hours: orNull(wholeNumber(1, 87_600)),
  stageOrder: wholeNumber(1, 10_000),
  modeValue: orNull(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  minApprovals: wholeNumber(1, 100),
  abstain: oneOf(["neutral", "against"]),
  reject: oneOf(["veto", "vote"]),
  skipIf: orNull(members),
  onEmpty: oneOf(["skip", "block"]),
  parallelGroup: orNull(wholeNumber(-(2 ** 31), 2 ** 31 - 1)),
  onBreach: orNull(oneOf(["notify", "auto_approve", "auto_reject", "escalate"])),
  escalationsMax: wholeNumber(1, 5),
  ruleType: oneOf(ruleTypes),
  kind: oneOf(["approver", "observer"]),
  client: orNull(directoryName),
  assurance: oneOf(ASSURANCES),
  minViewSeconds: orNull(wholeNumber(1, 3_600)),
  dotPaths: listOf(dotPath, 20),
  ttlMinutes: orNull(wholeNumber(1, 525_600)),
  uses: orNull(wholeNumber(1, 10_000)),
};

export function readPolicy(document: JsonObject): PolicyReading {
  const part: Part = { members: document, path: "", problems: [] };
  noteUnavailable(part, "policy");
  const head = {
    key: readNeeded(part, "policy_key", policyKey, ""),
    name: readNeeded(part, "name", shapes.name, ""),
    artifactType: readNeeded(part, "artifact_type", shapes.artifactType, ""),
    forbidSelfApproval: readMember(part, "forbid_self_approval", flag, false),
    forbidRepeatApprovers: readMember(part, "forbid_repeat_approvers", flag, false),
    forbiddenApprovers: readMember(part, "forbidden_approvers", shapes.dotPaths, []),
    requestTtlHours: readMember(part, "request_ttl_hours", shapes.hours, null),
    adminOverride: readMember(part, "admin_override", shapes.adminOverride, null),
    allowHandover: readMember(part, "allow_handover", flag, false),
    grant: readGrant(part),
  };
  readMember(part, "description", shapes.description, null);
  const assurance = readMember(part, "assurance", shapes.assurance, "session");
  const stages = readParts(part, "stages", stagesMax).map((stage) => readStage(stage, assurance));
  noteRepeatedOrders(stages, part.problems);
  const inOrder = stages.map(({ stage }) => stage).sort((left, right) => left.order - right.order);
  return { policy: { ...head, stages: inOrder }, assurance, stages, problems: part.problems };
}

/** What an approval yields: without limits where the document sets none (R-GRANT-3). */
function readGrant(part: Part): GrantTerms {
  const given = readMember(part, "grant", members, nothing);
  const terms: Part = { ...part, members: given, path: memberPath(part.path, "grant") };
  return {
    ttlMinutes: readMember(terms, "ttl_minutes", shapes.ttlMinutes, null),
    uses: readMember(terms, "uses", shapes.uses, null),
  };
}

const policyKey = {
  expected: "1 to 128 letters, digits and . _ : - that start with a letter or digit",
  read: (value: unknown): string | undefined =>
    typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(value) ? value : undefined,
};

/** `quorum` is AWE's second word for `any-n`; letter case never mattered. */
const stageMode = {
  expected: "one of all, any-n, quorum, percentage",
  read: (value: unknown): StageMode | undefined => {
    const word = typeof value === "string" ? value.toLowerCase() : "";
    return word === "quorum" ? "any-n" : (["all", "any-n", "percentage"] as const).find((mode) => mode === word);
  },
};

function readStage(part: Part, policyAssurance: Assurance): StageReading {
  const problemsBefore = part.problems.length;
  noteUnavailable(part, "stage");
  const mode = readMember(part, "mode", stageMode, "all");
  const order = readNeeded(part, "stage_order", shapes.stageOrder, 0);
  const rules = readRules(part, "rules", `stage ${order}, rule`);
  const escalationRules = readRules(part, "escalation_rules", `stage ${order}, escalation rule`);
  const stage: Stage = {
    order,
    name: readNeeded(part, "name", shapes.name, ""),
    mode,
    ...readCounting(part, mode),
    rules: rules.flatMap(({ rule }) => rule ?? []),
    skipIf: readMember(part, "skip_if", shapes.skipIf, null),
    onEmpty: readMember(part, "on_empty", shapes.onEmpty, "block"),
    parallelGroup: readMember(part, "parallel_group", shapes.parallelGroup, null),
    slaHours: readMember(part, "sla_hours", shapes.hours, null),
    onBreach: readMember(part, "on_breach", shapes.onBreach, null) ?? "notify",
    escalationRules: escalationRules.flatMap(({ rule }) => rule ?? []),
    escalationsMax: readMember(part, "escalations_max", shapes.escalationsMax, 1),
    allowDelegation: readMember(part, "allow_delegation", flag, true),
    ...readProving(part, policyAssurance),
  };
  const isSound = part.problems.length === problemsBefore;
  return { stage, path: part.path, members: part.members, rules, escalationRules, isSound };
}

/** The fields that decide how approvals, abstentions and rejections are counted. */
function readCounting(part: Part, mode: StageMode): Pick<Stage, "modeValue" | "minApprovals" | "abstain" | "reject"> {
  return {
    modeValue: readMember(part, "mode_value", shapes.modeValue, null),
    minApprovals: readMember(part, "min_approvals", shapes.minApprovals, 1),
    abstain: readMember(part, "abstain", shapes.abstain, mode === "percentage" ? "against" : "neutral"),
    reject: readMember(part, "reject", shapes.reject, "veto"),
  };
}

/** The fields that decide how a decision must be proven. */
function readProving(
  part: Part,
  policyAssurance: Assurance,
): Pick<Stage, "assurance" | "rejectAssurance" | "batch" | "minViewSeconds" | "requireView"> {
  const assurance = readMember(part, "assurance", shapes.assurance, policyAssurance);
  return {
    assurance,
    rejectAssurance: readMember(part, "reject_assurance", shapes.assurance, "session"),
    batch: readMember(part, "batch", flag, assurance !== "signed"),
    minViewSeconds: readMember(part, "min_view_seconds", shapes.minViewSeconds, null),
    requireView: readMember(part, "require_view", flag, false),
  };
}

function readRules(part: Part, name: string, label: string): RuleReading[] {
  return readParts(part, name, rulesMax).map((rulePart, index) => readRule(rulePart, `${label} ${index + 1}`));
}

/** Stands for a rule's value that is not there or no object. */
const nothing: JsonObject = {};

function readRule(part: Part, label: string): RuleReading {
  const kind = readMember(part, "kind", shapes.kind, "approver");
  const required = readMember(part, "required", flag, false);
  const type = readNeeded<RuleType | null>(part, "rule_type", shapes.ruleType, null);
  const value = readNeeded(part, "rule_value", members, nothing);
  const reading = { kind, type, path: part.path, members: part.members };
  if (type === "http") noteNotAvailable(part, "rule_type", type);
  if (type === null || value === nothing) return { ...reading, rule: null };
  const valuePart = { ...part, members: value, path: `${part.path}.rule_value` };
  noteUnavailable(valuePart, type);
  if (type === "http") return { ...reading, rule: null };
  const match = matchReaders[type](value);
  if (typeof match !== "string")
    return { ...reading, rule: { match, kind, required: required && kind === "approver" } };
  part.problems.push({
    code: "bad_rule_value",
    severity: "error",
    path: valuePart.path,
    message: `${label}: ${type} needs ${match}`,
  });
  return { ...reading, rule: null };
}

type UsableRuleType = Exclude<RuleType, "http">;

/** What the rule's value says, or which field it needs. */
const matchReaders: Record<UsableRuleType, (value: JsonObject) => RuleMatch | string> = {
  user: (value) => {
    const name = personName.read(memberOf(value, "user_id") ?? null);
    return name === undefined ? "user_id" : { type: "user", name };
  },
  role: (value) => {
    const role = directoryName.read(memberOf(value, "role") ?? null);
    const client = shapes.client.read(memberOf(value, "client") ?? null);
    if (role === undefined) return "role";
    return client === undefined ? "client to be text" : { type: "role", role, client };
  },
  group: (value) => {
    const path = groupPath.read(memberOf(value, "group") ?? null);
    const subgroups = memberOf(value, "include_subgroups");
    const includeSubgroups = subgroups === undefined ? false : flag.read(subgroups);
    if (path === undefined) return "group";
    return includeSubgroups === undefined
      ? "include_subgroups to be true or false"
      : { type: "group", path, includeSubgroups };
  },
  expression: (value) => {
    const logic = members.read(memberOf(value, "logic") ?? null);
    return logic === undefined ? "logic" : { type: "expression", logic };
  },
};

function noteUnavailable(part: Part, kind: PolicyPartKind): void {
  for (const name of unavailableIn(part.members, kind)) noteNotAvailable(part, name, null);
}

function noteNotAvailable(part: Part, name: string, word: string | null): void {
  const path = memberPath(part.path, name);
  const subject = word === null ? path : `${path} '${word}'`;
  const message = `${subject} is not available in this version`;
  part.problems.push({ code: "not_available", severity: "error", path, message });
}

function noteRepeatedOrders(stages: readonly StageReading[], problems: PolicyProblem[]): void {
  const seen = new Set<number>();
  const noted = new Set<number>();
  for (const { stage, path } of stages) {
    if (seen.has(stage.order) && !noted.has(stage.order) && stage.order > 0) {
      noted.add(stage.order);
      problems.push({
        code: "duplicate_stage_order",
        severity: "error",
        path: `${path}.stage_order`,
        message: `stage_order ${stage.order} is used twice`,
      });
    }
    seen.add(stage.order);
  }
}
