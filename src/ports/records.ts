/**
 * Records: rows that the application reads and writes whole, by a key. `Needs.records` loads them for a command,
 * `ChangeSet.records` writes them with its entries; `Reader.records` reads them outside of a transaction.
 */
import type {
  CeremonyRecord,
  CliLoginRecord,
  LoginStateRecord,
  SpentProofRecord,
  StatementRecord,
  ViewRecord,
} from "./ceremony-records.ts";
import type { ChatIntegrationRecord } from "./chat.ts";
import type {
  DeployApprovalRecord,
  DeployArchiveRecord,
  DeployObjectRecord,
  DeploySettingRecord,
  DeployTreeRecord,
  DeployVcsFactsRecord,
} from "./deploy-records.ts";
import type { EffectRecord } from "./effects.ts";
import type { WebhookSecretRecord } from "./webhook-records.ts";
import type {
  AliasRecord,
  ApiTokenRecord,
  BackupCodeRecord,
  DirectoryEntry,
  FactorPreferenceRecord,
  FactorRecord,
  IdentityProviderRecord,
  IdentityRecord,
  MachineRecord,
  OneTimeLinkRecord,
  OrganizationRecord,
  PasswordRecord,
  PersonRecord,
  RoleGrantRecord,
  ScimResourceRecord,
  SessionRecord,
  SettingRecord,
  TokenSecretRecord,
  TrustedDeviceRecord,
  WorkloadProviderRecord,
} from "./identity-records.ts";

/** State: every change stands in the ledger. */
export interface StateRecords {
  readonly organization: OrganizationRecord;
  readonly person: PersonRecord;
  readonly identity: IdentityRecord;
  readonly roleGrant: RoleGrantRecord;
  readonly session: SessionRecord;
  readonly factor: FactorRecord;
  readonly password: PasswordRecord;
  readonly backupCode: BackupCodeRecord;
  readonly factorPreference: FactorPreferenceRecord;
  readonly trustedDevice: TrustedDeviceRecord;
  readonly oneTimeLink: OneTimeLinkRecord;
  readonly machine: MachineRecord;
  readonly apiToken: ApiTokenRecord;
  readonly tokenSecret: TokenSecretRecord;
  readonly identityProvider: IdentityProviderRecord;
  readonly workloadProvider: WorkloadProviderRecord;
  readonly setting: SettingRecord;
  readonly scimResource: ScimResourceRecord;
  readonly alias: AliasRecord;
  readonly directoryEntry: DirectoryEntry;
  readonly effect: EffectRecord;
  readonly webhookSecret: WebhookSecretRecord;
  readonly deployApproval: DeployApprovalRecord;
  readonly deployObject: DeployObjectRecord;
  readonly deploySetting: DeploySettingRecord;
  readonly chatIntegration: ChatIntegrationRecord;
}

/** What lives for minutes, beside the ledger. */
export interface ScratchRecords {
  readonly ceremony: CeremonyRecord;
  readonly loginState: LoginStateRecord;
  readonly cliLogin: CliLoginRecord;
  readonly view: ViewRecord;
  readonly statement: StatementRecord;
  readonly spentProof: SpentProofRecord;
  readonly deployTree: DeployTreeRecord;
  readonly deployArchive: DeployArchiveRecord;
  readonly deployVcsFacts: DeployVcsFactsRecord;
}

export type Records = StateRecords & ScratchRecords;
export type RecordKind = keyof Records;
export type StateKind = keyof StateRecords;
export type ScratchKind = keyof ScratchRecords;

/** A member by which records are looked up: text members, or a list of text that holds the value. */
export type RecordMember<Kind extends RecordKind> = keyof Records[Kind] & string;

/** Made by `recordsBy` alone, so that `by` is a member of the kind's record. */
export interface RecordQuery<Kind extends RecordKind = RecordKind> {
  readonly kind: Kind;
  readonly by: string;
  readonly values: readonly string[];
}

export function recordsBy<Kind extends RecordKind>(
  kind: Kind,
  by: RecordMember<Kind>,
  values: readonly string[],
): RecordQuery<Kind> {
  return { kind, by, values };
}

/** Whole records, to add or to replace those with the same key. */
export type RecordChanges = { readonly [Kind in RecordKind]?: readonly Records[Kind][] };

/** Short-lived records outside of the ledger's transactions, each call a transaction of its own. */
export interface Scratch {
  /** False when a record with this key exists already: it was spent before (R-FACT-4). */
  add<Kind extends ScratchKind>(kind: Kind, record: Records[Kind]): Promise<boolean>;
  /** Adds the record, or replaces the one with this key: what is read again from time to time. */
  put<Kind extends "deployVcsFacts">(kind: Kind, record: Records[Kind]): Promise<void>;
  /** Marks as used and gives the record as it was; undefined when it is unknown, used or over. For one use only. */
  consume<Kind extends "ceremony" | "loginState" | "cliLogin">(
    kind: Kind,
    key: string,
    now: number,
  ): Promise<Records[Kind] | undefined>;
}

export interface RateLimit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Counts shared by all processes (docs/spec/identity.md section 10). */
export interface RateCounter {
  /** Counts one call against every limit; null when all allow it, else the seconds to wait. */
  count(bucket: string, key: string, limits: readonly RateLimit[], now: number): Promise<number | null>;
}

export interface FailureState {
  /** In the present window. */
  readonly failures: number;
  readonly inARow: number;
  readonly blockedUntil: number | null;
}

/** Failed proofs, counted in transactions of their own (R-STEP-3, R-FACT-7). */
export interface FailureCounter {
  state(scope: string, key: string, now: number): Promise<FailureState>;
  /** One more failure: after `limit` within the window everything is refused for a time that doubles up to the most. */
  fail(
    scope: string,
    key: string,
    rule: {
      readonly limit: number;
      readonly windowSeconds: number;
      readonly blockSeconds: number;
      readonly blockSecondsMax: number;
    },
    now: number,
  ): Promise<FailureState>;
  succeed(scope: string, key: string): Promise<void>;
}
