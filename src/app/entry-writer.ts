/** Drafts ledger entries; personal values go into commitments, their openings beside (ledger R-PRIV-1, R-PRIV-2). */
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { EntryDraft } from "../ledger/append.ts";
import { commit, SALT_BYTES, type Opening } from "../ledger/commitment.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import { base64url } from "./ledger-names.ts";

export interface EntryTools {
  readonly sha256: Sha256;
  readonly random: (length: number) => Uint8Array;
}

/** A value that the entry binds without holding it. */
export class Hidden {
  readonly value: JsonValue;
  /** Given where the commitment was made before, as in a signed statement; null for fresh random bytes. */
  readonly salt: Uint8Array | null;
  constructor(value: JsonValue, salt: Uint8Array | null = null) {
    this.value = value;
    this.salt = salt;
  }
}

/** Null stays null: it means that there was nothing to hide. */
export function hidden(value: JsonValue, salt: Uint8Array | null = null): Hidden | null {
  return value === null ? null : new Hidden(value, salt);
}

export type EntryData = Readonly<Record<string, JsonValue | Hidden>>;

export interface EntryFrame extends Omit<EntryDraft, "data"> {
  readonly data: EntryData;
}

export function describe(frame: EntryFrame, tools: EntryTools): DescribedEntry {
  const openings: Opening[] = [];
  const data: Record<string, JsonValue> = {};
  for (const [member, value] of Object.entries(frame.data)) {
    if (value instanceof Hidden) {
      const salt = value.salt ?? tools.random(SALT_BYTES);
      data[member] = commit(value.value, salt, tools.sha256);
      openings.push({ path: `/${member}`, salt: base64url(salt), value: value.value });
    } else data[member] = value;
  }
  const draft: EntryDraft & { readonly data: JsonObject } = { ...frame, data };
  return { draft, openings };
}

/** The ledger's form of an instant (ledger section 1, member `at`). */
export function ledgerTime(at: Instant): string;
export function ledgerTime(at: Instant | null): string | null;
export function ledgerTime(at: Instant | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
