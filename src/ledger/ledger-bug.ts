/**
 * An impossible state in our own code: the caller handed the ledger something no input may ever cause.
 * Input from outside never ends here; it ends as a finding (docs/spec/ledger.md section 9) or as `false`.
 */
export class LedgerBug extends Error {
  override readonly name: string = "LedgerBug";

  constructor(message: string) {
    super(`${message} (this is a bug)`);
  }
}
