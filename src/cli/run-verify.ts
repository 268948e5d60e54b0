/** `countersign verify`: 0 sound, 1 finding, 2 could not check. */
import type { Finding } from "../ledger/verify.ts";
import { CannotVerify, verifyDatabase } from "../main/verify-database.ts";
import { CannotVerifyServer, verifyServer } from "./verify-server.ts";

export interface VerifyFlags {
  readonly data?: string;
  readonly database?: string;
  readonly server?: string;
  readonly token?: string;
  readonly key?: string;
  readonly full?: true;
  readonly json?: true;
}

interface Outcome {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly checkpoint: number | null;
  readonly vkey: string | null;
  /** Who says that this is the key. */
  readonly keySource: string;
  readonly findings: readonly Finding[];
  readonly findingCount: number;
}

/** The exit status. */
export async function runVerify(flags: VerifyFlags): Promise<number> {
  const isLocal = flags.data !== undefined || flags.database !== undefined;
  if (isLocal === (flags.server !== undefined)) {
    console.error("Say what to verify: --data <directory>, --database <url> (or both), or --server <url>.");
    return 2;
  }
  try {
    const outcome = await verify(flags);
    console.log(
      flags.json === true ? JSON.stringify({ sound: outcome.findingCount === 0, ...outcome }, null, 2) : told(outcome),
    );
    return outcome.findingCount === 0 ? 0 : 1;
  } catch (error) {
    const isExpected = error instanceof CannotVerify || error instanceof CannotVerifyServer;
    console.error(
      isExpected ? error.message : `Could not check: ${error instanceof Error ? error.message : "no reason given"}`,
    );
    return 2;
  }
}

async function verify(flags: VerifyFlags): Promise<Outcome> {
  const progress = progressLine();
  const given = flags.key === undefined ? {} : { vkey: flags.key };
  if (flags.server !== undefined) {
    const token = flags.token === undefined ? {} : { token: flags.token };
    const verified = await verifyServer({ url: flags.server, ...token, ...given, onProgress: progress });
    return { ...verified, keySource: flags.key === undefined ? "ledger" : "given" };
  }
  const { report, vkey, keySource } = await verifyDatabase({
    ...(flags.data === undefined ? {} : { dataDir: flags.data }),
    ...(flags.database === undefined ? {} : { databaseUrl: flags.database }),
    ...given,
    full: flags.full === true,
    onProgress: progress,
  });
  const { origin, size, root, checkpoint, findings, findingCount } = report;
  return { origin, size, root, checkpoint, vkey, keySource, findings, findingCount };
}

/** Each second one line, so that a long check shows that it lives. */
function progressLine(): (checked: number, total?: number) => void {
  const started = performance.now();
  let toldAt = started;
  return (checked, total) => {
    const now = performance.now();
    if (now - toldAt < 1_000) return;
    toldAt = now;
    const rate = Math.round(checked / ((now - started) / 1_000));
    const share = total === undefined ? "" : ` of ${String(total)}`;
    console.error(`checked ${String(checked)}${share} entries, ${String(rate)} a second`);
  };
}

function told(outcome: Outcome): string {
  const { origin, size, root, checkpoint, vkey, keySource, findings, findingCount } = outcome;
  const about = [
    `ledger      ${origin}`,
    `entries     ${String(size)}`,
    `root        ${root}`,
    `checkpoint  ${checkpoint === null ? "none: removal of the newest entries could go unnoticed" : `signed up to entry ${String(checkpoint - 1)}`}`,
    `key         ${vkey ?? "unknown"} (from ${keySource === "given" ? "the command line" : `the ${keySource}`})`,
  ];
  if (findingCount === 0) return [...about, "", "Sound: every entry is what it was, where it was."].join("\n");
  const shown = findings.map(
    ({ kind, seq, detail }) => `  ${kind}${seq === null ? "" : ` at entry ${String(seq)}`}: ${detail}`,
  );
  const more = findingCount - findings.length;
  const rest = more > 0 ? [`  and ${String(more)} more`] : [];
  return [...about, "", `Not sound: ${String(findingCount)} findings.`, ...shown, ...rest].join("\n");
}
