import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import { initialsOf } from "./initials.ts";
import styles from "./signature-line.module.css";

/** One needed seat. `by` is absent while it is open, and where only the number of signatures is known. */
export interface Signature {
  readonly state: "open" | "approved" | "rejected" | "abstained";
  readonly by?: string | undefined;
  readonly delegated?: boolean;
}

const glyphs = { open: "", approved: "✓", rejected: "✕", abstained: "–" } as const;
const words = { open: "open", approved: "approved", rejected: "rejected", abstained: "abstained" } as const;

/** Long rows are told as a number: nobody counts forty rules. */
const drawnAtMost = 6;

/** The mark of the product: a short rule for each needed signature, the decided ones signed. */
export function SignatureLine({ signatures }: { readonly signatures: readonly Signature[] }): ReactNode {
  const signed = signatures.filter((signature) => signature.state === "approved").length;
  const drawn = signatures.slice(0, drawnAtMost);
  const rest = signatures.length - drawn.length;
  return (
    <span className={styles.line} role="img" aria-label={spoken(signatures, signed)}>
      {drawn.map((signature, index) => (
        <span
          key={index}
          className={classNames(styles.rule, styles[signature.state], signature.delegated === true && styles.delegated)}
        >
          {signature.by !== undefined && <i className={styles.initials}>{initialsOf(signature.by)}</i>}
          <span className={styles.glyph}>{glyphs[signature.state]}</span>
        </span>
      ))}
      {rest > 0 && <span className={styles.rest}>+{rest}</span>}
    </span>
  );
}

function spoken(signatures: readonly Signature[], signed: number): string {
  const named = signatures
    .filter((signature) => signature.by !== undefined)
    .map((signature) => `${signature.by ?? ""} ${words[signature.state]}`);
  const head = `${String(signed)} of ${String(signatures.length)} signatures`;
  return named.length === 0 ? head : `${head}: ${named.join(", ")}`;
}

/** Where only the count is known: so many signed, the rest open. */
export function countedSignatures(needed: number, approved: number): readonly Signature[] {
  const length = Math.max(needed, approved, 1);
  return Array.from({ length }, (_, index) => ({ state: index < approved ? "approved" : "open" }));
}
