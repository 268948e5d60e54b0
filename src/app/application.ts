/** What every use case is given. Built once per organization, in src/main. */
import type { Settings } from "../core/facts.ts";
import type { NewId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { CommandStore } from "../ports/command-store.ts";
import type { Passkeys, Passwords, Totp } from "../ports/factors.ts";
import type { IdentityProviders } from "../ports/identity-provider.ts";
import type { Reader } from "../ports/reader.ts";
import type { FailureCounter, RateCounter, Scratch } from "../ports/records.ts";
import type { Sealing } from "../ports/sealing.ts";
import type { WorkloadTokens } from "../ports/workload-tokens.ts";
import type { OrganizationDirectory } from "./organization-directory.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import type { DeployParts } from "./deploy/deploy-parts.ts";
import type { LastSeen } from "./last-seen.ts";
import type { RefusalDesk } from "./refusal-desk.ts";
import type { SettingOrigin } from "./setting-origin.ts";

export interface Application {
  readonly store: CommandStore;
  readonly reader: Reader;
  readonly scratch: Scratch;
  readonly rates: RateCounter;
  readonly failures: FailureCounter;
  readonly seals: Sealing;
  readonly passkeys: Passkeys;
  readonly totp: Totp;
  readonly passwords: Passwords;
  readonly identityProviders: IdentityProviders;
  readonly workloadTokens: WorkloadTokens;
  readonly settings: ApplicationSettings;
  readonly identity: IdentitySettings;
  /** The organization whose people, policies and requests this application serves. */
  readonly orgId: string;
  /** The same for another organization of this installation. */
  readonly forOrganization: (orgId: string) => Application;
  readonly sha256: Sha256;
  /** Cryptographically random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly newId: NewId;
  readonly lastSeen: LastSeen;
  readonly organizations: OrganizationDirectory;
  readonly refusals: RefusalDesk;
  readonly deploy: DeployParts;
  /** What the gates bring with them into every organization, as it is stored (docs/spec/policies.md R-POLICY-10). */
  readonly managedPolicies: readonly JsonObject[];
  readonly clock: () => number;
}

export interface ApplicationSettings extends Settings {
  readonly delegationMaxDays: number;
  /** Who reads what others ask for: those who take part, or everybody with a valid token (R-AUTH-31). */
  readonly readScope: "participants" | "authenticated";
  /** How many requests a machine may make; 0 = without limit (docs/spec/identity.md section 10). */
  readonly machineRequests: MachineRequests;
  /** Absent while no mail is sent (R-MAIL-1). */
  readonly notifier?: NotifierSettings;
  /** Absent where no callbacks are sent: requests that ask for them are refused. */
  readonly webhooks?: WebhookSettings;
}

export interface MachineRequests {
  readonly perMinute: number;
  /** At a time. */
  readonly open: number;
}

export interface WebhookSettings {
  /** Why an address may not be called; null when it may (R-HOOK-20). */
  readonly urlFault: (url: string) => string | null;
}

export interface NotifierSettings {
  /** Of those who look after this installation. */
  readonly adminAddresses: readonly string[];
}

/** What an installation says about signing in; an organization's settings may be stricter (docs/spec/identity.md). */
export interface IdentitySettings {
  /** Where people reach this installation, without a slash at the end. */
  readonly publicUrl: string;
  readonly stepUpWindowSeconds: number;
  readonly coolDownHours: number;
  readonly webIdleSeconds: number;
  readonly webSeconds: number;
  readonly cliSeconds: number;
  readonly sessionsPerPerson: number;
  readonly trustedDeviceDays: number;
  readonly backupCodesDecide: boolean;
  readonly requireMfaAll: boolean;
  /** Administrative acts with a person's forwarded token ask for a recent sign-in there, or a factor of ours (R-STEP-7). */
  readonly stepUpForJwt: boolean;
  readonly apiTokenMaxDays: number;
  /** Whom a person's forwarded token must be made for (R-IDP-12); "" is anybody, null that no such tokens are taken. */
  readonly personTokenAudience: string | null;
  /** Issuers that the installation trusts for its people: their tokens are never a workload's. */
  readonly peopleIssuers: readonly string[];
  /** Where these come from, for those that are shown as settings; the others are as they are by default. */
  readonly said: Readonly<Partial<Record<string, SettingOrigin>>>;
  /** Tokens are not verified and people may sign in as anybody (R-DEV). */
  readonly development: boolean;
}
