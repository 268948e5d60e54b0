/** An expected no: a stable code and a sentence for the person who asked. Refusals are values, never thrown. */

import type { IdentityRefusalCode } from "./identity-refusal.ts";

/** Closed union; what each code means on the wire is decided in the contract layer. */
export type RefusalCode =
  | IdentityRefusalCode
  | "machine"
  | "not_assignee"
  | "forbidden"
  | "wrong_state"
  | "quorum_conflict"
  | "digest_mismatch"
  | "grant_unusable"
  | "grant_not_supported"
  | "grant_expired"
  | "extension_limit"
  | "extension_not_later"
  | "approval_stale"
  | "vcs_unavailable"
  | "source_not_ready"
  | "separation_of_duties"
  | "comment_required"
  | "artifact_type_mismatch"
  | "policy_invalid"
  | "policy_exists"
  | "policy_key_mismatch"
  | "policy_not_found"
  | "no_active_policy"
  | "request_not_found"
  | "task_not_found"
  | "delegation_not_found"
  | "directory_entry_not_found"
  | "delivery_not_found"
  | "webhook_secret_not_found"
  | "precondition_failed"
  | "idempotency_conflict"
  | "identity_conflict"
  | "resolver_failed"
  | "invalid_input"
  | "not_available";

export interface RefusalDetail {
  /** Where in the input, outermost first: `["body", "delegate_to"]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly code?: string;
}

export interface Refusal {
  readonly refusal: RefusalCode;
  readonly message: string;
  readonly details?: readonly RefusalDetail[];
  /** What a program needs besides the code: further members of the answer. */
  readonly members?: RefusalMembers;
}

export interface RefusalMembers {
  /** What a decision needs, and what the person can prove it with (engine R-DECIDE-10). */
  readonly step_up?: { readonly needed: string; readonly methods: string[] };
  /** What is no longer as it was shown (identity section 7). */
  readonly changed?: string[];
}

export function refuse(refusal: RefusalCode, message: string, details?: readonly RefusalDetail[]): Refusal {
  return details === undefined ? { refusal, message } : { refusal, message, details };
}

export function isRefusal(value: object): value is Refusal {
  return "refusal" in value;
}

/** A state that cannot exist. Thrown, so that no code path goes on from it. */
export class Bug extends Error {
  override readonly name = "Bug";
  constructor(message: string) {
    super(`${message} (this is a bug)`);
  }
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}
