/**
 * What the engine must be told before it can decide: people, memberships, absences. Looked up by the caller, handed in
 * as values (R-RESOLVE-1). `factsNeeded` says what to look up; nothing here looks anything up.
 */
import type { NewId, PersonId } from "./ids.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { evaluateLogic } from "./logic.ts";
import type { Delegation, Instant, Person } from "./person.ts";
import type { AdminOverride, ApproverRule, Policy, RuleMatch, Stage } from "./policy.ts";
import type { Request } from "./request.ts";

export type Lookup =
  { readonly ok: true; readonly members: readonly Person[] } | { readonly ok: false; readonly error: string };

export interface Facts {
  /** By exact name. Every name of `FactsNeeded.names` is present; unknown people arrive as fresh placeholders (R-AUTH-4). */
  readonly people: ReadonlyMap<string, Person>;
  /** By `lookupKey` of a role or group rule. */
  readonly lookups: ReadonlyMap<string, Lookup>;
  /** By delegator; those in force or not, the engine compares the times itself. */
  readonly delegations: ReadonlyMap<PersonId, readonly Delegation[]>;
  readonly newId: NewId;
}

export interface Settings {
  readonly adminOverride: AdminOverride;
  readonly defaultTtlHours: number;
  readonly enforceArtifactType: boolean;
}

export interface FactsNeeded {
  readonly names: readonly string[];
  readonly lookups: readonly Extract<RuleMatch, { type: "role" | "group" }>[];
}

export const NOTHING_NEEDED: FactsNeeded = { names: [], lookups: [] };

export function lookupKey(match: Extract<RuleMatch, { type: "role" | "group" }>): string {
  return match.type === "role"
    ? JSON.stringify(["role", match.client, match.role])
    : JSON.stringify(["group", match.path, match.includeSubgroups]);
}

/** The request as expressions see it: the context, and `$request` over it (R-RULE-8). */
export function expressionData(
  request: Pick<Request, "requester" | "creator" | "artifactType" | "artifactId" | "policy" | "revision" | "context">,
): JsonObject {
  return {
    ...request.context,
    $request: {
      requester: request.requester,
      source_service: request.creator.subject,
      artifact_type: request.artifactType,
      artifact_id: request.artifactId,
      policy_key: request.policy.key,
      revision: request.revision,
    },
  };
}

/** The names an expression yields: text is one, a list its non-empty scalar items, anything else nobody (R-RULE-3). */
export function namesOf(value: JsonValue): readonly string[] {
  const items = Array.isArray(value) ? value : [value];
  return items
    .filter((item) => typeof item === "string" || (Array.isArray(value) && typeof item === "number"))
    .map((item) => String(item).trim())
    .filter((name) => name !== "");
}

/** Everything the rules of these stages may ask for. Faulty expressions ask for nothing: they fail when they are used. */
export function factsNeeded(stages: readonly Stage[], data: JsonObject): FactsNeeded {
  return factsOfRules(
    stages.flatMap((stage) => stage.rules),
    data,
  );
}

/** The stages that a command on this request may start or escalate. */
export function factsNeededLater(policy: Policy, request: Request, now: Instant): FactsNeeded {
  const data = expressionData(request);
  const rules = policy.stages.flatMap((stage): readonly ApproverRule[] => {
    const run = request.stages.find((candidate) => candidate.order === stage.order);
    if (run?.state === "waiting" || run?.state === "resolving") return stage.rules;
    const overdue = run?.state === "open" && stage.onBreach === "escalate" && run.dueAt !== null && run.dueAt <= now;
    return overdue ? stage.escalationRules : [];
  });
  return factsOfRules(rules, data);
}

function factsOfRules(rules: readonly ApproverRule[], data: JsonObject): FactsNeeded {
  const names = new Set<string>();
  const lookups = new Map<string, Extract<RuleMatch, { type: "role" | "group" }>>();
  for (const { match } of rules) {
    if (match.type === "role" || match.type === "group") lookups.set(lookupKey(match), match);
    else for (const name of namesIn(match, data)) names.add(name);
  }
  return { names: [...names], lookups: [...lookups.values()] };
}

function namesIn(match: Extract<RuleMatch, { type: "user" | "expression" }>, data: JsonObject): readonly string[] {
  if (match.type === "user") return [match.name];
  const result = evaluateLogic(match.logic, data);
  return result.ok ? namesOf(result.value) : [];
}
