/** The same call twice acts once: what identifies a call (R-IDEMP-1). */
import { createHash } from "node:crypto";
import type { Once } from "../app/idempotency.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { RawExchange, Reply } from "./endpoint.ts";
import { faulty } from "./input.ts";
import type { Problem } from "./problem.ts";

const HEADER = "idempotency-key";
const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * Null when the caller sent no key. `body` is what the call means, once read; the effective requester is part of it,
 * so that two people behind one client never get each other's answers.
 */
export function idempotentCall<Answer>(
  exchange: Omit<RawExchange, "query" | "body">,
  body: JsonValue,
  requester: string,
  render: (answer: Answer) => Reply,
): Once<Answer> | Problem | null {
  const key = exchange.header(HEADER)?.trim() ?? "";
  if (key === "") return null;
  if (!VISIBLE_ASCII.test(key)) {
    const msg = "must have 1 to 255 visible ASCII characters";
    return faulty([{ type: "value_error", loc: ["header", "Idempotency-Key"], msg }]);
  }
  const { actor, orgId } = exchange.caller;
  return {
    scope: sha256(canonicalJson([orgId, actor.issuer, actor.clientId ?? actor.subject, exchange.route])),
    key,
    bodyHash: sha256(canonicalJson({ body, requester })),
    render: (answer) => {
      const { status, body: sent } = render(answer);
      return { status, body: sent };
    },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
