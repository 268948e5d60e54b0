/**
 * A server process reduced to its database: opens it, prints one line of JSON, waits for SIGTERM, closes it.
 * Started by postgres-launcher.ts, so that tests can kill it.
 */
import { openDatabase } from "../../src/main/open-database.ts";

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error("The data directory is the first argument");

const print = (line: Readonly<Record<string, unknown>>): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const start = performance.now();
  const database = await openDatabase({ databaseUrl: undefined, dataDir, log: (line) => print({ log: line }) });
  process.once("SIGTERM", () => {
    void database.close().then(() => process.exit(0));
  });
  print({ connectionString: database.connectionString, ms: Math.round(performance.now() - start) });
  // Stays until it is told to go, or until the test that started it is gone.
  process.stdin.resume().once("end", () => process.exit(1));
} catch (error) {
  print({ refused: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
