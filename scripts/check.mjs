/**
 * `npm run check`: everything that can be known about the tree without running it, one line per step, ending at the
 * first step that fails with what that step said. The linter takes as long as everything else together, so it runs
 * beside it.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { install, requireNode, root, tool } from "./prepare.mjs";

const LINES_MAX = 120;
const WIDTH_MAX = 300;

requireNode();
install();

const tsc = tool("typescript/bin/tsc");
const lint = [["lint", "eslint, with types", [tool("eslint/bin/eslint.js"), ".", "--max-warnings", "0"]]];
const others = [
  ["format", "prettier", [tool("prettier/bin/prettier.cjs"), "--check", "--log-level", "warn", "."]],
  ["types", "pure folders, then server", [tsc, "-b", "tsconfig.node.json"]],
  ["types", "with tests", [tsc, "-p", "tsconfig.check.json"]],
  ["types", "console", [tsc, "-p", "ui/tsconfig.json"]],
  ["walls", "import table and planted violations", [join(root, "scripts/check-boundaries.mjs")]],
  ["unused", "knip: files, exports, packages", [tool("knip/bin/knip.js"), "--no-progress"]],
  ["docs", "links, commands, code blocks", [join(root, "scripts/check-docs.mjs")]],
];

const startedAt = performance.now();
await Promise.all([lint, others].map(runSteps));
console.log(`check passed in ${secondsSince(startedAt)} s; ${suppressions()} lint suppressions in the tree`);

async function runSteps(steps) {
  for (const [name, what, programArguments] of steps) await runStep(name, what, programArguments);
}

async function runStep(name, what, programArguments) {
  const stepStartedAt = performance.now();
  const child = spawn(process.execPath, programArguments, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill());
  const printed = [];
  child.stdout.on("data", (chunk) => printed.push(chunk));
  child.stderr.on("data", (chunk) => printed.push(chunk));
  const status = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const ok = status === 0;
  console.log(
    `${ok ? "ok  " : "FAIL"}  ${name.padEnd(7)} ${what.padEnd(38)} ${secondsSince(stepStartedAt).padStart(5)} s`,
  );
  if (ok) return;
  const output = Buffer.concat(printed).toString("utf8");
  console.log(`\n${readable(output)}\n\ncheck failed at: ${name} (${what})`);
  process.exit(1);
}

/** A type error of a generic library can be a page long. */
function readable(output) {
  const lines = output.trim().split("\n");
  const shown = lines
    .slice(0, LINES_MAX)
    .map((line) => (line.length > WIDTH_MAX ? `${line.slice(0, WIDTH_MAX)} …` : line));
  return lines.length > LINES_MAX ? `${shown.join("\n")}\n… ${lines.length - LINES_MAX} more lines` : shown.join("\n");
}

function secondsSince(moment) {
  return ((performance.now() - moment) / 1000).toFixed(1);
}

function suppressions() {
  const files = ["src", "ui", "test", "bench"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("node_modules"))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return files.reduce((sum, file) => sum + readFileSync(file, "utf8").split(/eslint-disable(?!d)/).length - 1, 0);
}
