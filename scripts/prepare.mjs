/**
 * What `npm start`, `npm test` and `npm run bench` need before they can run: a Node that is new enough, the packages of
 * the lockfile, and a build of the sources as they are now. Each step is skipped when there is nothing to do.
 * Plain Node without packages: this runs before anything is installed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const root = dirname(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname));

const NODE_MIN = [20, 19];
const BUILD_STAMP = join(root, "dist/build-stamp.txt");
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Stops the program with a sentence instead of a stack. */
export function stop(sentence) {
  console.error(`\ncountersign: ${sentence}`);
  process.exit(1);
}

/** The installed file that a package's command runs, so that no shell and no npx stands between. */
export function tool(path) {
  return join(root, "node_modules", path);
}

export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  stop(`Node ${NODE_MIN.join(".")} or newer is needed, this is ${process.versions.node}. See https://nodejs.org/.`);
}

/** Installs the packages of the lockfile unless node_modules already holds them. */
export function install() {
  if (packagesMatchLockfile()) return;
  step("installing packages", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  if (!packagesMatchLockfile()) stop("npm ci ended without installing what package-lock.json lists.");
}

/** Compiles server and console unless dist/ was built from exactly these sources. */
export function build() {
  const sources = fingerprint();
  if (existsSync(BUILD_STAMP) && readFileSync(BUILD_STAMP, "utf8") === sources) return;
  rmSync(BUILD_STAMP, { force: true });
  step("compiling the server", process.execPath, [tool("typescript/bin/tsc"), "-b", "tsconfig.node.json"]);
  // The compiler writes plain files; `npx countersign` runs this one as a program.
  for (const program of ["countersign", "rack-gateway"]) chmodSync(join(root, `dist/src/cli/${program}.js`), 0o755);
  step("building the console", process.execPath, [tool("vite/bin/vite.js"), "build", "ui", "--logLevel", "warn"]);
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, sources);
}

/** npm keeps a copy of the lockfile in node_modules of what it really installed. */
function packagesMatchLockfile() {
  const installedFile = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    const there = installed[path];
    return there === undefined ? optional === true : there.version === version;
  });
}

/** One hash over the names and contents of everything the build reads. */
function fingerprint() {
  const hash = createHash("sha256");
  const settings = readdirSync(root).filter((name) => /^(tsconfig.*|package-lock)\.json$/.test(name));
  for (const file of [...settings, ...sourcesUnder("src"), ...sourcesUnder("ui")].sort()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function sourcesUnder(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !file.includes("node_modules"));
}

function step(title, program, programArguments) {
  const startedAt = performance.now();
  process.stdout.write(`${title} ... `);
  const run = spawnSync(program, programArguments, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (run.status === 0) {
    console.log(`${seconds} s`);
    return;
  }
  console.log(`failed after ${seconds} s\n${run.stdout ?? ""}${run.stderr ?? ""}`);
  const why = run.error === undefined ? `it ended with ${run.signal ?? `code ${run.status}`}` : run.error.message;
  stop(`${title} did not work: ${why}.`);
}
