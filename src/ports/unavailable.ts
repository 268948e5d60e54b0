/** The world failed, not the asker: nothing was changed, and the same call may work later. */
export type UnavailableCode = "database_down" | "ledger_unavailable" | "quarantined" | "busy" | "idp_unavailable";

export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly code: UnavailableCode;
  readonly retryable = true;

  constructor(code: UnavailableCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
