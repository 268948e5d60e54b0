/** The server does not start, or cannot go on, for a reason that the person at the terminal can act on. */
export type StartRefusedCode =
  | "dev_mode_refused"
  | "ledger_is_dev"
  | "plain_http_refused"
  | "rp_id_changed"
  | "identity_provider_misconfigured"
  | "server_key_invalid"
  | "sealing_key_missing"
  | "setting_invalid"
  | "port_in_use"
  | "cannot_listen"
  | "signing_key_mismatch"
  | "data_dir_mismatch"
  | "ledger_missing"
  | "tampered";

export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly code: StartRefusedCode;

  constructor(code: StartRefusedCode, message: string) {
    super(message);
    this.code = code;
  }
}
