/**
 * Ledgers to test with: the drafts of every shape that the published vectors have, with ids and digests made from a number,
 * so that a failing property can be run again from its seed.
 */
import { hash } from "node:crypto";
import type { EntryDraft, SealedEntry } from "../../src/ledger/append.ts";
import { appendEntries } from "../../src/ledger/append.ts";
import { emptyHead } from "../../src/ledger/head.ts";
import type { LedgerHead } from "../../src/ledger/head.ts";
import type { Sha256 } from "../../src/ledger/sha256.ts";
import type { StoredEntry } from "../../src/ledger/verify.ts";

export const SAMPLE_ORIGIN = "approvals.example.com/v1/ledger";

/** The server's SHA-256, several times as fast as the pure one. */
export const nodeSha256: Sha256 = (data) => hash("sha256", data, "buffer");

export interface SampleLedger {
  readonly head: LedgerHead;
  readonly entries: readonly SealedEntry[];
}

/** `size` entries appended in batches of `batchSize`, a second apart; `seed` decides what they say. */
export function sampleLedger(size: number, seed = 1, batchSize = 3): SampleLedger {
  let head = emptyHead(SAMPLE_ORIGIN, nodeSha256);
  const entries: SealedEntry[] = [];
  while (entries.length < size) {
    const count = Math.min(batchSize, size - entries.length);
    const drafts = Array.from({ length: count }, (_, index) => sampleDraft(seed * 100_003 + entries.length + index));
    const appended = appendEntries(head, drafts, sampleTime(entries.length), nodeSha256);
    head = appended.head;
    entries.push(...appended.entries);
  }
  return { head, entries };
}

/** Rows as a database would give them back. */
export function storedRows(ledger: SampleLedger): StoredEntry[] {
  return ledger.entries.map((entry) => ({ ...entry }));
}

export function sampleDraft(number: number): EntryDraft {
  const shape = SHAPES[number % SHAPES.length] ?? requestCreated;
  return shape(number);
}

export function sampleId(prefix: string, number: number): string {
  return `${prefix}_${sampleHash(`${prefix}${number}`).slice(0, 32)}`;
}

export function sampleHash(text: string): string {
  return hash("sha256", text, "hex");
}

/** `index` seconds after the first sample entry. */
function sampleTime(index: number): string {
  return new Date(Date.UTC(2026, 10, 20, 9) + index * 1_000).toISOString();
}

/** Requests are few, so that entries of one request are many. */
function about(number: number): Pick<EntryDraft, "org" | "request" | "resource"> {
  const request = Math.floor(number / SHAPES.length);
  return {
    org: sampleId("org", request % 3),
    request: sampleId("req", request),
    resource: { digest: `sha256:${sampleHash(`payload ${request}`)}`, gate: "deploy" },
  };
}

function requestCreated(number: number): EntryDraft {
  return {
    ...about(number),
    kind: "request.created",
    actor: sampleId("mch", number % 5),
    credential: sampleId("tok", number % 5),
    data: {
      expires_at: sampleTime(number % 100_000),
      message: `c1:${sampleHash(`message ${number}`)}`,
      policy: `sha256:${sampleHash("policy")}`,
      requester: sampleId("usr", number % 7),
      revision: 1,
    },
  };
}

function requestResolved(number: number): EntryDraft {
  const tasks = Array.from({ length: number % 4 }, (_, index) => ({
    task: sampleId("task", number * 4 + index),
    person: sampleId("usr", index),
    seat: index === 0 ? null : sampleId("seat", number * 4 + index),
    kind: index === 0 ? "observer" : "approver",
    rule: index,
  }));
  return {
    ...about(number),
    kind: "request.resolved",
    actor: "sys_engine",
    credential: null,
    data: { stage: 1, tasks, excluded: [{ person: sampleId("usr", 9), why: "requester" }] },
  };
}

function decisionRecorded(number: number): EntryDraft {
  return {
    ...about(number),
    kind: "decision.recorded",
    actor: sampleId("usr", number % 7),
    credential: sampleId("ses", number),
    data: {
      assertion: null,
      assurance: "mfa",
      decision: number % 2 === 0 ? "approve" : "reject",
      factor: sampleId("fac", number % 7),
      method: "totp",
      on_behalf_of: null,
      policy: `sha256:${sampleHash("policy")}`,
      reason: `c1:${sampleHash(`reason ${number}`)}`,
      revision: 1,
      shown_at: sampleTime(number % 100_000),
      stage: 1,
      statement: null,
      task: sampleId("task", number),
    },
  };
}

function requestApproved(number: number): EntryDraft {
  return {
    ...about(number),
    kind: "request.approved",
    actor: "sys_engine",
    credential: null,
    data: { decisions: number % 9, revision: 1, stages: 1 },
  };
}

function settingChanged(number: number): EntryDraft {
  return {
    org: null,
    request: null,
    resource: null,
    kind: "setting.changed",
    actor: sampleId("usr", number % 7),
    credential: sampleId("ses", number),
    data: { key: "decisions.admin_override", old: null, new: `c1:${sampleHash(`new ${number}`)}` },
  };
}

const SHAPES = [requestCreated, requestResolved, decisionRecorded, requestApproved, settingChanged] as const;
