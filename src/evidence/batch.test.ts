import { describe, expect, it } from "vitest";
import { LedgerBug } from "../ledger/ledger-bug.ts";
import { pureSha256 } from "../ledger/sha256.ts";
import { BATCH_SIZE_MAX, batchChallenge, batchPath, batchRoot, verifyBatchPath } from "./batch.ts";

const textsOf = (size: number): readonly string[] => Array.from({ length: size }, (_, index) => `statement ${index}`);

describe("a batch", () => {
  it("identity R-SIGN-5: each statement of a batch verifies alone, and nowhere else", () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, BATCH_SIZE_MAX]) {
      const texts = textsOf(size);
      const root = batchRoot(texts, pureSha256);
      for (const [index, text] of texts.entries()) {
        const place = { root, index, size, path: batchPath(texts, index, pureSha256) };
        expect(verifyBatchPath(text, place, pureSha256)).toBe(true);
        expect(verifyBatchPath(`${text}!`, place, pureSha256)).toBe(false);
        expect(verifyBatchPath(text, { ...place, index: (index + 1) % (size + 1) }, pureSha256)).toBe(false);
        expect(verifyBatchPath(text, { ...place, path: [...place.path, root] }, pureSha256)).toBe(false);
      }
    }
  });

  it("identity R-SIGN-5: holds 1 to 50 statements", () => {
    expect(batchRoot(textsOf(BATCH_SIZE_MAX), pureSha256)).toMatch(/^[0-9a-f]{64}$/);
    expect(() => batchRoot(textsOf(BATCH_SIZE_MAX + 1), pureSha256)).toThrow(LedgerBug);
    expect(() => batchRoot([], pureSha256)).toThrow(LedgerBug);
    expect(() => batchPath(textsOf(3), 3, pureSha256)).toThrow(LedgerBug);
    expect(() => batchChallenge("root", pureSha256)).toThrow(LedgerBug);
  });
});
