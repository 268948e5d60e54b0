import { describe, expect, it } from "vitest";

import { toBase64url } from "../../../src/evidence/base64url.ts";
import { batchChallenge, batchRoot } from "../../../src/evidence/batch.ts";
import type { DecisionStatement } from "../../../src/evidence/statement.ts";
import { encodeStatement, statementChallenge } from "../../../src/evidence/statement.ts";
import { canonicalJson } from "../../../src/ledger/canonical-json.ts";
import { toHex } from "../../../src/ledger/hex.ts";
import { pureSha256 } from "../../../src/ledger/sha256.ts";
import type { View } from "../api/views.ts";
import { assertBatchChallenge, assertChallenge, checkedStatement } from "./check-statement.ts";

const document = { v: 1, blocks: [{ type: "context", context: { amount: 5 } }] };
const digest = `sha256:${"ab".repeat(32)}`;
const display = `sha256:${toHex(pureSha256(new TextEncoder().encode(canonicalJson(document))))}`;

const view: View = {
  ...{ id: "v", task_id: uuid("2"), request_id: uuid("1"), revision: 3, digest, methods: ["passkey"] },
  policy: { key: "p.v1", version: 1, digest: `sha256:${"cd".repeat(32)}` },
  display: { digest: display, document },
  checkpoint: { origin: "o.example/v1/ledger", size: 4 },
  ...{ shown_at: "", expires_at: "", assurance: { approve: "signed", reject: "session" } },
};

const statement: DecisionStatement = {
  ...{ v: 1, type: "countersign/decision", gate: "generic", stage: 1, revision: 3, decision: "approve" },
  ...{ org: ledger("org", "a"), request: ledger("req", "1"), task: ledger("task", "2"), approver: ledger("usr", "b") },
  ...{ on_behalf_of: null, reason: null, payload: digest, display, policy: view.policy },
  checkpoint: { origin: "o.example/v1/ledger", size: 4, root: "y7b7UeajE6d1ugeKWVAFasM1wWW6jHyWS3C1Zn2chgk=" },
  ...{ shown_at: "2026-11-20T09:01:40.500Z", not_after: "2026-11-20T09:04:20.000Z" },
  nonce: "SSEj_wPf656Q6Jc4eyoTx1-2_X6n5b9uPo4DdPFIhJc",
};

const shown = { action: "approve", comment: "", view, digest } as const;

function uuid(digit: string): string {
  const of = (length: number): string => digit.repeat(length);
  return `${of(8)}-${of(4)}-${of(4)}-${of(4)}-${of(12)}`;
}

function ledger(kind: string, digit: string): string {
  return `${kind}_${digit.repeat(32)}`;
}

describe("a statement before it is signed", () => {
  it("console R-WHO-6: is taken when it is about exactly what is shown", () => {
    expect(checkedStatement(encodeStatement(statement), shown)).toEqual(statement);
  });

  it.each<[string, Partial<DecisionStatement>]>([
    ["decision", { decision: "reject" }],
    ["request", { request: ledger("req", "9") }],
    ["task", { task: ledger("task", "9") }],
    ["revision", { revision: 4 }],
    ["payload", { payload: `sha256:${"00".repeat(32)}` }],
    ["display", { display: `sha256:${"00".repeat(32)}` }],
    ["reason", { reason: `c1:${"00".repeat(32)}` }],
  ])("console R-WHO-6: another %s than the page shows is refused", (what, other) => {
    const text = encodeStatement({ ...statement, ...other });
    expect(() => checkedStatement(text, shown)).toThrow(`names another ${what} than`);
  });

  it("console R-WHO-6: what is on the screen is hashed by the page itself", () => {
    const swapped = { ...view, display: { digest: display, document: { ...document, v: 2 } } };
    expect(() => checkedStatement(encodeStatement(statement), { ...shown, view: swapped })).toThrow("another display");
  });

  it("console R-WHO-6: a text that is no statement, or spelled otherwise, is refused", () => {
    expect(() => checkedStatement("{}", shown)).toThrow("another form");
    expect(() => checkedStatement(` ${encodeStatement(statement)}`, shown)).toThrow("another form");
  });

  it("console R-WHO-6: the passkey is asked for this statement's challenge and no other", () => {
    const text = encodeStatement(statement);
    const challenge = toBase64url(statementChallenge(text, pureSha256));
    expect(() => {
      assertChallenge({ challenge }, text);
    }).not.toThrow();
    expect(() => {
      assertChallenge({ challenge: `${challenge.slice(0, -1)}A` }, text);
    }).toThrow("another challenge");
  });

  it("console R-WHO-6: a batch is signed for the statements that are listed, in their order", () => {
    const texts = [encodeStatement(statement), encodeStatement({ ...statement, task: ledger("task", "3") })];
    const challenge = toBase64url(batchChallenge(batchRoot(texts, pureSha256), pureSha256));
    expect(() => {
      assertBatchChallenge({ challenge }, texts);
    }).not.toThrow();
    expect(() => {
      assertBatchChallenge({ challenge }, texts.toReversed());
    }).toThrow("another challenge");
    expect(() => {
      assertBatchChallenge({ challenge }, texts.slice(0, 1));
    }).toThrow("another challenge");
  });
});
