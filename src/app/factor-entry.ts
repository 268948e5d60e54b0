/** What the ledger is told about factors: which one, whose, and what became of it (docs/spec/ledger.md section 5). */
import type { PersonId } from "../core/ids.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Application } from "./application.ts";
import { describe, type EntryData } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { sessionName } from "./session-record.ts";

export type FactorEntryKind =
  | "factor.enrolled"
  | "factor.removed"
  | "factor.vouched"
  | "factor.counter_regressed"
  | "factor.backup_codes_created"
  | "factor.used";

export interface FactorEntry {
  readonly kind: FactorEntryKind;
  /** Of the factor, the backup code, or the set of codes. */
  readonly id: string;
  readonly type: "passkey" | "totp" | "backup_code" | "backup_codes" | "password";
  readonly personId: PersonId;
  /** Who did it, where that is somebody else. */
  readonly by?: PersonId;
  readonly sessionId: string | null;
  readonly data?: EntryData;
}

export function factorEntry(app: Application, about: FactorEntry): DescribedEntry {
  const { kind, id, type, personId, by = personId, sessionId, data = {} } = about;
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind, actor: ledgerId("usr", by), resource: null, request: null },
      credential: sessionId === null ? null : sessionName({ id: sessionId }),
      data: { factor: ledgerId("fac", id), person: ledgerId("usr", personId), type, ...data },
    },
    app,
  );
}
