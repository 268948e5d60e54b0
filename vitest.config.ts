import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import type { TestProjectInlineConfiguration } from "vitest/config";

const SECOND = 1_000;
/** The first test that wants a second Postgres may have to fetch one. */
const HOOK_TIMEOUT_MIN = 180 * SECOND;

/** A test that asserts nothing protects nothing; a test that needs its neighbour to run first hides a fault. */
const rules = {
  environment: "node",
  pool: "forks",
  restoreMocks: true,
  unstubEnvs: true,
  unstubGlobals: true,
  expect: { requireAssertions: true },
} as const;

interface Suite {
  readonly name: string;
  readonly include: readonly string[];
  readonly timeoutSeconds: number;
  /** Runs beside the suite before it, so that a long file of one does not leave the machine idle. */
  readonly beside?: true;
}

/** One project per kind of guarantee; the order here is the order they run in, the quick ones first. */
const suites: readonly Suite[] = [
  { name: "unit", include: ["src/**/*.test.ts", "ui/**/*.test.ts", "bench/**/*.test.ts"], timeoutSeconds: 15 },
  { name: "contract", include: ["test/contract/**/*.test.ts"], timeoutSeconds: 60 },
  { name: "interop", include: ["test/interop/**/*.test.ts"], timeoutSeconds: 60 },
  { name: "simulation", include: ["test/simulation/**/*.test.ts"], timeoutSeconds: 120 },
  { name: "fault", include: ["test/fault/**/*.test.ts"], timeoutSeconds: 300 },
  // Each file has a server, a database and a browser of its own.
  { name: "e2e", include: ["test/e2e/**/*.test.ts"], timeoutSeconds: 120, beside: true },
];

const workersMax = Math.max(2, Math.min(4, availableParallelism()));

function project(suite: Suite, position: number): TestProjectInlineConfiguration {
  const timeout = suite.timeoutSeconds * SECOND;
  return {
    test: {
      ...rules,
      name: suite.name,
      include: [...suite.include],
      testTimeout: timeout,
      hookTimeout: Math.max(timeout, HOOK_TIMEOUT_MIN),
      maxWorkers: workersMax,
      sequence: { groupOrder: suite.beside === true ? position - 1 : position, shuffle: true },
    },
  };
}

export default defineConfig({
  test: {
    projects: suites.map(project),
    // At the root, so that one database cluster serves all projects of a run; it starts when the first test asks for it.
    globalSetup: ["test/support/postgres-cluster.ts"],
    reporters: ["default"],
    coverage: {
      provider: "v8",
      include: ["src/{core,ledger,gates}/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: ["text", "html"],
      reportsDirectory: "coverage",
      thresholds: { lines: 100, functions: 100, branches: 100 },
    },
  },
});
