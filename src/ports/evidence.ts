/** The ledger as evidence needs it: entries of one request, proofs that they are in it, and the checkpoints that are signed. */
import type { RequestId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";

export interface EvidenceEntry {
  readonly seq: number;
  /** The canonical text. */
  readonly text: string;
}

export interface EvidenceOpening {
  readonly seq: number;
  readonly path: string;
  readonly salt: string;
  readonly value: JsonValue;
}

export interface RequestEvidence {
  readonly entries: readonly EvidenceEntry[];
  readonly openings: readonly EvidenceOpening[];
  /** What those who decided were shown. */
  readonly displays: readonly { readonly digest: string; readonly document: JsonObject }[];
}

export interface TreeProofs {
  /** By position; hex, leaf side first. */
  readonly inclusion: ReadonlyMap<number, readonly string[]>;
  /** By the size of the older tree. */
  readonly consistency: ReadonlyMap<number, readonly string[]>;
}

export interface EvidenceReader {
  ofRequest(id: RequestId): Promise<RequestEvidence>;
  /** Entries about these factors (`fac_…`), and those that activated a policy of this digest, in order. */
  context(factors: readonly string[], policyDigest: string): Promise<readonly EvidenceEntry[]>;
  /** In the tree of the first `size` entries. */
  proofs(
    size: number,
    asked: { readonly seqs: readonly number[]; readonly from: readonly number[] },
  ): Promise<TreeProofs>;
}

/** Signed notes. Both reject with `Unavailable` when none can be signed now. */
export interface Checkpoints {
  /** The newest one; the first is signed when it is asked for. */
  newest(): Promise<string>;
  /** One of at least so many entries, signed now where needed. */
  covering(size: number): Promise<string>;
}
