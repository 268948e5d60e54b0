/** How fast is a ledger verified, compared with hashing the same bytes as often as verification has to (chain and leaf)? */
import { createHash } from "node:crypto";
import { appendEntries, type EntryDraft, type SealedEntry } from "../src/ledger/append.ts";
import { emptyHead } from "../src/ledger/head.ts";
import { startVerification, type StoredEntry } from "../src/ledger/verify.ts";
import { nodeSha256 } from "../src/main/open-ledger.ts";
import { loadNow, printTable, warnIfBusy, writeReport } from "./report.ts";
import { median, rounded, summarize } from "./summary.ts";

export interface LedgerVerifyOptions {
  readonly entries: number;
  readonly runs: number;
}

const ORIGIN = "localhost/bench/ledger";
const START = Date.UTC(2026, 0, 1);
/** A million entries in 15 seconds. */
const ENTRIES_PER_SECOND_GOAL = 66_667;

export function benchLedgerVerify({ entries, runs }: LedgerVerifyOptions): boolean {
  const load = loadNow();
  warnIfBusy(load);
  const ledger = makeLedger(entries);
  const bytes = ledger.entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const verified: number[] = [];
  const hashed: number[] = [];
  verifyOnce(ledger);
  for (let run = 0; run < runs; run += 1) {
    verified.push(rounded(entries / seconds(() => verifyOnce(ledger))));
    hashed.push(rounded(entries / seconds(() => hashOnce(ledger.entries))));
  }
  const ratio = rounded(median(verified) / median(hashed));
  const result = summarize(verified, "entries/s");
  const baseline = { name: "SHA-256 of the same bytes, twice", result: summarize(hashed, "entries/s") };
  const pass = result.p50 >= ENTRIES_PER_SECOND_GOAL;
  console.log(
    `\nVerification in memory, ${entries} entries of ${Math.round(bytes / entries)} bytes: ratio ${ratio.toFixed(2)}`,
  );
  printTable(
    ["", "entries/s"],
    [
      ["verification", Math.round(result.p50)],
      ["hashing only", Math.round(baseline.result.p50)],
    ],
  );
  const goal = `at least ${ENTRIES_PER_SECOND_GOAL} entries per second`;
  const params = { entries, bytes_per_entry: Math.round(bytes / entries), runs };
  const details = { seconds_per_million: rounded(1_000_000 / result.p50) };
  const file = writeReport(
    { name: "ledger-verify", params, samples: verified, result, baseline, ratio, goal, pass, details },
    { postgres: null, embedded: false },
    load,
  );
  console.log(`${pass ? "pass" : "FAIL"}: ${goal}. ${file}`);
  return pass;
}

type Ledger = ReturnType<typeof appendEntries>;

function makeLedger(count: number): Ledger {
  const drafts = Array.from({ length: count }, (_, index) => delegationDraft(index));
  return appendEntries(emptyHead(ORIGIN, nodeSha256), drafts, new Date(START).toISOString(), nodeSha256);
}

/** An entry of about 600 bytes, between those of a claim and those of a decision. */
function delegationDraft(index: number): EntryDraft {
  const id = index.toString(16).padStart(32, "0");
  return {
    org: `org_${"a".repeat(32)}`,
    kind: "task.delegated",
    actor: "sys_engine",
    credential: null,
    resource: { digest: `sha256:${id}${id}`, gate: "generic" },
    request: `req_${id}`,
    data: { task: `task_${id}`, stage: 1, from: `usr_${id}`, to: `usr_${id}` },
  };
}

function verifyOnce({ entries, head }: Ledger): void {
  const verification = startVerification(ORIGIN, "genesis", nodeSha256);
  for (const entry of entries) verification.check(stored(entry));
  verification.finish(head);
  if (verification.findingCount() > 0) throw new Error(JSON.stringify(verification.findings()[0]));
}

function stored(entry: SealedEntry): StoredEntry {
  return entry;
}

function hashOnce(entries: readonly SealedEntry[]): void {
  for (const { text } of entries) {
    createHash("sha256").update(text).digest();
    createHash("sha256").update(text).digest();
  }
}

function seconds(act: () => void): number {
  const startedAt = performance.now();
  act();
  return (performance.now() - startedAt) / 1_000;
}
