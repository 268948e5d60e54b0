/**
 * Which ledger is this, whose key signs it, and is it whole? Everything the server must know before it lets anybody act
 * (docs/spec/ledger.md R-VER-1, R-KEY-1; identity R-DEV-3).
 */
import { hash, randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { checkpointFiles, type CheckpointFiles } from "../adapters/data-directory/checkpoint-files.ts";
import { ensureSigningKey, signingKeyFile } from "../adapters/data-directory/signing-key.ts";
import { initializeInstallation, readInstallation, type Installation } from "../adapters/postgres/installation.ts";
import { createLedgerReader, type LedgerReader, type StoredCheckpoint } from "../adapters/postgres/ledger-reader.ts";
import { parseEntry } from "../ledger/entry.ts";
import { leafHash } from "../ledger/hash.ts";
import { openCheckpoint, parseCheckpoint, verifierKeyOf } from "../ledger/note.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import type { Finding } from "../ledger/verify.ts";
import { randomId } from "./random-id.ts";
import { assertSameMode, originOf } from "./start-rules.ts";
import { StartRefused } from "./start-refused.ts";
import { verifyLedger, type VerificationReport } from "./verify-ledger.ts";

export interface OpenLedgerOptions {
  readonly dataDir: string;
  readonly publicUrl: string;
  readonly development: boolean;
  /** Reads every entry, however many there are. */
  readonly full: boolean;
  readonly say: (line: string) => void;
}

export interface OpenLedger {
  readonly installation: Installation;
  /** True when this start made the ledger. */
  readonly isNew: boolean;
  readonly seed: Uint8Array;
  readonly vkey: string;
  readonly ledger: LedgerReader;
  readonly files: CheckpointFiles;
  readonly report: VerificationReport;
}

/** One call per hash: a hash object each costs a third more. */
export const nodeSha256: Sha256 = (data) => hash("sha256", data, "buffer");

/** A ledger up to this size is read whole at every start: that takes about a second. */
const SMALL_LEDGER = 20_000;

/** Throws StartRefused, SigningKeyFault or a database fault. Findings are in the report, not thrown. */
export async function openLedger(pool: Pool, options: OpenLedgerOptions): Promise<OpenLedger> {
  const { dataDir, development } = options;
  const files = checkpointFiles(dataDir);
  const exported = await files.newest();
  const known = await readInstallation(pool);
  if (known !== null) assertSameMode(known.origin, development);
  if (known === null && exported !== null) throw ledgerMissing(files);
  const seed = await ensureSigningKey(dataDir);
  const installation = known ?? (await makeInstallation(pool, seed, options));
  if (exported !== null) assertSameLedger(exported, installation, dataDir);
  const vkey = verifierKeyOf(seed, installation.origin);
  const ledger = createLedgerReader(pool);
  await assertKeyOf(ledger, vkey, dataDir);
  const report = await verifyAtStart(ledger, { vkey, exported, files }, options);
  return { installation, isNew: known === null, seed, vkey, ledger, files, report };
}

async function makeInstallation(pool: Pool, seed: Uint8Array, options: OpenLedgerOptions): Promise<Installation> {
  const origin = originOf(options.publicUrl, options.development, randomBytes(8).toString("hex"));
  return await initializeInstallation(pool, {
    origin,
    orgId: randomId(),
    organization: "default",
    vkey: verifierKeyOf(seed, origin),
    now: new Date().toISOString(),
    sha256: nodeSha256,
  });
}

interface KnownCheckpoints {
  readonly vkey: string;
  readonly exported: string | null;
  readonly files: CheckpointFiles;
}

async function verifyAtStart(
  ledger: LedgerReader,
  { vkey, exported, files }: KnownCheckpoints,
  { full, say }: OpenLedgerOptions,
): Promise<VerificationReport> {
  const standing = await ledger.standing();
  if (standing === undefined)
    throw new StartRefused("ledger_missing", "The head of the ledger is gone from the database.");
  const stored = await ledger.newestCheckpoint();
  const notes = [
    ...(exported === null ? [] : [{ note: exported, place: `in ${files.directory}` }]),
    ...(stored === undefined ? [] : [{ note: stored.note, place: "in the database" }]),
  ];
  const isWhole = full || standing.head.size <= SMALL_LEDGER;
  const from = isWhole || stored === undefined ? undefined : await trustedStart(ledger, stored, standing.origin, vkey);
  let toldAt = Date.now();
  return await verifyLedger(ledger, standing, {
    ...{ sha256: nodeSha256, vkey, notes },
    ...(from !== undefined && { from }),
    onProgress(checked, total) {
      if (Date.now() - toldAt < 1_000) return;
      toldAt = Date.now();
      say(`Verifying the ledger: ${String(checked)} of ${String(total)} entries.`);
    },
  });
}

/** A stored position is believed as far as a signature and the last entry's own bytes bear it out. */
async function trustedStart(
  ledger: LedgerReader,
  { note, head }: StoredCheckpoint,
  origin: string,
  vkey: string,
): Promise<StoredCheckpoint["head"] | undefined> {
  const checkpoint = openCheckpoint(note, origin, vkey);
  if (checkpoint?.size !== head.size || checkpoint.root !== head.root) return undefined;
  const [last] = await ledger.entries(head.size - 1, head.size);
  if (last === undefined) return undefined;
  const isLast = Buffer.from(nodeSha256(Buffer.from(last.text, "utf8"))).toString("hex") === head.chain;
  return isLast && last.at === head.lastAt ? head : undefined;
}

async function assertKeyOf(ledger: LedgerReader, vkey: string, dataDir: string): Promise<void> {
  const named = await vkeyOfLedger(ledger);
  if (named === null || named === vkey) return;
  throw new StartRefused(
    "signing_key_mismatch",
    `This ledger's checkpoints are signed with another key than ${signingKeyFile(dataDir)}: put the key of the data directory that the ledger was made with there.`,
  );
}

/** The key that entry 0 names; null when that entry is not what it was, which verification will report. */
export async function vkeyOfLedger(ledger: LedgerReader): Promise<string | null> {
  const [first] = await ledger.entries(0, 1);
  if (first === undefined) return null;
  if (leafHash(first.text, nodeSha256) !== first.leaf) return null;
  const parsed = parseEntry(first.text);
  const vkey = parsed.ok && parsed.entry.kind === "ledger.created" ? parsed.entry.data["vkey"] : null;
  return typeof vkey === "string" ? vkey : null;
}

function assertSameLedger(exported: string, { origin }: Installation, dataDir: string): void {
  const other = parseCheckpoint(exported)?.origin ?? origin;
  if (other === origin) return;
  throw new StartRefused(
    "data_dir_mismatch",
    `The data directory ${dataDir} belongs to the ledger ${other}, the database holds ${origin}: give each its own.`,
  );
}

function ledgerMissing(files: CheckpointFiles): StartRefused {
  return new StartRefused(
    "ledger_missing",
    `There are checkpoints in ${files.directory}, but the database holds no ledger: it was removed, or this is the wrong database. Restore it, or start with another data directory.`,
  );
}

/** The findings that quarantine, in the words of the report file. */
export function tamperReport(report: Pick<VerificationReport, "findings" | "origin">, at: number): string {
  const findings: readonly Finding[] = report.findings;
  return `${JSON.stringify({ at: new Date(at).toISOString(), origin: report.origin, findings }, null, 2)}\n`;
}
