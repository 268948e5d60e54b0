/**
 * Watches the ledger of a running server: what was verified at the start stays verified. Every round checks the entries since
 * the last checkpoint from their bytes, signs where the ledger stands now, and reads on through the older entries, so that a
 * change anywhere is found while the server runs. Implements docs/spec/ledger.md R-CP-2, R-CP-3, R-QUAR-1 and R-QUAR-3.
 */
import type { CheckpointFiles } from "../adapters/data-directory/checkpoint-files.ts";
import type { LedgerReader, LedgerStanding } from "../adapters/postgres/ledger-reader.ts";
import type { LedgerHead } from "../ledger/head.ts";
import { formatCheckpoint, signCheckpoint } from "../ledger/note.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { startVerification, type Finding, type Verification } from "../ledger/verify.ts";

export interface LedgerGuardOptions {
  readonly ledger: LedgerReader;
  readonly files: CheckpointFiles;
  readonly origin: string;
  readonly seed: Uint8Array;
  readonly sha256: Sha256;
  readonly clock: () => number;
  /** Where the ledger stood when the start verified it. */
  readonly verified: LedgerHead;
  /** Size of the newest checkpoint that is kept outside the database; 0 without one. */
  readonly signedSize: number;
  /** The findings of the start: quarantine from the first moment. */
  readonly findings: readonly Finding[];
  readonly onFindings: (findings: readonly Finding[]) => void;
}

/** Older entries that are read again, and how often at most. */
const OLDER = 2_000;
const OLDER_EVERY_MS = 30_000;
/** Entries judged without letting anybody else have the processor: some milliseconds. */
const CHUNK = 250;

export class LedgerGuard {
  readonly #options: LedgerGuardOptions;
  #verified: LedgerHead;
  #signedSize: number;
  #findings: readonly Finding[];
  #again: { verification: Verification; target: LedgerHead; next: number };
  #olderAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(options: LedgerGuardOptions) {
    this.#options = options;
    this.#verified = options.verified;
    this.#signedSize = options.signedSize;
    this.#findings = options.findings;
    this.#again = this.#fromTheBeginning();
  }

  get quarantined(): boolean {
    return this.#findings.length > 0;
  }

  /** What is wrong, in a sentence; null while nothing is. */
  get finding(): string | null {
    const [first] = this.#findings;
    return first === undefined ? null : findingSentence(first);
  }

  /** Size of the newest signed checkpoint. */
  get signedSize(): number {
    return this.#signedSize;
  }

  /** One round. Rejects with `Unavailable` when the database is away: that is no finding. */
  async checkpoint(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  async #round(): Promise<void> {
    if (this.quarantined) return;
    const standing = await this.#options.ledger.standing();
    if (standing === undefined) {
      this.#report([{ kind: "head", seq: null, detail: "the head of the ledger is gone" }]);
      return;
    }
    const findings = await this.#checkNew(standing);
    if (findings.length > 0) {
      this.#report(findings);
      return;
    }
    if (this.#verified.size > this.#signedSize) await this.#sign();
    const older = await this.#readOn();
    if (older.length > 0) this.#report(older);
  }

  /** Everything since the last round, from the bytes. */
  async #checkNew({ origin, head, lastSeq }: LedgerStanding): Promise<readonly Finding[]> {
    const { sha256 } = this.#options;
    const from = this.#verified;
    if (origin !== this.#options.origin) {
      return [{ kind: "head", seq: null, detail: `the head says that this is the ledger ${origin}` }];
    }
    if (head.size < from.size) {
      const detail = `the ledger had ${from.size} entries, now its head says ${head.size}`;
      return [{ kind: "rollback", seq: null, detail }];
    }
    const verification = startVerification(origin, from, sha256);
    await this.#check(verification, from.size, head.size);
    const findings = [...verification.finish(head)];
    if (lastSeq === null || lastSeq !== head.size - 1) {
      const detail = `the last entry should be ${head.size - 1}, it is ${lastSeq ?? "missing"}`;
      findings.push({ kind: "sequence", seq: lastSeq, detail });
    }
    if (findings.length === 0) this.#verified = verification.head();
    return findings;
  }

  /** The file is on the disk before anybody else can have the checkpoint (R-CP-4). */
  async #sign(): Promise<void> {
    const { origin, seed, files, ledger, clock } = this.#options;
    const head = this.#verified;
    const note = signCheckpoint(seed, origin, formatCheckpoint({ origin, size: head.size, root: head.root }));
    await files.save(head.size, note);
    this.#signedSize = head.size;
    await ledger.saveCheckpoint({ note, head }, clock());
  }

  /** The next stretch of older entries; at the end of a pass all of them must give the head that it started with. */
  async #readOn(): Promise<readonly Finding[]> {
    const now = this.#options.clock();
    if (now - this.#olderAt < OLDER_EVERY_MS) return [];
    this.#olderAt = now;
    const { verification, target, next } = this.#again;
    const below = Math.min(next + OLDER, target.size);
    await this.#check(verification, next, below);
    this.#again.next = below;
    if (below < target.size) return verification.findings();
    const findings = verification.finish(target);
    if (findings.length === 0) this.#again = this.#fromTheBeginning();
    return findings;
  }

  async #check(verification: Verification, from: number, below: number): Promise<void> {
    for (let next = from; next < below; next += CHUNK) {
      for (const entry of await this.#options.ledger.entries(next, Math.min(next + CHUNK, below)))
        verification.check(entry);
    }
  }

  #fromTheBeginning(): { verification: Verification; target: LedgerHead; next: number } {
    const { origin, sha256 } = this.#options;
    return { verification: startVerification(origin, "genesis", sha256), target: this.#verified, next: 0 };
  }

  #report(findings: readonly Finding[]): void {
    this.#findings = findings;
    this.#options.onFindings(findings);
  }
}

export function findingSentence({ kind, seq, detail }: Finding): string {
  return `${kind}${seq === null ? "" : ` at entry ${String(seq)}`}: ${detail}`;
}
