/** What an organization says about factors: its own settings where it has them, else those of the installation. */
import type { PersonId } from "../core/ids.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";

export interface FactorRules {
  readonly coolDownHours: number;
  readonly backupCodesDecide: boolean;
  /**
   * Null where any authenticator will do; else keys that are bound to a device: of these models by an attestation of their
   * maker, or of any model when the list is empty (R-FACT-1, R-FACT-12).
   */
  readonly aaguids: readonly string[] | null;
}

/** What there is to say of a passkey, when it is enrolled and whenever it is to sign: bound to a device, of a model that is taken. */
export function isAllowedPasskey(
  { backupEligible, attestation, aaguid }: Pick<FactorRecord, "backupEligible" | "attestation" | "aaguid">,
  { aaguids }: Pick<FactorRules, "aaguids">,
): boolean {
  if (aaguids === null) return true;
  if (backupEligible !== false) return false;
  // Without a believed attestation the model is what the key says of itself.
  const isAttested = attestation !== null && attestation !== "";
  return aaguids.length === 0 || (isAttested && aaguid !== null && aaguids.includes(aaguid));
}

const COOL_DOWN_HOURS_MAX = 168;
const KEYS = ["factor_cool_down_hours", "backup_codes_decide", "aal3", "aaguids"] as const;

export async function factorRules(app: Application): Promise<FactorRules> {
  const records = await app.reader.records(recordsBy("setting", "key", KEYS));
  const value = (key: (typeof KEYS)[number]): JsonValue =>
    records.find((record) => record.orgId === app.orgId && record.key === key)?.value ?? null;
  return {
    coolDownHours: hours(value("factor_cool_down_hours")) ?? app.identity.coolDownHours,
    backupCodesDecide: flag(value("backup_codes_decide")) ?? app.identity.backupCodesDecide,
    aaguids: flag(value("aal3")) === true ? texts(value("aaguids")) : null,
  };
}

/** In whichever of the person's organizations it is longest: a factor is one for all of them, and waits once. */
export async function longestCoolDownHours(app: Application, personId: PersonId): Promise<number> {
  const grants = await app.reader.records(recordsBy("roleGrant", "personId", [personId]));
  const elsewhere = grants.flatMap(({ orgId, endedAt }) => (orgId === null || endedAt !== null ? [] : [orgId]));
  const organizations = [...new Set([app.orgId, ...elsewhere])];
  const rules = await Promise.all(organizations.map((id) => factorRules(app.forOrganization(id))));
  return Math.max(...rules.map(({ coolDownHours }) => coolDownHours));
}

function hours(value: JsonValue): number | null {
  return typeof value === "number" && value >= 0 && value <= COOL_DOWN_HOURS_MAX ? value : null;
}

function flag(value: JsonValue): boolean | null {
  return typeof value === "boolean" ? value : null;
}

function texts(value: JsonValue): readonly string[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [];
  if (value === null || isJsonObject(value)) return [];
  return value.filter((each) => typeof each === "string").map((each) => each.toLowerCase());
}
