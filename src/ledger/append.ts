/**
 * What do new entries look like, and where does the ledger stand after them? Implements docs/spec/ledger.md R-APP-1 and
 * R-APP-2: `seq`, `at` and `prev` are given here, in the order of the drafts, from the head that the caller has locked.
 */
import type { JsonObject } from "./canonical-json.ts";
import { encodeEntry } from "./entry.ts";
import type { EntryResource } from "./entry.ts";
import { entryHashes } from "./hash.ts";
import type { LedgerHead } from "./head.ts";
import { isLedgerKind } from "./kinds.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { isLedgerTime } from "./member-form.ts";
import type { Sha256 } from "./sha256.ts";
import { isRangeShape, pushLeaf, rangeRoot } from "./tree.ts";

export interface EntryDraft {
  readonly org: string | null;
  readonly kind: string;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly resource: EntryResource | null;
  readonly request: string | null;
  readonly data: JsonObject;
}

/** An entry ready to be stored: its text and the columns that are derived from it (R-LED-4). */
export interface SealedEntry {
  readonly seq: number;
  readonly at: string;
  readonly text: string;
  readonly chain: string;
  readonly leaf: string;
  readonly kind: string;
  readonly org: string | null;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly request: string | null;
  readonly resourceDigest: string | null;
}

export interface Appended {
  readonly head: LedgerHead;
  readonly entries: readonly SealedEntry[];
}

/** `now` is the server's time; the ledger's never goes back, so the later of the two stands in the entries. */
export function appendEntries(head: LedgerHead, drafts: readonly EntryDraft[], now: string, sha256: Sha256): Appended {
  if (!isLedgerTime(now)) throw new LedgerBug(`${now} is not a ledger time`);
  if (!isRangeShape({ size: head.size, roots: head.ranges })) {
    throw new LedgerBug("the head's compact range is damaged");
  }
  if (drafts.length === 0) return { head, entries: [] };
  const at = head.lastAt !== null && head.lastAt > now ? head.lastAt : now;
  const roots = [...head.ranges];
  const entries: SealedEntry[] = [];
  let { size, chain } = head;
  for (const draft of drafts) {
    const entry = sealEntry(draft, { seq: size, at, prev: chain }, sha256);
    pushLeaf(roots, size, entry.leaf, sha256);
    entries.push(entry);
    chain = entry.chain;
    size += 1;
  }
  return { head: { size, root: rangeRoot({ size, roots }, sha256), chain, ranges: roots, lastAt: at }, entries };
}

interface Position {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
}

function sealEntry(draft: EntryDraft, position: Position, sha256: Sha256): SealedEntry {
  const { org, kind, actor, credential, resource, request, data } = draft;
  // R-KIND-1: a verifier lets unknown kinds pass, an appender does not.
  if (!isLedgerKind(kind)) throw new LedgerBug(`there is no kind called ${kind}`);
  const text = encodeEntry({ v: 1, ...position, org, kind, actor, credential, resource, request, data });
  const { chain, leaf } = entryHashes(text, sha256);
  const resourceDigest = resource === null ? null : resource.digest;
  return {
    seq: position.seq,
    at: position.at,
    text,
    chain,
    leaf,
    kind,
    org,
    actor,
    credential,
    request,
    resourceDigest,
  };
}
