/** A rack did not answer, or not acceptably: was it the connection, the time, the certificate, the size? (docs/spec/deploy.md R-PROXY-8) */

export type RackFaultCode = "rack_unreachable" | "rack_timeout" | "rack_certificate" | "rack_answer_too_large";

export class RackFault extends Error {
  override readonly name = "RackFault";
  readonly code: RackFaultCode;
  /** Whether the rack may have seen the call: true means that a change may have been made. */
  readonly sent: boolean;

  /** `detail` is for the log, and holds nothing secret. */
  constructor(code: RackFaultCode, sent: boolean, detail: string) {
    super(detail);
    this.code = code;
    this.sent = sent;
  }
}
