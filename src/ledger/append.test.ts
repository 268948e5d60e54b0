import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeSha256, SAMPLE_ORIGIN, sampleDraft, sampleId, sampleLedger } from "../../test/interop/sample-ledger.ts";
import { appendEntries } from "./append.ts";
import { parseEntry } from "./entry.ts";
import { chainHash, genesis, leafHash } from "./hash.ts";
import { emptyHead } from "./head.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { pureSha256 } from "./sha256.ts";
import { rootOf } from "./tree.ts";

const NOW = "2026-11-20T09:00:00.000Z";
const LATER = "2026-11-20T09:00:05.000Z";
const empty = emptyHead(SAMPLE_ORIGIN, nodeSha256);

describe("appendEntries", { timeout: 60_000 }, () => {
  it("ledger R-APP-1: `seq` has no gap, `prev` is the chain hash before, entries keep the order of their drafts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.integer({ min: 1, max: 9 }),
        (size, seed, batchSize) => {
          const { head, entries } = sampleLedger(size, seed % 1_000, batchSize);
          let prev = genesis(SAMPLE_ORIGIN, nodeSha256);
          for (const [seq, sealed] of entries.entries()) {
            const parsed = parseEntry(sealed.text);
            expect(parsed).toMatchObject({ ok: true, entry: { seq, prev, kind: sealed.kind } });
            prev = chainHash(sealed.text, nodeSha256);
            expect(sealed).toMatchObject({ seq, chain: prev, leaf: leafHash(sealed.text, nodeSha256) });
          }
          const root = rootOf(
            entries.map((sealed) => sealed.leaf),
            nodeSha256,
          );
          expect(head).toMatchObject({ size, chain: prev, root, lastAt: entries.at(-1)?.at });
        },
      ),
      { numRuns: 50 },
    );
  });

  it("ledger R-APP-2: the ledger does not depend on how its entries were batched", () => {
    const { head } = sampleLedger(40, 5, 1);
    const drafts = Array.from({ length: 40 }, (_, index) => sampleDraft(500_015 + index));
    const together = appendEntries(empty, drafts, NOW, nodeSha256);
    const [first, second] = [drafts.slice(0, 13), drafts.slice(13)];
    const half = appendEntries(empty, first, NOW, nodeSha256);
    expect(appendEntries(half.head, second, NOW, nodeSha256).head).toEqual(together.head);
    expect(together.head.size).toBe(head.size);
    expect(appendEntries(half.head, second, NOW, pureSha256).head).toEqual(together.head);
  });

  it("ledger R-LED-4: the columns are what the entry says", () => {
    for (const sealed of sampleLedger(20).entries) {
      const parsed = parseEntry(sealed.text);
      const { org, actor, credential, request, kind, at, resourceDigest } = sealed;
      expect(parsed).toMatchObject({ entry: { org, actor, credential, request, kind, at } });
      expect(parsed.ok && (parsed.entry.resource?.digest ?? null)).toBe(resourceDigest);
    }
  });

  it("ledger section 1: `at` never goes back when the clock does, and follows it when it goes on", () => {
    const first = appendEntries(empty, [sampleDraft(1)], LATER, nodeSha256);
    const second = appendEntries(first.head, [sampleDraft(2)], NOW, nodeSha256);
    expect(second.entries[0]?.at).toBe(LATER);
    expect(second.head.lastAt).toBe(LATER);
    const third = appendEntries(second.head, [sampleDraft(3)], "2026-11-20T09:00:05.001Z", nodeSha256);
    expect(third.head.lastAt).toBe("2026-11-20T09:00:05.001Z");
  });

  it("ledger R-APP-1: without drafts nothing changes, and a head handed in is never changed", () => {
    expect(appendEntries(empty, [], NOW, nodeSha256)).toEqual({ head: empty, entries: [] });
    const before = structuredClone(empty);
    appendEntries(empty, [sampleDraft(1)], NOW, nodeSha256);
    expect(empty).toEqual(before);
  });

  it("ledger R-KIND-1: an unknown kind, an unknown member or a missing one cannot be appended", () => {
    const draft = sampleDraft(3);
    const wrong = [
      { ...draft, kind: "request.imagined" },
      { ...draft, data: { ...draft.data, comment: "LGTM" } },
      { ...draft, data: {} },
      { ...draft, actor: "bo@example.com" },
    ];
    for (const one of wrong) {
      expect(() => appendEntries(empty, [sampleDraft(1), one], NOW, nodeSha256)).toThrow(LedgerBug);
    }
  });

  it("ledger R-LED-3: an entry that is too large for a bundle is not appended", () => {
    const people = Array.from({ length: 1_700 }, (_, index) => sampleId("usr", index));
    const draft = { ...sampleDraft(1), kind: "request.quorum_skipped", data: { stage: 1, skipped: people } };
    expect(() => appendEntries(empty, [draft], NOW, nodeSha256)).toThrow(/larger than 65535 bytes/);
    const fits = { ...draft, data: { stage: 1, skipped: people.slice(0, 1_600) } };
    expect(appendEntries(empty, [fits], NOW, nodeSha256).head.size).toBe(1);
  });

  it("ledger R-APP-2: a head or a time that cannot be is a bug, not an entry", () => {
    const damaged = { ...sampleLedger(5).head, ranges: [] };
    expect(() => appendEntries(damaged, [sampleDraft(1)], NOW, nodeSha256)).toThrow(LedgerBug);
    expect(() => appendEntries(empty, [sampleDraft(1)], "2026-11-20T09:00:00Z", nodeSha256)).toThrow(LedgerBug);
  });
});
