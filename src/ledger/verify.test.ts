import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  nodeSha256,
  SAMPLE_ORIGIN,
  sampleDraft,
  sampleHash,
  sampleId,
  sampleLedger,
  storedRows,
} from "../../test/interop/sample-ledger.ts";
import type { SampleLedger } from "../../test/interop/sample-ledger.ts";
import { appendEntries } from "./append.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonObject } from "./canonical-json.ts";
import { parseEntry } from "./entry.ts";
import type { EntryFields } from "./entry.ts";
import { entryHashes } from "./hash.ts";
import { emptyHead } from "./head.ts";
import type { LedgerHead } from "./head.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { rootOf } from "./tree.ts";
import { FINDINGS_PER_KIND_MAX, startVerification } from "./verify.ts";
import type { Finding, FindingKind, StoredEntry } from "./verify.ts";

interface Signed {
  readonly size: number;
  readonly root: string;
}

function rootAt(ledger: SampleLedger, size: number): string {
  return rootOf(
    ledger.entries.slice(0, size).map((entry) => entry.leaf),
    nodeSha256,
  );
}

function verify(rows: readonly StoredEntry[], head: LedgerHead, signed: readonly Signed[] = []): readonly Finding[] {
  const verification = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
  for (const { size, root } of signed) verification.expectCheckpoint(size, root);
  for (const row of rows) verification.check(row);
  return verification.finish(head);
}

function kindsOf(findings: readonly Finding[]): FindingKind[] {
  return [...new Set(findings.map((finding) => finding.kind))].sort();
}

function entryOf(row: StoredEntry): EntryFields {
  const parsed = parseEntry(row.text);
  if (!parsed.ok) throw new Error(parsed.finding);
  return parsed.entry;
}

/** The row an attacker would store for this text who also mends every column derived from it. */
function mended(seq: number, text: string): StoredEntry {
  const { chain, leaf } = entryHashes(text, nodeSha256);
  const { at, kind, org, actor, credential, request, resource } = entryOf({ ...EMPTY_ROW, text });
  return {
    seq,
    text,
    leaf,
    chain,
    at,
    kind,
    org,
    actor,
    credential,
    request,
    resourceDigest: resource?.digest ?? null,
  };
}

const EMPTY_ROW: StoredEntry = {
  seq: 0,
  text: "",
  leaf: "",
  chain: "",
  kind: "",
  org: null,
  actor: null,
  credential: null,
  request: null,
  resourceDigest: null,
  at: "",
};

function textWith(row: StoredEntry, members: JsonObject): string {
  const { resource, ...rest } = entryOf(row);
  return canonicalJson({ ...rest, resource: resource === null ? null : { ...resource }, ...members });
}

/** The whole ledger written anew from these entries: numbers, chain, tree and head all fit. */
function rewritten(rows: readonly StoredEntry[]): { rows: StoredEntry[]; head: LedgerHead } {
  let head = emptyHead(SAMPLE_ORIGIN, nodeSha256);
  const fresh: StoredEntry[] = [];
  for (const row of rows) {
    const entry = entryOf(row);
    const appended = appendEntries(head, [entry], entry.at, nodeSha256);
    head = appended.head;
    fresh.push(...appended.entries);
  }
  return { rows: fresh, head };
}

/** What an attacker does to the rows; every one leaves well-formed entries. */
type Damage = (rows: readonly StoredEntry[], place: number, extra: number) => StoredEntry[];

const DAMAGES: Readonly<Record<string, Damage>> = {
  edit: (rows, place) => editAt(rows, place, (row) => textWith(row, { actor: sampleId("usr", 999_999) })),
  "edit of data": (rows, place) =>
    editAt(rows, place, (row) => textWith(row, { data: { ...entryOf(row).data, ctx: `c1:${sampleHash("forged")}` } })),
  delete: (rows, place) => rows.toSpliced(place, 1),
  "delete of a range": (rows, place, extra) => rows.toSpliced(place, 1 + (extra % 5)),
  insert: (rows, place) => rows.toSpliced(place, 0, foreignRow(rows[place])),
  reorder: (rows, place, extra) => swapped(rows, place, (place + 1 + (extra % 3)) % rows.length),
  repeat: (rows, place) => rows.flatMap((row, index) => (index === place ? [row, row] : [row])),
  truncate: (rows, _, extra) => rows.slice(0, Math.max(0, rows.length - 1 - (extra % 4))),
  "delete of everything": () => [],
};

function editAt(rows: readonly StoredEntry[], place: number, edit: (row: StoredEntry) => string): StoredEntry[] {
  return rows.map((row, index) => (index === place ? { ...row, text: edit(row) } : row));
}

function foreignRow(row: StoredEntry = EMPTY_ROW): StoredEntry {
  return { ...row, text: textWith(row, { actor: sampleId("usr", 123_456) }) };
}

function swapped(rows: readonly StoredEntry[], left: number, right: number): StoredEntry[] {
  const [first, second] = [rows[left], rows[right]];
  return first === undefined || second === undefined ? [...rows] : rows.with(left, second).with(right, first);
}

const attacks = fc.record({
  size: fc.integer({ min: 1, max: 40 }),
  seed: fc.nat({ max: 5_000 }),
  place: fc.nat({ max: 39 }),
  extra: fc.nat({ max: 100 }),
  damage: fc.constantFrom(...Object.keys(DAMAGES)),
  renumbered: fc.boolean(),
  mendsColumns: fc.boolean(),
});

/** The attacked rows, or null where the attack changed nothing (one entry swapped with itself). */
function attack(options: typeof attacks extends fc.Arbitrary<infer Attack> ? Attack : never): {
  ledger: SampleLedger;
  rows: StoredEntry[];
} | null {
  const ledger = sampleLedger(options.size, options.seed);
  const before = storedRows(ledger);
  const damage = DAMAGES[options.damage];
  const damaged = damage?.(before, options.place % options.size, options.extra) ?? before;
  const numbered = options.renumbered ? damaged.map((row, seq) => ({ ...row, seq })) : damaged;
  const rows = options.mendsColumns ? numbered.map((row) => mended(row.seq, row.text)) : numbered;
  return canonicalRows(rows) === canonicalRows(before) ? null : { ledger, rows };
}

function canonicalRows(rows: readonly StoredEntry[]): string {
  return JSON.stringify(rows.map((row) => [row.seq, row.text, row.leaf, row.chain]));
}

/** What a damaged character becomes. */
const LETTERS: readonly string[] = ["0", "a", "_", " ", '"', "\\", "é", "{"];

const sizesOfLedgers = fc.tuple(
  fc.integer({ min: 0, max: 70 }),
  fc.nat({ max: 5_000 }),
  fc.integer({ min: 1, max: 8 }),
);

describe("verification", { timeout: 60_000 }, () => {
  it("ledger section 9: a ledger that nobody touched is never reported, from any start, with any checkpoints", () => {
    fc.assert(
      fc.property(sizesOfLedgers, fc.nat(), fc.array(fc.nat()), ([size, seed, batchSize], from, signedAt) => {
        const ledger = sampleLedger(size, seed, batchSize);
        const start = from % (size + 1);
        const prefix = sampleLedger(start, seed, batchSize);
        // A prefix made in other batches has another time in its last entry, so the start is made by verifying.
        const before = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
        for (const row of storedRows(ledger).slice(0, start)) before.check(row);
        expect(before.head().size).toBe(prefix.head.size);
        const verification = startVerification(SAMPLE_ORIGIN, before.head(), nodeSha256);
        for (const place of signedAt) {
          const signedSize = start + (place % (size - start + 1));
          verification.expectCheckpoint(signedSize, rootAt(ledger, signedSize));
        }
        for (const row of storedRows(ledger).slice(start)) verification.check(row);
        expect(verification.finish(ledger.head)).toEqual([]);
        expect(verification.findingCount()).toBe(0);
        expect(verification.head()).toEqual(ledger.head);
        expect(verification.counts()).toEqual({ checked: size - start, unknownKinds: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it("ledger section 9: every edit, deletion, insertion, reordering and truncation is found against the stored head", () => {
    fc.assert(
      fc.property(attacks, (options) => {
        const attacked = attack(options);
        fc.pre(attacked !== null);
        expect(verify(attacked.rows, attacked.ledger.head)).not.toEqual([]);
      }),
      { numRuns: 800 },
    );
  });

  it("ledger section 9: a ledger rewritten from end to end, head and all, is found against its last checkpoint", () => {
    fc.assert(
      fc.property(attacks, (options) => {
        const attacked = attack(options);
        fc.pre(attacked !== null);
        const { rows, head } = rewritten(attacked.rows);
        const { size, root } = attacked.ledger.head;
        // An entry added behind the checkpoint leaves all that was signed as it was.
        fc.pre(rootAt({ head, entries: rows }, size) !== root);
        expect(verify(rows, head)).toEqual([]);
        const kinds = kindsOf(verify(rows, head, [{ size, root }]));
        expect(kinds).toEqual([rows.length < size ? "rollback" : "checkpoint"]);
      }),
      { numRuns: 300 },
    );
  });

  it("ledger R-LED-4: one damaged character anywhere in an entry's text is found", () => {
    const ledger = sampleLedger(12, 3);
    const rows = storedRows(ledger);
    fc.assert(
      fc.property(fc.nat({ max: 11 }), fc.nat(), fc.constantFrom(...LETTERS), (place, at, letter) => {
        const text = rows[place]?.text ?? "";
        const position = at % text.length;
        fc.pre(text.charAt(position) !== letter);
        const edited = text.slice(0, position) + letter + text.slice(position + 1);
        const findings = verify(
          editAt(rows, place, () => edited),
          ledger.head,
        );
        expect(kindsOf(findings)).toEqual(expect.arrayContaining(["chain", "leaf"]));
      }),
      { numRuns: 600 },
    );
  });

  it("ledger section 9: edited bytes beside untouched hashes are findings of that entry alone", () => {
    const ledger = sampleLedger(50);
    const rows = editAt(storedRows(ledger), 20, (row) => textWith(row, { actor: sampleId("usr", 77) }));
    const findings = verify(rows, ledger.head, [{ size: 50, root: ledger.head.root }]);
    expect(findings.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["state", 20],
      ["leaf", 20],
      ["chain", 20],
    ]);
  });

  it("ledger R-LED-4: each column that disagrees with its entry is named", () => {
    const ledger = sampleLedger(9);
    const rows = storedRows(ledger);
    const row = rows.find(({ credential, request }) => credential !== null && request !== null) ?? EMPTY_ROW;
    const columns: Readonly<Record<string, StoredEntry>> = {
      at: { ...row, at: "2026-11-20T08:59:59.000Z" },
      kind: { ...row, kind: "request.rejected" },
      org: { ...row, org: null },
      actor: { ...row, actor: sampleId("usr", 1) },
      credential: { ...row, credential: null },
      request: { ...row, request: null },
      resource_digest: { ...row, resourceDigest: null },
    };
    for (const [column, changed] of Object.entries(columns)) {
      const detail = `column ${column} is not what the entry says`;
      const findings = verify(rows.with(row.seq, changed), ledger.head);
      expect(findings).toEqual([{ kind: "state", seq: row.seq, detail }]);
    }
  });

  it("ledger section 9: a stored leaf hash that is wrong breaks the root; one that is no hash is replaced by the right one", () => {
    const ledger = sampleLedger(9);
    const rows = storedRows(ledger);
    const wrong = rows.map((row) => (row.seq === 4 ? { ...row, leaf: sampleHash("wrong") } : row));
    expect(kindsOf(verify(wrong, ledger.head, [ledger.head]))).toEqual(["checkpoint", "head", "leaf", "root"]);
    const none = rows.map((row) => (row.seq === 4 ? { ...row, leaf: "", chain: "" } : row));
    expect(kindsOf(verify(none, ledger.head, [ledger.head]))).toEqual(["chain", "leaf"]);
  });

  it("ledger section 1: time that goes back is one finding, also when a later entry is right again", () => {
    const ledger = sampleLedger(30, 1, 1);
    const rows = storedRows(ledger);
    const late = rows.map((row) =>
      row.seq === 10 ? mended(10, textWith(row, { at: "2027-01-01T00:00:00.000Z" })) : row,
    );
    expect(verify(late, ledger.head).filter(({ kind }) => kind === "time")).toMatchObject([{ seq: 11 }]);
    const early = rows.map((row) =>
      row.seq === 10 ? mended(10, textWith(row, { at: "2026-01-01T00:00:00.000Z" })) : row,
    );
    expect(verify(early, ledger.head).filter(({ kind }) => kind === "time")).toMatchObject([{ seq: 10 }]);
  });

  it("ledger R-LED-1: texts that claim other positions than their rows are found, once per shift, though all else fits", () => {
    const shifts: readonly (readonly [shiftOf: (seq: number) => number, found: readonly number[]])[] = [
      [(seq) => (seq === 5 ? 1 : 0), [5]],
      [(seq) => (seq >= 5 ? 1 : 0), [5]],
      [(seq) => (seq >= 5 ? 2 : 0) + (seq >= 12 ? 1 : 0), [5, 12]],
      [() => 7, [0]],
    ];
    for (const [shiftOf, found] of shifts) {
      const verification = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
      for (const row of storedRows(sampleLedger(20))) {
        const prev = verification.head().chain;
        verification.check(mended(row.seq, textWith(row, { prev, seq: row.seq + shiftOf(row.seq) })));
      }
      const findings = verification.finish(verification.head());
      expect(findings.map(({ kind, seq }) => [kind, seq])).toEqual(found.map((seq) => ["sequence", seq]));
    }
  });

  it("ledger section 9: one damage in a long ledger is a handful of findings, not thousands", () => {
    const ledger = sampleLedger(2_000);
    const rows = storedRows(ledger);
    const renumbered = (changed: readonly StoredEntry[]): StoredEntry[] => changed.map((row, seq) => ({ ...row, seq }));
    const first = rows[1_000] ?? EMPTY_ROW;
    const damaged: Readonly<Record<string, StoredEntry[]>> = {
      deleted: rows.toSpliced(1_000, 1),
      "deleted and renumbered": renumbered(rows.toSpliced(1_000, 1)),
      inserted: renumbered(rows.toSpliced(1_000, 0, mended(1_000, foreignRow(first).text))),
      swapped: swapped(rows, 1_000, 1_500),
      "swapped and renumbered": renumbered(swapped(rows, 1_000, 1_500)),
      edited: editAt(rows, 1_000, () => "no entry at all"),
    };
    for (const [name, changed] of Object.entries(damaged)) {
      const count = verify(changed, ledger.head, [ledger.head]).length;
      expect(count, name).toBeGreaterThan(0);
      expect(count, name).toBeLessThanOrEqual(20);
    }
  });

  it("ledger section 9: a second damage is found behind the first", () => {
    const ledger = sampleLedger(200);
    const rows = editAt(storedRows(ledger).toSpliced(50, 1), 150, () => "{}");
    expect(verify(rows, ledger.head)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: "sequence", seq: 51 }),
        expect.objectContaining({ kind: "form", seq: 151 }),
      ]),
    );
  });

  it("ledger section 9: the findings kept are bounded per kind, the count is not", () => {
    const ledger = sampleLedger(200);
    const verification = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
    for (const row of storedRows(ledger)) verification.check({ ...row, text: "{}" });
    verification.finish({ ...ledger.head, size: 7 });
    const forms = verification.findings().filter(({ kind }) => kind === "form");
    expect(forms).toHaveLength(FINDINGS_PER_KIND_MAX);
    expect(kindsOf(verification.findings())).toEqual(["chain", "form", "head", "leaf"]);
    expect(verification.findingCount()).toBeGreaterThan(600);
  });

  it("ledger section 9: each part of a stored head that does not fit is a finding", () => {
    const ledger = sampleLedger(11);
    const rows = storedRows(ledger);
    const heads: readonly (readonly [FindingKind, Partial<LedgerHead>])[] = [
      ["head", { size: 12 }],
      ["root", { root: sampleHash("root") }],
      ["head", { chain: sampleHash("chain") }],
      ["head", { ranges: ledger.head.ranges.toReversed() }],
      ["head", { lastAt: null }],
    ];
    for (const [kind, part] of heads) {
      expect(kindsOf(verify(rows, { ...ledger.head, ...part })), JSON.stringify(part)).toEqual([kind]);
    }
  });

  it("ledger section 9: a checkpoint of another root, of a size never reached, or two of one size are findings", () => {
    const ledger = sampleLedger(8);
    const rows = storedRows(ledger);
    expect(kindsOf(verify(rows, ledger.head, [{ size: 5, root: sampleHash("x") }]))).toEqual(["checkpoint"]);
    expect(kindsOf(verify(rows, ledger.head, [{ size: 9, root: sampleHash("x") }]))).toEqual(["rollback"]);
    expect(kindsOf(verify(rows, ledger.head, [{ size: 0, root: sampleHash("x") }]))).toEqual(["checkpoint"]);
    const twoHistories = [
      { size: 5, root: rootAt(ledger, 5) },
      { size: 5, root: sampleHash("x") },
    ];
    expect(kindsOf(verify(rows, ledger.head, twoHistories))).toEqual(["fork"]);
  });

  it("ledger section 9: a head to start from that is damaged is a finding, whatever is wrong with it", () => {
    const ledger = sampleLedger(11);
    const next = appendEntries(ledger.head, [sampleDraft(1)], "2026-11-20T10:00:00.000Z", nodeSha256);
    const wrong: readonly Partial<LedgerHead>[] = [
      { root: sampleHash("root") },
      { root: "" },
      { chain: "" },
      { ranges: [] },
      { ranges: ledger.head.ranges.map(() => "x") },
      { size: -1 },
      { size: Number.NaN },
      { size: 3 },
    ];
    for (const part of wrong) {
      const verification = startVerification(SAMPLE_ORIGIN, { ...ledger.head, ...part }, nodeSha256);
      for (const row of next.entries) verification.check(row);
      expect(kindsOf(verification.finish(next.head)), JSON.stringify(part)).toContain("head");
    }
  });

  it("ledger section 2: the ledger of one origin does not verify as that of another", () => {
    const ledger = sampleLedger(5);
    const verification = startVerification("other.example/v1/ledger", "genesis", nodeSha256);
    for (const row of storedRows(ledger)) verification.check(row);
    expect(verification.finish(ledger.head)).toMatchObject([{ kind: "chain", seq: 0 }]);
  });

  it("ledger R-KIND-1: unknown kinds pass as opaque and are counted", () => {
    const [row = EMPTY_ROW] = storedRows(sampleLedger(1));
    const future = mended(0, textWith(row, { kind: "future.thing", data: { anything: ["goes"] } }));
    const verification = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
    verification.check(future);
    expect(verification.counts()).toEqual({ checked: 1, unknownKinds: 1 });
    expect(verification.finish(verification.head())).toEqual([]);
  });

  it("ledger section 9: a verification that is over takes nothing more, and a size that is past is asked for too late", () => {
    const verification = startVerification(SAMPLE_ORIGIN, "genesis", nodeSha256);
    for (const row of storedRows(sampleLedger(2))) verification.check(row);
    expect(() => verification.expectCheckpoint(1, sampleHash("x"))).toThrow(LedgerBug);
    expect(() => verification.expectCheckpoint(2.5, sampleHash("x"))).toThrow(LedgerBug);
    verification.finish(verification.head());
    expect(() => verification.check(EMPTY_ROW)).toThrow(LedgerBug);
    expect(() => verification.finish(verification.head())).toThrow(LedgerBug);
  });
});
