/**
 * A policy as the engine reads it: every default filled in, every word checked.
 * The document that people write, store and digest is the policy JSON of docs/spec/policies.md section 2; `compile-policy.ts`
 * turns it into this value and `check-policy.ts` says what is wrong with it.
 */
import type { Assurance } from "./assurance-level.ts";
import type { JsonObject } from "./json.ts";

export type StageMode = "all" | "any-n" | "percentage";
export type OnEmpty = "skip" | "block";
export type OnBreach = "notify" | "auto_approve" | "auto_reject" | "escalate";
export type AbstainRule = "neutral" | "against";
export type RejectRule = "veto" | "vote";
export type AdminOverride = "allow" | "reason" | "off";

export type RuleMatch =
  | { readonly type: "user"; readonly name: string }
  | { readonly type: "role"; readonly role: string; readonly client: string | null }
  | { readonly type: "group"; readonly path: string; readonly includeSubgroups: boolean }
  | { readonly type: "expression"; readonly logic: JsonObject };

export interface ApproverRule {
  readonly match: RuleMatch;
  readonly kind: "approver" | "observer";
  /** Each person this rule finds must approve, on top of the mode (approvers only). */
  readonly required: boolean;
}

export interface Stage {
  readonly order: number;
  readonly name: string;
  readonly mode: StageMode;
  /** N for any-n, percent for percentage; null means 1 and 100. */
  readonly modeValue: number | null;
  readonly minApprovals: number;
  readonly abstain: AbstainRule;
  readonly reject: RejectRule;
  readonly rules: readonly ApproverRule[];
  readonly skipIf: JsonObject | null;
  readonly onEmpty: OnEmpty;
  readonly parallelGroup: number | null;
  readonly slaHours: number | null;
  readonly onBreach: OnBreach;
  readonly escalationRules: readonly ApproverRule[];
  readonly escalationsMax: number;
  readonly allowDelegation: boolean;
  /** Of approving and abstaining: the policy's where the stage does not raise it. */
  readonly assurance: Assurance;
  readonly rejectAssurance: Assurance;
  /** Several of its decisions may be signed by one touch (identity R-SIGN-5). */
  readonly batch: boolean;
  /** Time between the view and the decision, at least; null for no bound. */
  readonly minViewSeconds: number | null;
  /** Decisions must name a view. */
  readonly requireView: boolean;
}

/** What an approval yields; null is without limit. */
export interface GrantTerms {
  readonly ttlMinutes: number | null;
  readonly uses: number | null;
}

export interface Policy {
  readonly key: string;
  readonly name: string;
  readonly artifactType: string;
  readonly forbidSelfApproval: boolean;
  readonly forbidRepeatApprovers: boolean;
  /** Dot paths into the context: whoever is named there may not approve. */
  readonly forbiddenApprovers: readonly string[];
  readonly requestTtlHours: number | null;
  /** Null: the installation's setting `decisions.admin_override` applies. */
  readonly adminOverride: AdminOverride | null;
  readonly allowHandover: boolean;
  readonly grant: GrantTerms;
  /** In order of `order`; orders are unique. */
  readonly stages: readonly Stage[];
}

export type PolicyStatus = "draft" | "active" | "archived";

/** One finding about a policy document (docs/spec/policies.md section 4). */
export interface PolicyProblem {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** Where in the document, as `stages[0].rules[1].rule_value`. */
  readonly path: string;
  readonly message: string;
}
