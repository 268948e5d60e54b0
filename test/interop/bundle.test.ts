/**
 * Bundles, judged by our verifier and by the second implementation in Python (bundle.py), which shares nothing with it:
 * whole approvals that the engine and the application made, each line of the table of failures, and random damage.
 * COUNTERSIGN_LONG=1 makes ten times as many.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { parsePins, parseTrust } from "../../src/evidence/trust.ts";
import { verifyBundle } from "../../src/evidence/verify-bundle.ts";
import { isRecord } from "../../src/ledger/kind-schema.ts";
import { askPython } from "./ask-python.ts";
import { BUNDLE_DAMAGES, everyScratch, rewritten, scratched, strictQuestion } from "./damaged-bundles.ts";
import { Dice } from "./dice.ts";
import { ask, sampleApproval, sealApproval } from "./sample-bundles.ts";
import type { BundleQuestionText, SampleApproval } from "./sample-bundles.ts";
import { sampleKeys } from "./sample-decisions.ts";
import { nodeSha256 } from "./sample-ledger.ts";

const isLong = process.env["COUNTERSIGN_LONG"] === "1";
const GOOD = isLong ? 10_000 : 1_000;
const DAMAGED = isLong ? 3_000 : 300;
const TIMEOUT_MS = isLong ? 1_800_000 : 300_000;

const keys = sampleKeys();

interface Verdict {
  readonly exit: number;
  readonly step: number | null;
  readonly code: string | null;
}

function ours(question: BundleQuestionText): Verdict {
  const trust = parseTrust(question.trust);
  const pins = parsePins(question.keys);
  if (!trust.ok || !pins.ok) throw new Error("the sample's trust file or pins cannot be read");
  const { expect_digest: expectDigest, expect_commit: expectCommit, at } = question;
  const verified = verifyBundle(
    question.bundle,
    { trust: trust.trust, pins: pins.pins, expectDigest, expectCommit, at },
    nodeSha256,
  );
  if (verified.ok) return { exit: 0, step: null, code: null };
  return { exit: verified.step === 1 ? 2 : 1, step: verified.step, code: verified.code };
}

function python(questions: readonly BundleQuestionText[]): readonly unknown[] {
  return askPython("./bundle.py", questions).map((answer) =>
    isRecord(answer) ? { exit: answer["exit"], step: answer["step"], code: answer["code"] } : answer,
  );
}

/** Our verdicts; where Python says otherwise, both. */
function agreed(questions: readonly BundleQuestionText[]): readonly (Verdict | object)[] {
  const answers = python(questions);
  return questions.map((question, index) => {
    const verdict = ours(question);
    const answer = answers[index];
    return JSON.stringify(verdict) === JSON.stringify(answer) ? verdict : { index, ours: verdict, python: answer };
  });
}

const SOUND: Verdict = { exit: 0, step: null, code: null };

/** Neither sound nor agreed on. */
function refused(verdicts: readonly (Verdict | object)[]): readonly object[] {
  return verdicts.filter((verdict) => !("exit" in verdict) || verdict.exit !== 0);
}

function disputed(verdicts: readonly (Verdict | object)[]): readonly object[] {
  return verdicts.filter((verdict) => "python" in verdict);
}

/** Approved by at least two signed decisions, with openings, a grant that was used twice, and an attestation. */
function isRich({ rows, request, hasAttestation, isErased }: SampleApproval): boolean {
  const count = (kind: string): number => rows.filter(({ draft }) => draft.kind === kind).length;
  const signed = rows.filter(({ draft }) => draft.data["assertion"] !== undefined && draft.data["assertion"] !== null);
  // What is changed about who was asked is not in the tree that the signers saw.
  const asked = rows.findIndex(({ draft }) => draft.kind === "request.resolved");
  const unlimited = rows.some(({ draft }) => draft.kind === "grant.issued" && draft.data["uses"] === null);
  return (
    request.outcome === "approved" &&
    request.gate === "deploy" &&
    hasAttestation &&
    !isErased &&
    signed.length >= 2 &&
    signed[0]?.draft.data["decision"] === "approve" &&
    signed.every(({ draft }) => seenBy(draft.data) <= asked) &&
    count("grant.used") === 2 &&
    unlimited &&
    count("grant.revoked") === 0 &&
    rows.some(({ openings }) => openings.length > 0)
  );
}

/** The size of the tree whose checkpoint a statement names. */
function seenBy({ statement }: SampleApproval["payload"]): number {
  const checkpoint = isRecord(statement) ? statement["checkpoint"] : null;
  return isRecord(checkpoint) ? Number(checkpoint["size"]) : Infinity;
}

function richApproval(): SampleApproval {
  for (let seed = 50_000; seed < 60_000; seed += 1) {
    const approval = sampleApproval(seed, keys);
    if (isRich(approval)) return approval;
  }
  throw new Error("no sample has all that the damages need");
}

describe("good bundles", () => {
  let approvals: readonly SampleApproval[] = [];
  beforeAll(() => {
    approvals = Array.from({ length: GOOD }, (_, index) => sampleApproval(index + 1, keys));
  }, TIMEOUT_MS);

  it(
    `ledger R-OFF-1, R-OFF-5: ${GOOD} approvals of the engine verify here and in Python`,
    () => {
      const questions = approvals.map((approval) => ask(sealApproval(approval)));
      expect(refused(agreed(questions))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it("ledger R-OFF-5: they show everything that an approval can go through", () => {
    const kinds = new Set(approvals.flatMap(({ rows }) => rows.map(({ draft }) => draft.kind)));
    const outcomes = new Set(approvals.map(({ request }) => request.outcome));
    expect([...outcomes].sort()).toEqual(["approved", "cancelled", "expired", "pending", "rejected"]);
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        ...["request.resolved", "request.stage_skipped", "request.stage_escalated", "request.quorum_skipped"],
        ...[
          "task.expired",
          "task.reassigned",
          "decision.recorded",
          "grant.used",
          "grant.revoked",
          "grant.expired",
          "ledger.key_added",
        ],
      ]),
    );
    const left = approvals.filter(({ rows }) =>
      rows.some(({ draft }) => draft.kind === "request.resolved" && JSON.stringify(draft.data["excluded"]) !== "[]"),
    );
    expect(left.length).toBeGreaterThan(10);
    const timed = approvals.filter(({ rows }) => rows.some(({ draft }) => draft.data["reason_code"] === "sla_breach"));
    expect(timed.length).toBeGreaterThan(3);
  });

  it(
    "ledger R-OFF-5, identity R-ID-7: with people who turned out to be one, whose later decisions are void",
    () => {
      const lives = Array.from({ length: 800 }, (_, index) => sampleApproval(90_000 + index, keys, 0.3));
      const having = (kind: string): readonly SampleApproval[] =>
        lives.filter(({ rows }) => rows.some(({ draft }) => draft.kind === kind));
      const voided = having("decision.voided");
      expect(voided.length).toBeGreaterThan(0);
      const merged = [...having("person.merged").slice(0, 150), ...voided];
      expect(merged.length).toBeGreaterThan(150);
      const verdicts = merged.map((approval) => ours(ask(sealApproval(approval))));
      expect(verdicts.filter(({ exit }) => exit !== 0)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    "ledger R-OFF-4, R-WIT-3: with a witness quorum, pinned keys, an expected payload and commit",
    () => {
      const questions = approvals.slice(0, 60).map((approval) => strictQuestion(approval));
      expect(refused(agreed(questions))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe("bad bundles", () => {
  const rich = richApproval();
  const good = ask(sealApproval(rich));

  it("ledger R-OFF-1: what they are made from is good", () => {
    expect(agreed([good])).toEqual([SOUND]);
  });

  it(
    `ledger R-OFF-1: each of ${BUNDLE_DAMAGES.length} kinds fails exactly where it must, here and in Python`,
    () => {
      const questions = BUNDLE_DAMAGES.map(({ make }) => make(rich));
      const expected = BUNDLE_DAMAGES.map(({ name, step, code }) => ({ name, exit: step === 1 ? 2 : 1, step, code }));
      expect(BUNDLE_DAMAGES.map(({ name }, index) => ({ name, ...ours(questions[index] ?? good) }))).toEqual(expected);
      const answers = python(questions);
      expect(answers).toEqual(expected.map(({ exit, step, code }) => ({ exit, step, code })));
    },
    TIMEOUT_MS,
  );

  it("ledger R-OFF-1: every code of the table is among them", () => {
    const codes = new Set(BUNDLE_DAMAGES.map(({ step, code }) => `${step} ${code}`));
    expect([...codes]).toEqual([
      "1 unreadable",
      "2 checkpoint_untrusted",
      "2 quorum_not_met",
      "3 entry_invalid",
      "3 not_included",
      "4 payload_mismatch",
      "4 policy_mismatch",
      "4 opening_mismatch",
      "5 decision_invalid",
      "6 outcome_not_supported",
      "7 grant_invalid",
      "7 not_for_this",
      "8 attestation_mismatch",
    ]);
  });

  it(
    "ledger R-OFF-1: there is no value in a bundle that can be changed without notice",
    () => {
      const questions = everyScratch(good.bundle).map(({ place, bundle }) => ({ place, verdict: ours(ask(bundle)) }));
      expect(questions.length).toBeGreaterThan(200);
      expect(questions.filter(({ verdict }) => verdict.exit === 0)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    `ledger R-OFF-1: ${DAMAGED} bundles with something scratched at random get the same verdict here and in Python`,
    () => {
      const dice = new Dice(21);
      const questions = Array.from({ length: DAMAGED }, (_, index) => {
        const bundle = sealApproval(sampleApproval(70_000 + (index % 40), keys));
        return ask(scratched(bundle, dice));
      });
      const verdicts = agreed(questions);
      expect(disputed(verdicts)).toEqual([]);
      expect(refused(verdicts).length).toBeGreaterThan(DAMAGED * 0.9);
    },
    TIMEOUT_MS,
  );

  it(
    `ledger R-OFF-1: ${DAMAGED} ledgers that a server rewrote and signed get the same verdict here and in Python`,
    () => {
      const dice = new Dice(22);
      const questions = Array.from({ length: DAMAGED }, (_, index) =>
        ask(sealApproval(rewritten(sampleApproval(80_000 + (index % 150), keys), dice))),
      );
      const verdicts = agreed(questions);
      expect(disputed(verdicts)).toEqual([]);
      expect(refused(verdicts).length).toBeGreaterThan(DAMAGED * 0.5);
    },
    TIMEOUT_MS,
  );
});
