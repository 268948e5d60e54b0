import type { DecisionAction, Signature } from "../api/decisions.ts";
import { askPasskey } from "../api/passkeys.ts";
import type { View } from "../api/views.ts";
import { mintStatement } from "../api/views.ts";
import { assertChallenge, checkedStatement } from "./check-statement.ts";

interface Signing {
  readonly action: DecisionAction;
  readonly comment: string;
  /** Digest of the payload on the screen. */
  readonly digest: string | null;
}

/** View, statement, signature: the statement is compared with what is on the screen before a passkey is asked. */
export async function signView(view: View, { action, comment, digest }: Signing): Promise<Signature> {
  const minted = await mintStatement({ taskId: view.task_id, view: view.id, action, comment });
  checkedStatement(minted.statement, { action, comment, view, digest });
  assertChallenge(minted.options, minted.statement);
  return { statement: minted.id, response: await askPasskey(minted.options) };
}
