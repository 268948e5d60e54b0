/**
 * Where are checkpoints kept outside the database? One file each in the data directory, made once and never changed, written
 * through to the disk before the checkpoint is shown to anybody (ledger R-CP-4). Put on another disk or copied elsewhere, they
 * are what shows that the newest entries were removed.
 */
import { link, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface CheckpointFiles {
  readonly directory: string;
  /** The note of the greatest size; null when there is none. */
  newest(): Promise<string | null>;
  /** Does nothing when a checkpoint of that size is there already. */
  save(size: number, note: string): Promise<void>;
}

const NAME = /^\d{20}\.note$/;

export function checkpointFiles(dataDir: string): CheckpointFiles {
  const directory = join(dataDir, "checkpoints");
  return {
    directory,
    async newest() {
      const names = (await namesIn(directory)).filter((name) => NAME.test(name)).sort();
      const last = names.at(-1);
      return last === undefined ? null : await readFile(join(directory, last), "utf8");
    },
    async save(size, note) {
      await mkdir(directory, { recursive: true });
      const name = `${String(size).padStart(20, "0")}.note`;
      const draft = join(directory, `.${name}.${String(process.pid)}`);
      await writeFile(draft, note, { mode: 0o444, flush: true });
      // A link appears whole or not at all: a process that is killed here leaves no half a checkpoint behind.
      await link(draft, join(directory, name)).catch(ignoreExisting);
      await rm(draft, { force: true });
      await flushDirectory(directory);
    },
  };
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

/** The file's name must survive a power cut too. */
async function flushDirectory(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
