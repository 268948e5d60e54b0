/** How does an empty database come into being? Whole or not at all: made under another name, then renamed. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { runProgram } from "./run-program.ts";
import { handOver, ownUserName } from "./service-user.ts";
import type { ServiceUser } from "./service-user.ts";

export const DATABASE_USER = "countersign";

export interface CreateClusterOptions {
  readonly binaries: PostgresBinaries;
  readonly cluster: string;
  readonly user: ServiceUser | undefined;
  /** False skips waiting for the disk: for tests, whose databases need not survive a power cut. */
  readonly isDurable: boolean;
}

const INITDB_TIMEOUT_MS = 120_000;
/** From this version on Postgres brings its own C.UTF-8, the same on every operating system. */
const BUILTIN_LOCALE_MAJOR = 17;

/** Makes the cluster if it is not there. The caller holds the data lock, so drafts found here are left over from a killed start. */
export async function createCluster(options: CreateClusterOptions): Promise<"made" | "found"> {
  const { cluster } = options;
  if (await exists(join(cluster, "PG_VERSION"))) return "found";
  await removeEmpty(cluster);
  const parent = dirname(cluster);
  await removeDrafts(parent, basename(cluster));
  const draft = `${cluster}.new-${randomUUID()}`;
  await mkdir(draft, { mode: 0o700 });
  await handOver(draft, options.user);
  await initialize(draft, options);
  await rename(draft, cluster);
  if (options.isDurable) await syncDirectory(parent);
  return "made";
}

async function initialize(draft: string, options: CreateClusterOptions): Promise<void> {
  const { binaries, user } = options;
  const locale =
    binaries.major >= BUILTIN_LOCALE_MAJOR ? ["--locale-provider=builtin", "--locale=C.UTF-8"] : ["--locale=C.UTF-8"];
  const result = await runProgram(
    join(binaries.binDirectory, "initdb"),
    [
      ...["-D", draft, "-U", DATABASE_USER, "-A", "peer", "-E", "UTF8", "--data-checksums", "--no-instructions"],
      ...locale,
      ...(options.isDurable ? [] : ["--no-sync"]),
    ],
    { user, timeoutMs: INITDB_TIMEOUT_MS },
  );
  if (result.isSuccess) return;
  await rm(draft, { recursive: true, force: true });
  throw new EmbeddedPostgresFault(
    "embedded_postgres_data",
    `The database could not be made in ${dirname(options.cluster)}: ${result.output.split("\n").slice(-3).join(" ")}
Set DATABASE_URL=postgres://user:password@host:5432/database to use a Postgres 15 or newer of your own.`,
  );
}

/**
 * Who may sign in: this process's own user, proved by the operating system (peer), and nobody else; not even other programs
 * that run as the service user. Written at every start, because the database may be started by another user than last time.
 */
export async function writeAccessRules(
  cluster: string,
  user: ServiceUser | undefined,
  moreRules: readonly string[] = [],
): Promise<void> {
  const rules = ["local all all peer map=countersign", ...moreRules];
  const files = {
    "pg_hba.conf": rules.join("\n"),
    "pg_ident.conf": `countersign "${ownUserName()}" ${DATABASE_USER}`,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(cluster, name);
    await writeFile(path, `${content}\n`, { mode: 0o600 });
    await handOver(path, user);
  }
}

/** An empty directory may stand where the cluster will be; anything else there is not ours to remove. */
async function removeEmpty(cluster: string): Promise<void> {
  if (!(await exists(cluster))) return;
  await rmdir(cluster).catch((error: unknown) => {
    throw new EmbeddedPostgresFault(
      "embedded_postgres_data",
      `${cluster} exists but is no database (it has no file PG_VERSION): move it away, or choose another data directory.`,
      error,
    );
  });
}

async function removeDrafts(parent: string, name: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(`${name}.new-`)) continue;
    // Its initdb may outlive a killed parent for a moment and still write.
    await rm(join(parent, entry), { recursive: true, force: true, maxRetries: 10 });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync().finally(() => handle.close());
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
