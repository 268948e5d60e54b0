/** A factor on the wire: what its person, and whoever administers them, may know of it (docs/spec/identity.md section 4). */
import type { FactorOut } from "../../contract/factors.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { FactorRecord } from "../../ports/identity-records.ts";

export function factorOut(factor: FactorRecord): FactorOut {
  const { id, type, name, createdAt, lastUsedAt, usableAt, disabledAt, signingDisabledAt } = factor;
  return {
    ...{ id, type, name, created_at: wireTime(createdAt) },
    ...{ last_used_at: wireTimeOrNull(lastUsedAt), usable_at: wireTime(usableAt) },
    device_bound: type === "passkey" && factor.backupEligible === false,
    synced: factor.backedUp === true,
    signing: type === "passkey" && disabledAt === null && signingDisabledAt === null,
    disabled: disabledAt !== null,
  };
}
