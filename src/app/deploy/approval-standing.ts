/** What the engine's request says of a deploy approval, in the gate's words (docs/spec/deploy.md R-STATE-1, R-EXPIRY-3). */
import { needed, tally, type QuorumRule } from "../../core/quorum.ts";
import type { Request } from "../../core/request.ts";
import type { DeployApproval, DeployGrant, DeployStanding, EndReason } from "../../gates/deploy/deploy-records.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";

/** `deployedAt` of the approval's record. */
export function approvalStanding(
  request: Request,
  { deployedAt }: Pick<DeployApprovalRecord, "deployedAt">,
): DeployStanding {
  return {
    engine: request.status,
    cancelReason: request.status === "cancelled" ? cancelReason(request) : null,
    grant: grantOf(request),
    requestExpiresAt: request.expiresAt,
    completedAt: request.completedAt,
    deployedAt,
    approvalsMissing: approvalsMissing(request),
  };
}

/** The record together with what the engine says of it. */
export function approvalOf(record: DeployApprovalRecord, request: Request): DeployApproval {
  return {
    ...record,
    standing: approvalStanding(request, record),
    extensionCount: request.grant?.extensions ?? 0,
  };
}

function cancelReason({ outcome }: Request): EndReason {
  const cause = outcome?.cause ?? null;
  return cause === "superseded" || cause === "rejected" ? cause : "cancelled";
}

function grantOf({ grant }: Request): DeployGrant | null {
  if (grant === null) return null;
  const { state, notBefore, expiresAt, endedAt, revokedReason } = grant;
  return {
    state,
    revokedReason: revokedReason === null ? null : revokedReason === "rejected" ? "rejected" : "cancelled",
    issuedAt: notBefore,
    // An approval without an end is none here (deploy R-EXPIRY-1).
    expiresAt: expiresAt ?? notBefore,
    endedAt,
  };
}

/** Of the open stages; at least one while anything is open. */
function approvalsMissing({ stages }: Request): number {
  return stages
    .filter(({ state }) => state === "open" || state === "waiting" || state === "resolving")
    .map(({ mode, modeValue, seats }) => {
      const votes = tally(seats);
      const rule: QuorumRule = { mode, modeValue, minApprovals: 1, abstain: "neutral", reject: "veto" };
      return Math.max(1, needed(rule, votes) - votes.approved);
    })
    .reduce((sum, missing) => sum + missing, 0);
}
