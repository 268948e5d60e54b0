/** What a benchmark leaves behind: one JSON file per name in bench/out (docs/benchmarks.md), and lines on the terminal. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/main/package-root.ts";
import type { Summary } from "./summary.ts";

export interface Report {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly samples: readonly number[];
  readonly result: Summary;
  readonly baseline: { readonly name: string; readonly result: Summary } | null;
  readonly ratio: number | null;
  /** In words; null where nothing is promised. */
  readonly goal: string | null;
  readonly pass: boolean;
  /** Whatever else was observed: latencies by kind, counts, processor time. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface DatabaseKind {
  readonly postgres: string | null;
  readonly embedded: boolean;
}

const OUT = join(packageRoot(), "bench", "out");
const MEGABYTE = 1_048_576;

/** Returns the path of the file, for the person at the terminal. */
export function writeReport(report: Report, database: DatabaseKind, loadBefore: number): string {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_mb: Math.round(totalmem() / MEGABYTE),
    node: process.versions.node,
    ...database,
    load_before: loadBefore,
  };
  const { name, ...rest } = report;
  const content = { v: 1, name, commit: commit(), at: new Date().toISOString(), machine, ...rest };
  mkdirSync(OUT, { recursive: true });
  const file = join(OUT, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}

/** The load of the last minute, before this benchmark adds its own. */
export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** Other programs on the same cores make every figure worse, and not both sides of a ratio equally. */
export function warnIfBusy(load: number): void {
  if (load <= cpus().length / 2) return;
  console.log(`Warning: the load average is ${load} on ${cpus().length} cores before anything was measured.`);
}

export type Cell = string | number;

/** Columns as wide as their widest cell; numbers to the right. */
export function printTable(heads: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? figure(cell) : cell)));
  const widths = heads.map((head, column) => Math.max(head.length, ...texts.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[], isNumber: (column: number) => boolean): string =>
    cells
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const isNumberColumn = (column: number): boolean => typeof rows[0]?.[column] === "number";
  console.log(line(heads, isNumberColumn));
  console.log(widths.map((width) => "-".repeat(width)).join("  "));
  for (const row of texts) console.log(line(row, isNumberColumn));
}

function figure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function commit(): string | null {
  const asked = spawnSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: packageRoot(), encoding: "utf8" });
  return asked.status === 0 ? asked.stdout.trim() : null;
}
