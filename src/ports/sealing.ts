/** Secrets that must be read back, kept so that the database alone does not give them away. Implements docs/spec/identity.md R-SEAL. */

/** Where a sealed value stands: it opens nowhere else (R-SEAL-1). */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  readonly row: string;
  readonly orgId: string | null;
}

export interface Sealing {
  seal(text: string, place: SealedPlace): string;
  /** Throws `SecretUnreadable` when the key is missing or the value does not belong here. */
  open(sealed: string, place: SealedPlace): string;
  /** Places whose value was opened in vain within the last hour and has neither been opened nor sealed anew since. */
  unreadable(): readonly SealedPlace[];
}

/** Refuses the act that needs the secret; it never yields an empty one (R-SEAL-4). */
export class SecretUnreadable extends Error {
  override readonly name = "SecretUnreadable";
  readonly keyId: string | null;
  constructor(place: SealedPlace, keyId: string | null) {
    super(`the sealed ${place.table}.${place.column} cannot be opened${keyId === null ? "" : ` (key ${keyId})`}`);
    this.keyId = keyId;
  }
}
