/**
 * Which state does the wire show, and which change of state is possible at all? The one place of the mapping from the
 * engine's words. Implements docs/spec/deploy.md R-STATE-1, R-STATE-2 and the instants of R-STATE-8 and R-EXPIRY-3.
 */
import type { Instant } from "../../core/person.ts";
import type { DeployGrant, DeployStanding, EndReason } from "./deploy-records.ts";

export const deployStatuses = [
  "pending",
  "approved",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "deployed",
] as const;

export type DeployStatus = (typeof deployStatuses)[number];

/** Expiry is true from its instant on, whether or not anybody has written it (deploy R-EXPIRY-3). */
export function deployStatus(standing: DeployStanding, now: Instant): DeployStatus {
  switch (standing.engine) {
    case "pending":
    case "in_review":
      return now < standing.requestExpiresAt ? "pending" : "expired";
    case "approved":
      return standing.grant === null ? "expired" : grantStatus(standing.grant, standing, now);
    case "rejected":
      return "rejected";
    case "expired":
      return "expired";
    case "cancelled":
      return standing.cancelReason ?? "cancelled";
  }
}

/**
 * Where an approval ends in the wire's words; an approval that was granted cannot be superseded (deploy R-REQ-5). A grant that has
 * ended is never used any more, and yet a promote that was admitted in time deploys (deploy R-EXPIRY-3, R-STATE-6).
 */
function grantStatus(grant: DeployGrant, { deployedAt }: DeployStanding, now: Instant): DeployStatus {
  const isDeployed = deployedAt !== null && deployedAt <= now;
  switch (grant.state) {
    case "active":
      if (isDeployed) return "deployed";
      return now < grant.expiresAt ? "approved" : "expired";
    case "used":
      return "deployed";
    case "expired":
      return isDeployed ? "deployed" : "expired";
    case "revoked":
      return grant.revokedReason === "rejected" ? "rejected" : "cancelled";
  }
}

export function isTerminal(status: DeployStatus): boolean {
  return status !== "pending" && status !== "approved";
}

/** When it ended, as far as it has by `now`; null while it is live. */
export function endedAt(standing: DeployStanding, now: Instant): Instant | null {
  const status = deployStatus(standing, now);
  if (!isTerminal(status)) return null;
  const { grant, deployedAt } = standing;
  if (status === "deployed" && deployedAt !== null) return deployedAt;
  if (grant !== null) return grant.endedAt ?? grant.expiresAt;
  return standing.completedAt ?? standing.requestExpiresAt;
}

/** How long clients may still finish after the end of an approval (deploy R-STATE-8). */
const AFTERWARDS_MS = 60 * 60_000;

/** Was it approved once, and is it live or ended less than an hour ago? Refused requests open nothing, ever. */
export function mayFinish(standing: DeployStanding, now: Instant): boolean {
  const { grant, deployedAt } = standing;
  if (grant === null || standing.engine !== "approved") return false;
  if (grant.state !== "revoked" && deployedAt !== null) return now < deployedAt + AFTERWARDS_MS;
  const end = Math.min(grant.endedAt ?? grant.expiresAt, grant.state === "used" ? Infinity : grant.expiresAt);
  return now < end + AFTERWARDS_MS;
}

/** How strongly the one who causes it must have proven who they are. */
export type TransitionProof = "always" | "none";

export interface Transition {
  readonly from: DeployStatus | "none";
  readonly to: DeployStatus;
  readonly by: "create" | "approve" | "reject" | "extend" | "cancel" | "supersede" | "expire" | "deploy";
  readonly proof: TransitionProof;
}

/** All that there is; what is not in it is refused with 409 and the current object. */
export const deployTransitions: readonly Transition[] = [
  { from: "none", to: "pending", by: "create", proof: "none" },
  { from: "pending", to: "pending", by: "approve", proof: "always" },
  { from: "pending", to: "approved", by: "approve", proof: "always" },
  { from: "pending", to: "rejected", by: "reject", proof: "none" },
  { from: "approved", to: "rejected", by: "reject", proof: "none" },
  { from: "approved", to: "approved", by: "extend", proof: "always" },
  { from: "pending", to: "cancelled", by: "cancel", proof: "none" },
  { from: "approved", to: "cancelled", by: "cancel", proof: "none" },
  { from: "pending", to: "superseded", by: "supersede", proof: "none" },
  { from: "pending", to: "expired", by: "expire", proof: "none" },
  { from: "approved", to: "expired", by: "expire", proof: "none" },
  { from: "approved", to: "deployed", by: "deploy", proof: "none" },
];

/** May a request in this state be acted on so at all? */
export function mayTransition(from: DeployStatus | "none", by: Transition["by"]): boolean {
  return deployTransitions.some((transition) => transition.from === from && transition.by === by);
}

/** What the engine is told when a request, or its grant, is ended from outside: the words of R-STATE-1. */
export function endReasonOf(by: Transition["by"]): EndReason | null {
  switch (by) {
    case "reject":
      return "rejected";
    case "cancel":
      return "cancelled";
    case "supersede":
      return "superseded";
    case "create":
    case "approve":
    case "extend":
    case "expire":
    case "deploy":
      return null;
  }
}
