/** What the rack proxy asks before it judges a call under an approval (docs/spec/deploy.md R-BIND-2, R-BIND-3, R-STATE-6). */
import type { Instant } from "../core/person.ts";
import type { DeployApprovalRecord } from "./deploy-records.ts";

/** A token by its public id, or a person. */
export type DeployTarget = { readonly tokenId: string } | { readonly personId: string };

export interface DeployCallQuestion {
  readonly target: DeployTarget;
  readonly scope: string;
  readonly app: string;
  /** Approvals that ended before this are not of interest, unless they are the newest. */
  readonly endedSince: Instant;
}

export interface DeployCallReader {
  /**
   * Requests for this token or person in this scope, newest first: those that are approved or ended lately, the newest of the app,
   * and the newest of any app. Bounded however many there were.
   */
  deployApprovalsFor(question: DeployCallQuestion): Promise<readonly DeployApprovalRecord[]>;
  /** Of every organization: approvals under which something was sent to a rack whose outcome nobody has written down. */
  deployApprovalsInDoubt(limit: number): Promise<readonly DeployApprovalRecord[]>;
}
