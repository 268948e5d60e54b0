/** Why the embedded database could not be started, in words for the person at the terminal. */
export type EmbeddedPostgresFaultCode =
  "embedded_postgres_missing" | "embedded_postgres_in_use" | "embedded_postgres_data" | "embedded_postgres_start";

export class EmbeddedPostgresFault extends Error {
  override readonly name: string = "EmbeddedPostgresFault";
  readonly code: EmbeddedPostgresFaultCode;
  readonly retryable: boolean;

  constructor(code: EmbeddedPostgresFaultCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.retryable = code === "embedded_postgres_start";
  }
}
