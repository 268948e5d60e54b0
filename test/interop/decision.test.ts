/**
 * Signed decisions, judged by our code and by the second implementation in Python (decision.py), which shares nothing with
 * it: the published vector, thousands of good decisions and every way to be wrong. COUNTERSIGN_LONG=1 makes ten times as many.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verifyAssertion } from "../../src/evidence/assertion.ts";
import { batchChallenge, batchPath, batchRoot, verifyBatchPath } from "../../src/evidence/batch.ts";
import { encodeSpki, parsePublicKey } from "../../src/evidence/public-key.ts";
import { verifySignedDecision } from "../../src/evidence/signed-decision.ts";
import { encodeStatement, parseStatement, statementChallenge } from "../../src/evidence/statement.ts";
import { webSiteOf } from "../../src/evidence/web-site.ts";
import type { EntryFields } from "../../src/ledger/entry.ts";
import { parseEntry } from "../../src/ledger/entry.ts";
import { toHex } from "../../src/ledger/hex.ts";
import { pureSha256 } from "../../src/ledger/sha256.ts";
import { askPython } from "./ask-python.ts";
import vectors from "./decision-v1.json" with { type: "json" };
import { DAMAGES, invalidDecisions, placedDecisions, sampleKeys, validDecisions } from "./sample-decisions.ts";
import type { DecisionQuestion, DecisionSample } from "./sample-decisions.ts";
import { nodeSha256, sampleHash } from "./sample-ledger.ts";

const isLong = process.env["COUNTERSIGN_LONG"] === "1";
const VALID = isLong ? 10_000 : 1_500;
const ROUNDS = isLong ? 30 : 4;
const TIMEOUT_MS = isLong ? 600_000 : 60_000;

const { vector } = vectors;

function entryOf(text: string): EntryFields {
  const parsed = parseEntry(text);
  if (!parsed.ok) throw new Error(`the sample is no entry: ${parsed.finding}`);
  return parsed.entry;
}

/** Null, or the check that fails. */
function ours(question: DecisionQuestion): string | null {
  const verified = verifySignedDecision(
    {
      text: question.statement,
      recorded: entryOf(question.recorded),
      factorEntries: question.factors.map(entryOf),
      site: webSiteOf(question.origin),
      earlier: {
        nonces: new Set(question.nonces),
        touches: new Map(
          Object.entries(question.touches).map(([factor, touch]) => [
            factor,
            { signature: touch.signature, signCount: touch.sign_count },
          ]),
        ),
      },
    },
    nodeSha256,
  );
  return verified.ok ? null : verified.check;
}

function verdicts(samples: readonly DecisionSample[]): readonly object[] {
  return samples.map(({ name, check, question }) => ({ name, expected: check, ours: ours(question) }));
}

function python(samples: readonly DecisionSample[]): readonly object[] {
  const answers = askPython(
    "./decision.py",
    samples.map(({ question }) => question),
  );
  return samples.map(({ name, check }, index) => ({ name, expected: check, answer: answers[index] }));
}

describe.each([
  ["the pure SHA-256", pureSha256],
  ["the SHA-256 of Node", nodeSha256],
])("the published vector with %s", (_, sha256) => {
  it("identity R-SIGN-1: statement, challenge and key are the published ones, byte for byte", () => {
    const parsed = parseStatement(vector.statement);
    expect(parsed.ok && encodeStatement(parsed.statement)).toBe(vector.statement);
    expect(Buffer.byteLength(vector.statement)).toBe(vector.bytes);
    expect(toHex(sha256(Buffer.from(vector.statement)))).toBe(vector.sha256);
    const challenge = statementChallenge(vector.statement, sha256);
    expect(toHex(challenge)).toBe(vector.challenge_hex);
    expect(Buffer.from(challenge).toString("base64url")).toBe(vector.challenge);
    const key = parsePublicKey(vector.cose);
    expect(key === null ? null : encodeSpki(key)).toBe(vector.spki);
  });

  it("identity R-SIGN-1: the published assertion verifies with the key in either form", () => {
    const { assertion, statement: statementText, rp_id: rpId, origin } = vector;
    for (const publicKey of [vector.cose, vector.spki]) {
      expect(verifyAssertion({ statementText, assertion, publicKey, algorithm: -7, rpId, origin, sha256 })).toEqual({
        ...{ ok: true, userVerified: true, signCount: 0, backupEligible: true, backedUp: true },
      });
    }
  });

  it("identity R-SIGN-5: root and challenge of the published batch", () => {
    const texts = [vector.statement, vectors.batch.second];
    const root = batchRoot(texts, sha256);
    expect(root).toBe(vectors.batch.root);
    expect(Buffer.from(batchChallenge(root, sha256)).toString("base64url")).toBe(vectors.batch.challenge);
    const places = texts.map((text, index) => ({
      text,
      place: { root, index, size: 2, path: batchPath(texts, index, sha256) },
    }));
    expect(places.map(({ text, place }) => verifyBatchPath(text, place, sha256))).toEqual([true, true]);
    expect(
      verifyBatchPath(vector.statement, { ...(places[1]?.place ?? { root, size: 2, path: [] }), index: 0 }, sha256),
    ).toBe(false);
  });
});

describe("the fixed decisions", () => {
  it("ledger R-VEC-1: the file is the one that was published", () => {
    const text = readFileSync(new URL("./decision-v1.json", import.meta.url), "utf8");
    expect(sampleHash(text)).toBe("7bee6f300459063ed6dcf775a64c6f830f8ff454ad3554312a6aa3a94e6b3c43");
  });

  it("identity R-SIGN-1: both implementations judge each of them as published", () => {
    expect(verdicts(vectors.decisions)).toEqual(
      vectors.decisions.map(({ name, check }) => ({ name, expected: check, ours: check })),
    );
    expect(python(vectors.decisions)).toEqual(
      vectors.decisions.map(({ name, check }) => ({ name, expected: check, answer: { check } })),
    );
  });

  it("identity R-SIGN-1: there is one of every class", () => {
    const names = new Set(vectors.decisions.map(({ name }) => name));
    expect(DAMAGES.filter(({ name }) => !names.has(name))).toEqual([]);
  });
});

describe("generated decisions", () => {
  const keys = sampleKeys();

  it(
    `identity R-SIGN-1, R-SIGN-5: ${VALID} good ones pass here and in Python, of three algorithms, alone and in batches`,
    () => {
      const samples = validDecisions(VALID, 11, keys);
      expect(verdicts(samples)).toEqual(samples.map(({ name }) => ({ name, expected: null, ours: null })));
      expect(python(samples)).toEqual(samples.map(({ name }) => ({ name, expected: null, answer: { check: null } })));
    },
    TIMEOUT_MS,
  );

  it("identity R-SIGN-1: where they were signed is judged alike here and in Python, with a public address and without", () => {
    const samples = placedDecisions(13, keys);
    expect(verdicts(samples)).toEqual(samples.map(({ name, check }) => ({ name, expected: check, ours: check })));
    expect(python(samples)).toEqual(samples.map(({ name, check }) => ({ name, expected: check, answer: { check } })));
  });

  it(
    `identity R-SIGN-1: ${DAMAGES.length * ROUNDS} bad ones fail at the same check here and in Python`,
    () => {
      const samples = invalidDecisions(ROUNDS, 12, keys);
      expect(samples.length).toBeGreaterThanOrEqual(200);
      expect(verdicts(samples)).toEqual(samples.map(({ name, check }) => ({ name, expected: check, ours: check })));
      expect(python(samples)).toEqual(samples.map(({ name, check }) => ({ name, expected: check, answer: { check } })));
    },
    TIMEOUT_MS,
  );
});
