/**
 * Which kinds of entry exist, and what may each hold? Implements docs/spec/ledger.md R-KIND-1 and R-LED-2: the list is
 * closed, so is every schema; an unknown kind cannot be appended and is opaque to a verifier.
 * `test/golden/ledger-kinds.txt` shows the whole list.
 */
import { compileSchema } from "./kind-schema.ts";
import type { DataCheck, KindSchema } from "./kind-schema.ts";
import { KINDS_OF_APPROVAL } from "./kinds-of-approval.ts";
import { KINDS_OF_INSTALLATION } from "./kinds-of-installation.ts";

const KINDS = { ...KINDS_OF_APPROVAL, ...KINDS_OF_INSTALLATION } as const;

export type LedgerKind = keyof typeof KINDS;

/** Every kind may carry the circumstances of the call (address, user agent, route …) as one commitment. */
const CIRCUMSTANCES = { "ctx?": "commitment" } as const satisfies KindSchema;

/** The schema of every kind, by name in alphabetical order. */
export const KIND_SCHEMAS: ReadonlyMap<string, KindSchema> = new Map<string, KindSchema>(
  Object.entries<KindSchema>(KINDS)
    .map(([kind, schema]): [string, KindSchema] => [kind, { ...schema, ...CIRCUMSTANCES }])
    .sort(([left], [right]) => (left < right ? -1 : 1)),
);

export const LEDGER_KINDS: readonly LedgerKind[] = [...KIND_SCHEMAS.keys()].filter(isLedgerKind);

const checks: ReadonlyMap<string, DataCheck> = new Map(
  [...KIND_SCHEMAS].map(([kind, schema]) => [kind, compileSchema(schema)]),
);

export function isLedgerKind(kind: string): kind is LedgerKind {
  return Object.hasOwn(KINDS, kind);
}

/** Null when `data` is what `kind` promises; otherwise a sentence. An unknown kind is refused. */
export function checkEntryData(kind: string, data: unknown): string | null {
  const check = checks.get(kind);
  return check === undefined ? `there is no kind called ${JSON.stringify(kind)}` : check(data, "data");
}
