/**
 * Who there is and what they hold: people's identities, roles, factors, sessions, machines and their tokens, organizations
 * and their providers, as plain records. Implements the data of docs/spec/identity.md.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { PersonStatus } from "../core/person-status.ts";

export interface OrganizationRecord {
  readonly id: string;
  readonly name: string;
  readonly slug: string | null;
  readonly status: "active" | "suspended";
  readonly createdAt: Instant;
}

export interface PersonRecord {
  readonly id: PersonId;
  /** The organization that first met the person; roles may stand in others. */
  readonly orgId: string;
  readonly assignee: string;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly status: PersonStatus;
  /** WebAuthn user handle: base64url of 32 random bytes (R-FACT-1); null until the first passkey. */
  readonly handle: string | null;
  readonly firstSignedInAt: Instant | null;
  /** May sign in locally although the organization requires its identity provider (R-LOCAL-1). */
  readonly breakGlass: boolean;
  readonly createdAt: Instant;
}

export interface IdentityRecord {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly personId: PersonId;
  readonly providerId: string | null;
  readonly createdAt: Instant;
  readonly unlinkedAt: Instant | null;
}

export interface RoleGrantRecord {
  readonly id: string;
  /** Null for roles of the platform. */
  readonly orgId: string | null;
  readonly personId: PersonId;
  readonly role: string;
  /** `admin`, `setup`, `invitation`, `environment`, `scim:<id>`, `provider:<id>` (R-IDP-8). */
  readonly source: string;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly endedAt: Instant | null;
}

/** `enrolment` sessions may enrol factors and nothing else (R-LOCAL-1). */
export type SessionKind = "web" | "cli" | "enrolment";

export interface SessionRecord {
  /** SHA-256 of the secret, hex. */
  readonly tokenHash: string;
  /** Stays when the secret is renewed (R-SESS-2). */
  readonly id: string;
  readonly orgId: string;
  readonly personId: PersonId;
  readonly kind: SessionKind;
  /** `passkey`, `password`, `oidc`, `cli`, `link`, or `development`. */
  readonly method: string;
  /** 1 = one factor, 2 = two factors or a passkey with user verification. */
  readonly aal: number;
  readonly claims: JsonObject;
  readonly providerId: string | null;
  /** The `sid` of the identity provider, for its logout (R-IDP-11). */
  readonly upstreamSession: string | null;
  /** What asked, as it says of itself: browser family, or client version and host name. */
  readonly client: string | null;
  readonly address: string | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly lastSeenAt: Instant | null;
  readonly idleSeconds: number | null;
  /** The newest proof of a factor in this session, for the step-up window. */
  readonly factorAt: Instant | null;
  readonly factorId: string | null;
  readonly endedAt: Instant | null;
  readonly endCause: string | null;
}

export interface FactorRecord {
  readonly id: string;
  readonly personId: PersonId;
  readonly type: "passkey" | "totp";
  readonly name: string;
  /** Passkeys, base64url. */
  readonly credentialId: string | null;
  /** The COSE key, base64url. */
  readonly publicKey: string | null;
  /** COSE algorithm: -7, -8 or -257. */
  readonly algorithm: number | null;
  readonly signCount: number | null;
  readonly transports: readonly string[] | null;
  readonly aaguid: string | null;
  readonly backupEligible: boolean | null;
  readonly backedUp: boolean | null;
  readonly rpId: string | null;
  readonly attestation: string | null;
  /** TOTP seed, sealed. */
  readonly secret: string | null;
  readonly createdAt: Instant;
  /** End of the cool-down (R-FACT-9). */
  readonly usableAt: Instant;
  readonly lastUsedAt: Instant | null;
  readonly signingDisabledAt: Instant | null;
  readonly disabledAt: Instant | null;
  readonly removedAt: Instant | null;
}

export interface PasswordRecord {
  readonly personId: PersonId;
  /** `scrypt$17$8$1$<salt>$<hash>`, base64url. */
  readonly hash: string;
  readonly changedAt: Instant;
}

export interface BackupCodeRecord {
  readonly id: string;
  readonly personId: PersonId;
  readonly codeHash: string;
  readonly createdAt: Instant;
  readonly usedAt: Instant | null;
  readonly endedAt: Instant | null;
}

/** Which kind of factor a person would rather be asked for. */
export interface FactorPreferenceRecord {
  readonly personId: PersonId;
  readonly method: "totp" | "webauthn";
  readonly updatedAt: Instant;
}

export interface TrustedDeviceRecord {
  readonly id: string;
  readonly personId: PersonId;
  readonly tokenHash: string;
  readonly browser: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly lastUsedAt: Instant | null;
  readonly revokedAt: Instant | null;
}

export interface OneTimeLinkRecord {
  readonly id: string;
  readonly orgId: string | null;
  readonly kind: "setup" | "invitation" | "recovery";
  readonly tokenHash: string;
  readonly personId: PersonId | null;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly usedAt: Instant | null;
  readonly replacedAt: Instant | null;
}

export type MachineKind = "ci" | "service" | "agent" | "device" | "connector" | "acme";

export interface MachineRecord {
  readonly id: string;
  readonly orgId: string;
  readonly kind: MachineKind;
  readonly name: string;
  readonly owners: readonly PersonId[];
  readonly contactId: PersonId | null;
  readonly actsForId: PersonId | null;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly disabledAt: Instant | null;
}

export interface ApiTokenRecord {
  readonly id: string;
  readonly orgId: string;
  readonly machineId: string;
  readonly name: string;
  readonly prefix: string;
  readonly lastFour: string;
  readonly scopes: readonly string[];
  readonly creatorPermissions: readonly string[];
  /** `{cidrs?, apps?, racks?, trust_profiles?, policy_keys?}` (R-TOK-7). */
  readonly limits: JsonObject;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  readonly legacy: boolean;
  /**
   * `{provider, value, expires_at, claims}` of the workload's token it was given for (R-WID-3), `{provider}` alone for the token
   * without a secret that stands for the provider (deploy R-OIDC-1); null for one that somebody made.
   */
  readonly exchanged: JsonObject | null;
  /** The last warning of its end that was given, in days before it (R-TOK-3). */
  readonly warnedDays: number | null;
}

export interface TokenSecretRecord {
  readonly tokenHash: string;
  readonly tokenId: string;
  readonly createdAt: Instant;
  readonly endsAt: Instant | null;
}

export interface IdentityProviderRecord {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Sealed; null for public clients. */
  readonly clientSecret: string | null;
  /** The shape of `identityProviderSettingsSchema` in src/contract. */
  readonly settings: JsonObject;
  readonly enabled: boolean;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly deletedAt: Instant | null;
}

export interface WorkloadProviderRecord {
  readonly id: string;
  readonly orgId: string;
  readonly machineId: string;
  readonly name: string;
  readonly preset: "github" | "gitlab" | "circleci" | "kubernetes" | "custom";
  readonly issuer: string;
  readonly audience: string;
  readonly subjects: readonly string[];
  /** Claim → allowed values. */
  readonly claims: JsonObject;
  readonly scopes: readonly string[];
  /** `{racks?, apps?}`: where the deploy gate lets its jobs in (deploy R-OIDC-1). */
  readonly limits: JsonObject;
  /** Its jobs ask for their own commit and build no other (deploy R-OIDC-4). */
  readonly bindCommit: boolean;
  readonly enabled: boolean;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly deletedAt: Instant | null;
}

export interface SettingRecord {
  readonly orgId: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly updatedBy: string;
  readonly updatedAt: Instant;
}

export interface ScimResourceRecord {
  readonly id: string;
  readonly orgId: string;
  readonly kind: "user" | "group";
  readonly externalId: string | null;
  readonly personId: PersonId | null;
  readonly groupPath: string | null;
  readonly attributes: JsonObject;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly deletedAt: Instant | null;
}

/** A name by which somebody is known; `verified` once a token has proved it (R-AUTH-1). */
export interface AliasRecord {
  readonly orgId: string;
  readonly name: string;
  readonly folded: string;
  readonly personId: PersonId;
  readonly proof: "asserted" | "verified";
}

/** A role (with the client as namespace, "" for none) or a group (its path) of the local directory (R-RESOLVE-11). */
export interface DirectoryEntry {
  readonly orgId: string;
  readonly kind: "role" | "group";
  readonly client: string;
  readonly name: string;
  readonly members: readonly PersonId[];
  readonly createdAt: Instant;
  readonly deleted: boolean;
}
