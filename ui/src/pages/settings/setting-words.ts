import type { Json } from "../../api/read.ts";

export interface SettingWords {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly effect: string;
  /** `shown`: the installation says so, and nobody changes it here. */
  readonly kind: "switch" | "number" | "list" | "shown";
  readonly unit?: string;
  /** Where the installation's own value comes from: what its operator sets in the environment. */
  readonly variable?: string;
}

/** The settings that the console knows how to change. Others are shown as they are. */
const known: Readonly<Record<string, SettingWords>> = {
  require_sso: {
    name: "Sign in by identity provider only",
    effect: "Passkeys and passwords no longer sign anybody in, except people kept for emergencies.",
    kind: "switch",
  },
  factor_cool_down_hours: {
    name: "Cool-down of new factors",
    effect: "A factor that is added later, or after a recovery, serves no decision for this long.",
    kind: "number",
    unit: "hours",
    variable: "COUNTERSIGN_FACTOR_COOL_DOWN",
  },
  aal3: {
    name: "Device-bound passkeys only",
    effect: "Passkeys that can be copied between devices are not accepted for decisions.",
    kind: "switch",
  },
  aaguids: {
    name: "Accepted models of passkeys",
    effect: "Only authenticators of these models (AAGUID) can be enrolled. Empty: all.",
    kind: "list",
  },
  session_timeout_minutes: {
    name: "Idle sessions end after",
    effect: "A browser session in which nothing is done ends after this time.",
    kind: "number",
    unit: "minutes",
    variable: "COUNTERSIGN_SESSION_TIMEOUT_MINUTES",
  },
  backup_codes_decide: {
    name: "Backup codes may decide",
    effect: "A backup code counts as a factor for a decision, not only for signing in.",
    kind: "switch",
    variable: "COUNTERSIGN_BACKUP_CODES_DECIDE",
  },
  person_token_audience: {
    name: "Audience of forwarded tokens",
    effect:
      "A person's token that a service forwards must be made for this audience; with any, one made for another service is accepted too.",
    kind: "shown",
  },
};

/** A setting that this console does not know yet is shown as it is. */
export function settingWords(key: string): SettingWords {
  return (
    known[key] ?? { name: key, effect: "A setting that this version of the console has no words for.", kind: "list" }
  );
}

const SOURCES: Readonly<Record<string, string>> = {
  organization: "set here",
  environment: "from the environment",
  file: "from the configuration file",
  default: "default",
};

/** Who says what applies (console R-ADM-1). */
export function sourceWords(source: string): string {
  return SOURCES[source] ?? source;
}

export function valueWords(value: Json, words: SettingWords): string {
  if (words.kind === "shown") return typeof value === "string" ? value || "any" : "none are accepted";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return [value.toLocaleString("en"), words.unit ?? ""].join(" ").trim();
  if (typeof value === "string") return value;
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.length === 0 ? "all" : list.filter((item) => typeof item === "string").join(", ");
}
