/** A delegation as the wire shows it. */
import type { DelegationOut } from "../../contract/delegations.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { DelegationRecord } from "../../ports/change-set.ts";

export function delegationOut(delegation: DelegationRecord, now: number): DelegationOut {
  const { startsAt, endsAt, deletedAt } = delegation;
  return {
    id: delegation.id,
    user_id: delegation.fromName,
    delegate_to: delegation.toName,
    starts_at: wireTime(startsAt),
    ends_at: wireTime(endsAt),
    reason: delegation.reason,
    created_by: delegation.createdBy,
    created_at: wireTime(delegation.createdAt),
    updated_at: wireTime(delegation.updatedAt),
    policy_keys: [...delegation.policyKeys],
    artifact_types: [...delegation.artifactTypes],
    active: deletedAt === null && startsAt <= now && now < endsAt,
  };
}
