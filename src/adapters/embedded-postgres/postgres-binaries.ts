/**
 * Which Postgres programs are there to run? The operator's choice (PG_BIN_DIR), else the npm package of this platform,
 * else a Postgres of the system; else a message that names the way out.
 */
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import { runProgram } from "./run-program.ts";
import { discardRuntime, prepareRuntime } from "./runtime-directory.ts";
import { serviceUser } from "./service-user.ts";

export interface PostgresBinaries {
  readonly binDirectory: string;
  /** 18 for 18.4: data directories of another major version cannot be opened. */
  readonly major: number;
}

const OLDEST_MAJOR = 15;
const VERSION_TIMEOUT_MS = 10_000;
const SYSTEM_DIRECTORY = "/usr/lib/postgresql";

export async function findBinaries(chosenDirectory?: string): Promise<PostgresBinaries> {
  if (chosenDirectory !== undefined) {
    const chosen = await probe(chosenDirectory);
    if (chosen !== undefined) return chosen;
    throw missing(`PG_BIN_DIR names ${chosenDirectory}, where no Postgres 15 or newer can be run.`);
  }
  const found = (await packagedBinaries()) ?? (await systemBinaries());
  if (found !== undefined) return found;
  throw missing(`No database programs for ${process.platform} ${process.arch} can be run here.`);
}

/** The binaries in the npm package of this platform, from a directory where they can run. */
export async function packagedBinaries(): Promise<PostgresBinaries | undefined> {
  const native = packageDirectory();
  if (native === undefined) return undefined;
  const version = await packageVersion(native);
  if (version === undefined) return undefined;
  const runtime = await prepareRuntime(join(native, "native"), version);
  const found = await probe(join(runtime, "bin"));
  if (found !== undefined) return found;
  await discardRuntime(runtime);
  return await probe(join(await prepareRuntime(join(native, "native"), version), "bin"));
}

/** The package exports only its entry point, so its directory is found from there. */
function packageDirectory(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return dirname(dirname(entry));
  } catch {
    return undefined;
  }
}

async function packageVersion(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, "package.json"), "utf8").catch(() => "{}");
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return undefined;
  return typeof manifest.version === "string" && /^[\w.-]+$/.test(manifest.version) ? manifest.version : undefined;
}

/** The newest Postgres that the system's packages installed. */
export async function systemBinaries(): Promise<PostgresBinaries | undefined> {
  const names = await readdir(SYSTEM_DIRECTORY).catch(() => []);
  const majors = names.map(Number).filter((major) => Number.isInteger(major));
  for (const major of majors.sort((one, other) => other - one)) {
    const found = await probe(join(SYSTEM_DIRECTORY, String(major), "bin"));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Runs `postgres --version` as the service user: what cannot be run is not there (musl, missing libraries, private paths). */
export async function probe(binDirectory: string): Promise<PostgresBinaries | undefined> {
  const result = await runProgram(join(binDirectory, "postgres"), ["--version"], {
    user: serviceUser(),
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(result.output)?.[1]);
  return result.isSuccess && major >= OLDEST_MAJOR ? { binDirectory, major } : undefined;
}

function missing(reason: string): EmbeddedPostgresFault {
  return new EmbeddedPostgresFault(
    "embedded_postgres_missing",
    `${reason}
Set DATABASE_URL=postgres://user:password@host:5432/database to use a Postgres 15 or newer of your own,
or install Postgres and set PG_BIN_DIR to the directory that holds its initdb and postgres.`,
  );
}
