import { toBase64url } from "../../../src/evidence/base64url.ts";
import { batchChallenge, batchRoot } from "../../../src/evidence/batch.ts";
import type { DecisionStatement } from "../../../src/evidence/statement.ts";
import { parseStatement, statementChallenge } from "../../../src/evidence/statement.ts";
import { canonicalJson } from "../../../src/ledger/canonical-json.ts";
import { toHex } from "../../../src/ledger/hex.ts";
import { pureSha256 } from "../../../src/ledger/sha256.ts";
import type { DecisionAction } from "../api/decisions.ts";
import type { JsonObject } from "../api/read.ts";
import type { View } from "../api/views.ts";
import { StatementDiffers } from "./statement-differs.ts";

/**
 * What the page knows it has shown. Before a passkey is asked, the statement from the server is compared with it: a page
 * that was told one thing never has another one signed.
 */
interface Shown {
  readonly action: DecisionAction;
  readonly comment: string;
  readonly view: View;
  /** Digest of the payload on the screen. */
  readonly digest: string | null;
}

/** The statement's members for the page to show; throws when it is not about what was shown. */
export function checkedStatement(text: string, shown: Shown): DecisionStatement {
  const parsed = parseStatement(text);
  if (!parsed.ok) throw new StatementDiffers(`form (${parsed.finding})`);
  const { statement } = parsed;
  const { view } = shown;
  const facts: readonly (readonly [string, boolean])[] = [
    ["decision", statement.decision === shown.action],
    ["request", statement.request === ledgerId("req", view.request_id)],
    ["task", statement.task === ledgerId("task", view.task_id)],
    ["revision", statement.revision === view.revision],
    ["payload", statement.payload === view.digest && (shown.digest === null || shown.digest === view.digest)],
    ["display", statement.display === view.display.digest && digestOf(view.display.document) === view.display.digest],
    ["reason", (statement.reason === null) === (shown.comment === "")],
  ];
  const differing = facts.find(([, same]) => !same);
  if (differing !== undefined) throw new StatementDiffers(differing[0]);
  return statement;
}

/** The passkey must be asked for exactly this statement's challenge. */
export function assertChallenge(options: JsonObject, text: string): void {
  if (options["challenge"] !== toBase64url(statementChallenge(text, pureSha256)))
    throw new StatementDiffers("challenge");
}

/** The same for several statements under one touch: the challenge is made of exactly these texts in this order. */
export function assertBatchChallenge(options: JsonObject, texts: readonly string[]): void {
  const challenge = batchChallenge(batchRoot(texts, pureSha256), pureSha256);
  if (options["challenge"] !== toBase64url(challenge)) throw new StatementDiffers("challenge");
}

function ledgerId(kind: string, id: string): string {
  return `${kind}_${id.replaceAll("-", "")}`;
}

function digestOf(document: View["display"]["document"]): string {
  return `sha256:${toHex(pureSha256(new TextEncoder().encode(canonicalJson(document))))}`;
}
