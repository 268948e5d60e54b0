/** Machines and their tokens as the wire shows them. */
import { expiresSoon } from "../../app/token-expiry.ts";
import { readTokenLimits } from "../../app/token-limits.ts";
import type { Instant } from "../../core/person.ts";
import type { MachineOut } from "../../contract/machines.ts";
import type { TokenOut } from "../../contract/tokens.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { MachineView, TokenView } from "../../ports/reader.ts";

export function machineOut({ record, people, liveTokens }: MachineView): MachineOut {
  const { id, kind, name, owners, contactId, actsForId, createdAt, createdBy, disabledAt } = record;
  const active = people.filter((person) => person.active).map((person) => person.id);
  return {
    ...{ id, kind, name, owners: [...owners], contact_id: contactId, acts_for_id: actsForId },
    people: people.map((person) => ({ ...person })),
    owner_active: owners.length === 0 || owners.some((owner) => active.includes(owner)),
    live_tokens: liveTokens,
    ...{ created_at: wireTime(createdAt), created_by: createdBy, disabled_at: wireTimeOrNull(disabledAt) },
  };
}

export function tokenOut({ record, machine, ownerActive, lastUsedAt }: TokenView, now: Instant): TokenOut {
  const { id, machineId, name, prefix, lastFour, legacy, scopes, createdAt, createdBy, expiresAt, revokedAt } = record;
  return {
    ...{ id, machine_id: machineId, machine: machine.name, name, prefix, last_four: lastFour, legacy },
    ...{ scopes: [...scopes], limits: limitsOut(record) },
    ...{ created_at: wireTime(createdAt), created_by: createdBy, expires_at: wireTimeOrNull(expiresAt) },
    expires_soon: revokedAt === null && expiresSoon(expiresAt, now),
    ...{ revoked_at: wireTimeOrNull(revokedAt), last_used_at: wireTimeOrNull(lastUsedAt), owner_active: ownerActive },
  };
}

/** Only what narrows something is shown. */
function limitsOut({ limits }: TokenView["record"]): TokenOut["limits"] {
  const { cidrs, apps, racks, trustProfiles, policyKeys } = readTokenLimits(limits);
  return {
    ...(cidrs === null ? {} : { cidrs: [...cidrs] }),
    ...(apps === null ? {} : { apps: [...apps] }),
    ...(racks === null ? {} : { racks: [...racks] }),
    ...(trustProfiles === null ? {} : { trust_profiles: [...trustProfiles] }),
    ...(policyKeys === null ? {} : { policy_keys: [...policyKeys] }),
  };
}
